"""WebSocket handshakes that are followed by something too early."""

import asyncio
from typing import Any

import pytest

from authproxy.handshake import TAKE_OVER
from tests.support.wire import served

HANDSHAKE = (
    b"GET /w HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


NO_FRAME = b"GET / HTTP/1.1\r\n\r\n"


async def test_bytes_that_are_no_frames_end_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """They came before the handshake was answered: the application is told, the log is not filled."""
    told: list[Any] = []
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        told.append((await receive())["type"])
        begun.set()
        told.append(await receive())
        ended.set()
        await send({"type": "websocket.close"})

    async with asyncio.timeout(10), served(handler) as server, server.client() as wire:
        await wire.send(HANDSHAKE)
        await begun.wait()
        await wire.send(NO_FRAME)
        received = await wire.until_close()
        await ended.wait()

    assert received == b""
    assert told == ["websocket.connect", {"type": "websocket.disconnect", "code": 1006, "reason": ""}]
    assert not [record for record in caplog.records if record.exc_info]


async def test_bytes_that_are_no_frames_may_come_with_the_handshake(caplog: pytest.LogCaptureFixture) -> None:
    """Then the application never hears of it."""
    async with served() as server, server.client() as wire:
        await wire.send(HANDSHAKE + NO_FRAME)
        received = await wire.until_close()

    assert received == b""
    assert server.app.scopes == []
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_refused_handshake_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """The application's own answer arrives, and the log has nothing to say about it."""

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        headers = [(b"content-length", b"2")]
        await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"no"})

    async with served(handler) as server, server.client() as wire:
        await wire.send(HANDSHAKE)
        received = await wire.until_close()

    assert received.startswith(b"HTTP/1.1 404 ")
    assert received.endswith(b"\r\n\r\nno")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_connection_that_breaks_as_it_is_given_away(caplog: pytest.LogCaptureFixture) -> None:
    """It is noticed by whoever took it; the server, which has let go of it, says nothing."""
    lost = asyncio.Event()

    class Leaver:
        def shutdown(self) -> None:
            """Nobody asks."""

    async def handler(scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        taken = scope["extensions"][TAKE_OVER](Leaver(), ())
        taken.transport.abort()  # as writing to a client that has reset the connection does
        asyncio.get_running_loop().call_soon(lost.set)  # behind the transport's word to its protocol
        taken.release()

    async with asyncio.timeout(10), served(handler) as server, server.client() as wire:
        await wire.send(HANDSHAKE)
        await wire.until_close()
        await lost.wait()

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
