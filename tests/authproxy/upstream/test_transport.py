"""Tests of choosing a transport for a service."""

from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.upstream import tls as tls_module
from authproxy.upstream.errors import NOTHING_SENT, TlsFailed, progress_of
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.http2 import Http2Transport
from authproxy.upstream.resuming import ResumingTransport
from authproxy.upstream.sessions import Sessions
from authproxy.upstream.tls import TlsOptions
from authproxy.upstream.transport import transport_for
from routing.snapshot import CompiledService, CompiledTarget
from tests.support.fetching import fetch
from tests.support.upstreams import Certificates


def service(protocol: str = "http", scheme: Any = "http", **tls: Any) -> CompiledService:
    spec: Any = SimpleNamespace(
        **({"verify": True, "ca": None, "cert": None, "key": None, "sni": None} | tls)
    )
    return CompiledService(
        name="a",
        protocol=protocol,
        targets=(CompiledTarget(f"{scheme}://a.test", scheme, "a.test", 1, None, b"", b"a.test"),),
        connect_timeout_s=2.0,
        read_timeout_s=30.0,
        total_timeout_s=30.0,
        tls=spec if tls else None,
        max_connections=7,
        source={},
    )


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [("http", Http1Transport), ("https", Http1Transport), ("h2", Http2Transport), ("h2c", Http2Transport)],
)
async def test_the_protocol_chooses_the_transport(protocol: str, kind: type) -> None:
    """HTTP/1.1 by our own, HTTP/2 by the stock one."""
    transport = transport_for(service(protocol))

    assert type(transport) is kind
    await transport.aclose()


async def test_checks_resume_sessions_where_it_is_ours_to_offer_them() -> None:
    """HTTP/2 is the stock transport's own."""
    resuming, stock = (transport_for(service(protocol), Sessions()) for protocol in ("https", "h2"))

    assert type(resuming) is ResumingTransport
    assert resuming._limits.max_connections == 7
    assert type(stock) is Http2Transport
    await resuming.aclose()
    await stock.aclose()


async def test_the_services_settings_are_used() -> None:
    """Its number of connections, and its TLS as it is written."""
    transport = transport_for(service(sni="inner.test", verify=False))

    assert isinstance(transport, Http1Transport)
    assert transport._limits.max_connections == transport._limits.max_idle == 7
    assert transport._tls == TlsOptions(verify=False, sni="inner.test")


@pytest.mark.parametrize("protocol", ["https", "h2"])
async def test_unusable_certificates_fail_the_services_requests(protocol: str) -> None:
    """And nothing else: the other services of the revision work."""
    transport = transport_for(service(protocol, "https", ca="/nonexistent/ca.pem"))
    with pytest.raises(TlsFailed, match=r"tls\.ca cannot be read") as caught:
        await fetch(transport, "https://127.0.0.1:1")
    await transport.aclose()

    assert progress_of(caught.value) == NOTHING_SENT


def test_contexts_are_built_before_the_first_request() -> None:
    """Only for services that need one."""
    misses = tls_module._context.cache_info().misses
    ca = Certificates().ca
    transport_for(service("http", "http", ca=ca))
    assert tls_module._context.cache_info().misses == misses
    transport_for(service("https", "https", ca=ca))
    assert tls_module._context.cache_info().misses == misses + 1
