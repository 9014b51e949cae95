"""Tests of choosing a transport for a service."""

from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.http2 import Http2Transport
from authproxy.upstream.tls import TlsMisconfigured, TlsOptions
from authproxy.upstream.transport import transport_for
from routing.snapshot import CompiledService


def service(protocol: str = "http", **tls: Any) -> CompiledService:
    spec: Any = SimpleNamespace(
        **({"verify": True, "ca": None, "cert": None, "key": None, "sni": None} | tls)
    )
    return CompiledService(
        name="a",
        protocol=protocol,
        targets=(),
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


async def test_the_services_settings_are_used() -> None:
    """Its number of connections, and its TLS as it is written."""
    transport = transport_for(service(sni="inner.test", verify=False))

    assert isinstance(transport, Http1Transport)
    assert transport._limits.max_connections == transport._limits.max_idle == 7
    assert transport._tls == TlsOptions(verify=False, sni="inner.test")


def test_unusable_certificates_are_noticed() -> None:
    """When a transport for HTTP/2 is made, since it needs its context at once."""
    with pytest.raises(TlsMisconfigured):
        transport_for(service("h2", ca="/nonexistent/ca.pem"))
