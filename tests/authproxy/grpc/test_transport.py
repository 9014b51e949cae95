"""Descriptors of a transport: asked for once, kept, and used while nobody answers."""

import asyncio

import httpx
import pytest

from authproxy.grpc import transport as module
from authproxy.grpc.messages import Method
from authproxy.grpc.transport import GrpcTransport
from authproxy.upstream.tls import TlsOptions
from tests.support.grpcserver import echo_server


async def test_descriptors_are_asked_for_once() -> None:
    """However many calls wait for them."""
    transport = GrpcTransport()
    async with echo_server() as echo:
        urls = [httpx.URL(echo.url)]
        found = await asyncio.gather(*(transport.method(urls, "echo.Echo", "Say") for _ in range(5)))
        assert len({id(each) for each in found}) == 1
        assert isinstance(found[0], Method)
        assert not transport._asking
        await transport.aclose()


async def test_stale_descriptors_are_better_than_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are used while the server is asked again, and when it is away."""
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    transport = GrpcTransport()
    async with echo_server() as echo:
        urls = [httpx.URL(echo.url)]
        first = await transport.method(urls, "echo.Echo", "Say")
    again = await transport.method(urls, "echo.Echo", "Say")
    assert again is first
    await asyncio.gather(*transport._asking.values())
    assert await transport.method(urls, "echo.Echo", "Say") is first
    await transport.aclose()


async def test_the_next_target_is_asked() -> None:
    """Where the first is away; and without any there is a reason."""
    transport = GrpcTransport()
    async with echo_server() as echo:
        urls = [httpx.URL("http://127.0.0.1:1"), httpx.URL(echo.url)]
        assert isinstance(await transport.method(urls, "echo.Echo", "Say"), Method)
        assert await transport.method([], "echo.Other", "Say") == "The service has no target to ask."
        await transport.aclose()


async def test_a_request_without_a_call_is_not_sent() -> None:
    """No other destination may lead here."""
    with pytest.raises(httpx.LocalProtocolError):
        await GrpcTransport().handle_async_request(httpx.Request("GET", "http://127.0.0.1:1"))


async def test_certificates_that_cannot_be_read() -> None:
    """Are a failure of TLS, not of the gateway."""
    transport = GrpcTransport(TlsOptions(ca="/no/such/file"))
    with pytest.raises(httpx.ConnectError, match="cannot be read"):
        transport._channel(httpx.URL("https://127.0.0.1:1"))
