"""What methods look like: uploaded, or asked for once, kept, and used while nobody answers."""

import asyncio

import httpx
import orjson
import pytest

from authproxy.grpc import known as module
from authproxy.grpc.messages import Method
from authproxy.grpc.transport import GrpcTransport
from routing.descriptortexts import packed
from tests.authproxy.grpc.test_transcoding import ask, plane_for
from tests.support.grpcserver import echo_server, echo_set


async def test_descriptors_are_asked_for_once() -> None:
    """However many calls wait for them."""
    transport = GrpcTransport()
    async with echo_server() as echo:
        urls = [httpx.URL(echo.url)]
        found = await asyncio.gather(*(transport.method(urls, "echo.Echo", "Say") for _ in range(5)))
        assert len({id(each) for each in found}) == 1
        assert isinstance(found[0], Method)
        assert not transport._known._asking
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
    await asyncio.gather(*transport._known._asking.values())
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


async def test_an_uploaded_set_takes_the_place_of_reflection() -> None:
    """A server without it is called as well; and what is not in the set is not asked for."""
    service = {"descriptors": packed(echo_set())}
    async with echo_server(reflects=False) as echo, plane_for(echo, service=service) as plane:
        answer = await ask(plane, body={"aString": "hi", "at": "2026-01-01T12:00:00Z"})
    assert (answer.status, orjson.loads(answer.body)["aString"]) == (200, "hi")
    transport = GrpcTransport(descriptors=packed(echo_set()))
    said = await transport.method([httpx.URL("http://127.0.0.1:1")], "echo.Other", "Say")
    assert said == 'The service "echo.Other" has no method "Say".'
    await transport.aclose()
