"""How connections end, and who notices that a peer is silent, stuck or gone."""

import asyncio
from contextlib import suppress
from random import Random

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from realtime.tunnel.sockets import Sockets
from tests.support.sockets import closed, line, raw_socket


async def test_silence_ends_a_connection() -> None:
    """Pings of the gateway's own are no messages."""
    sockets = Sockets(rng=Random(1), beat_s=0.05)
    async with line(socket={"idle_timeout": "300ms"}, sockets=sockets) as there, there.connect() as socket:
        assert await closed(socket) == (1001, "idle timeout")


async def test_messages_and_pings_of_peers_keep_it_open() -> None:
    async with line(socket={"idle_timeout": "600ms"}) as there, there.connect(ping_interval=0.1) as socket:
        async with asyncio.timeout(10):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.2):
                    await socket.wait_closed()
        await socket.send("still here")
        assert await socket.recv() == "still here"


async def test_a_service_that_vanishes() -> None:
    """1011: nobody had closed."""

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        socket.transport.abort()

    async with line(handler) as there, there.connect() as socket:
        await socket.send("go")
        assert await closed(socket) == (1011, "upstream connection lost")


async def test_a_client_that_vanishes() -> None:
    """The service sees its connection end, without a closing frame."""
    code: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def handler(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await socket.recv()
        code.set_result(socket.close_code)

    async with line(handler) as there:
        async with raw_socket(there.plane.port) as client:
            client.writer.transport.abort()
        assert await asyncio.wait_for(code, 10) == 1006


async def test_a_client_that_answers_no_ping_is_cut_off() -> None:
    """Its connection stands, but nobody is there."""
    sockets = Sockets(rng=Random(1), beat_s=0.05)
    async with line(sockets=sockets) as there, raw_socket(there.plane.port) as client:
        assert await client.reader.readexactly(1) == b"\x89"
        assert not await asyncio.wait_for(_ended(client.reader), 10)


async def test_a_client_that_never_reads_is_cut_off() -> None:
    """Nothing of what waits for it is taken within a beat; the service sees its connection end."""
    code: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def handler(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await socket.send(b"x" * 100_000)
        code.set_result(socket.close_code)

    sockets = Sockets(rng=Random(1), beat_s=0.2)
    async with line(handler, sockets=sockets) as there, raw_socket(there.plane.port) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's transports can
        assert await asyncio.wait_for(code, 20) == 1006
        await there.plane.until_finished(1)
    assert len(sockets) == 0


async def test_the_gateway_ends_it() -> None:
    """The client gets the code, the service 1001; the first reason counts."""
    code: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()
        code.set_result(socket.close_code)

    async with line(handler) as there, there.connect() as socket:
        (one,) = there.sockets._open.values()
        one.course.shutdown()
        one.course.end(4401, "late")
        assert await closed(socket) == (1012, "restart")
        assert await asyncio.wait_for(code, 10) == 1001


@pytest.mark.parametrize("says_nothing", ["client", "upstream"])
async def test_who_does_not_answer_a_closing_frame_is_not_waited_for(
    says_nothing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.tunnel.course.CLOSE_S", 0.1)
    monkeypatch.setattr("realtime.tunnel.ends.LINGER_S", 0.1)
    is_over = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        if says_nothing == "client":
            await socket.close(1000)
        else:
            socket.transport.pause_reading()
            await is_over.wait()
            socket.transport.resume_reading()

    async with line(handler) as there, raw_socket(there.plane.port) as client:
        if says_nothing == "upstream":
            await client.send(b"\x88\x82\0\0\0\0\x03\xe8")
        async with asyncio.timeout(10):
            await client.reader.read()
        await there.plane.until_finished(1)
        is_over.set()
    assert len(there.sockets) == 0


async def _ended(reader: asyncio.StreamReader) -> bytes:
    """What comes after pings: nothing."""
    data = b"\0"
    last = b""
    while data:
        try:
            data = await reader.read(1000)
        except ConnectionResetError:
            return b""
        last = data
    return last
