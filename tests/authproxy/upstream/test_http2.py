"""Tests of what is particular to HTTP/2; against a real server in the functional tests."""

from typing import Any, cast

import httpx
import pytest

from authproxy.upstream import errors, http2
from authproxy.upstream.http2 import Http2Transport, _as_http2, _translated, _Upload
from tests.support.fetching import ask


def sent(request: httpx.Request, sni: str | None = None) -> httpx.Request:
    return _as_http2(request, _Upload(request, cast("Any", None)), sni)


def test_connection_specific_fields_are_left_out() -> None:
    """RFC 9113 section 8.2.2, whatever their case; TE only as far as it is allowed."""
    fields = [
        (b"Connection", b"x"),
        (b"keep-alive", b"1"),
        (b"Proxy-Connection", b"1"),
        (b"upgrade", b"h2c"),
        (b"te", b"gzip"),
        (b"TE", b"trailers"),
        (b"x-a", b"1"),
    ]
    request = sent(ask("http://a.test", headers=fields))

    assert request.headers.raw == [(b"host", b"upstream.test"), (b"TE", b"trailers"), (b"x-a", b"1")]


def test_extensions_that_httpx_knows_are_passed_on() -> None:
    """Ours are not, and the name to ask for is added."""
    request = ask("http://a.test", target=b"/x", timeout={"read": 1.0}, deadline=5.0, fresh=True)

    assert sent(request).extensions == {"target": b"/x", "timeout": {"read": 1.0}}
    assert sent(request, "inner.test").extensions["sni_hostname"] == "inner.test"


@pytest.mark.parametrize(
    ("failure", "wrote"),
    [
        (httpx.ConnectError("x"), False),
        (errors.NameResolutionFailed("x"), False),
        (errors.TlsFailed("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.PoolTimeout("x"), False),
        (httpx.ReadTimeout("x"), True),
        (httpx.RemoteProtocolError("x"), True),
    ],
)
def test_failures_know_how_far_the_request_had_come(failure: httpx.TransportError, wrote: bool) -> None:
    """Connecting failed, or it may have arrived."""
    assert _translated(failure) is failure
    assert errors.progress_of(failure).wrote == wrote


async def test_a_failure_that_is_no_transport_error_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the transport does not count the request as under way any more."""
    transport = Http2Transport()

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(http2, "_as_http2", lambda *_: ask("http://a.test"))
    monkeypatch.setattr(transport._stock(), "handle_async_request", fail)
    with pytest.raises(ZeroDivisionError):
        await transport.handle_async_request(ask("http://a.test"))
    await transport.aclose(grace_s=10)
