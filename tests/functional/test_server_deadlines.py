"""Clients that are slow, silent or greedy: every wait ends, every buffer has a bound."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from tests.support.wire import Served, answer, echo, served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SOON = 0.1  # for what must end
AMPLE = 1.0  # for what must go on, even where the machine takes a break


async def drip(wire: Any, data: bytes, *, every_s: float = 0.02) -> None:
    """Sends byte by byte until told not to."""
    for number in range(len(data)):
        wire.writer.write(data[number : number + 1])
        await asyncio.sleep(every_s)


async def test_slow_head() -> None:
    """A head that drips in ends with 408, whatever its pace."""
    async with served(head_timeout_s=SOON) as server, server.client() as wire:
        dripping = asyncio.create_task(drip(wire, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1000))
        reply = await wire.reply()
        dripping.cancel()

    assert reply.status == 408
    assert b'"REQUEST_TIMEOUT"' in reply.body
    assert server.app.scopes == []


async def test_slow_second_head() -> None:
    """The same on a kept-alive connection, however long it may be idle."""
    async with served(head_timeout_s=SOON, keep_alive_timeout_s=60) as server, server.client() as wire:
        await wire.send(GET)
        await wire.reply()
        await wire.send(b"GET / HTT")
        reply = await wire.reply()

    assert reply.status == 408


async def test_silent_connection_is_closed() -> None:
    """Without a single byte there is nothing to answer."""
    async with served(first_byte_timeout_s=SOON) as server:
        received = await server.exchange(b"")

    assert received == b""


async def test_idle_connection_is_closed() -> None:
    """Kept alive for as long as configured after an answer, no longer."""
    async with served(keep_alive_timeout_s=SOON) as server, server.client() as wire:
        await wire.send(GET)
        await wire.reply()
        rest = await wire.until_close()

    assert rest == b""


async def test_empty_lines_do_not_keep_a_connection() -> None:
    """Line ends before a request line are skipped, and do not count as a request."""
    async with served(first_byte_timeout_s=SOON) as server, server.client() as wire:
        dripping = asyncio.create_task(drip(wire, b"\r\n" * 500, every_s=0.01))
        try:
            received = await wire.until_close()
        except ConnectionResetError:  # bytes that cross the server's close
            received = b""
        dripping.cancel()

    assert received == b""


async def test_stalled_body() -> None:
    """A body that stops coming ends the request with 408, and the application with it."""
    cancelled = asyncio.Event()

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        try:
            await echo(scope, receive, send)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with served(handler, body_timeout_s=SOON, min_transfer_bytes_per_s=0) as server:
        received = await server.exchange(POST + b"Content-Length: 1000\r\n\r\nabc")
        await asyncio.wait_for(cancelled.wait(), 5)

    assert received.startswith(b"HTTP/1.1 408 ")


async def test_dripping_body() -> None:
    """A body slower than the minimum rate ends with 408 though it never stops."""
    async with (
        served(upload_grace_s=SOON, min_transfer_bytes_per_s=1000) as server,
        server.client() as wire,
    ):
        await wire.send(POST + b"Content-Length: 100000\r\n\r\n")
        dripping = asyncio.create_task(drip(wire, b"x" * 100_000))
        reply = await wire.reply()
        dripping.cancel()

    assert reply.status == 408


async def test_dripping_chunks() -> None:
    """Tiny chunks do not count for more than their data."""
    async with (
        served(upload_grace_s=SOON, min_transfer_bytes_per_s=1000) as server,
        server.client() as wire,
    ):
        await wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        dripping = asyncio.create_task(drip(wire, b"1;ext=abcdef\r\nx\r\n" * 1000, every_s=0.001))
        reply = await wire.reply()
        dripping.cancel()

    assert reply.status == 408


async def test_steady_body_may_take_long() -> None:
    """An upload above the minimum rate is not cut off, however much longer than the timeouts it takes."""
    loop = asyncio.get_running_loop()
    async with (
        served(upload_grace_s=AMPLE, body_timeout_s=AMPLE, min_transfer_bytes_per_s=100) as server,
        server.client() as wire,
    ):
        await wire.send(POST + b"Content-Length: 5000\r\n\r\n")
        began = loop.time()
        for _ in range(50):
            await wire.send(b"x" * 100)
            await asyncio.sleep(0.03)
        reply = await wire.reply()

    assert len(reply.body) == 5000
    assert loop.time() - began > AMPLE


async def test_slow_application_is_not_the_clients_fault() -> None:
    """While the application leaves a full buffer unread, the upload's deadlines stand still."""

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1.2 * AMPLE)
        await echo(scope, receive, send)

    body = b"x" * 1_000_000
    async with (
        served(handler, upload_grace_s=AMPLE, body_timeout_s=AMPLE, min_transfer_bytes_per_s=1000) as server,
        server.client() as wire,
    ):
        sending = asyncio.create_task(wire.send(POST + b"Content-Length: 1000000\r\n\r\n" + body))
        reply = await wire.reply()
        await sending

    assert reply.body == body


async def test_unread_upload_is_not_buffered() -> None:
    """What the application does not read stays with the client."""
    holding = asyncio.Event()

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await holding.wait()
        await answer(send)

    async with served(handler) as server, server.client() as wire:
        wire.writer.write(POST + b"Content-Length: 50000000\r\n\r\n" + b"x" * 50_000_000)
        await until(lambda: _connection(server).flow.read_paused)
        buffered = _connection(server).active.buffered
        holding.set()

    assert buffered < 1_000_000


async def test_stalled_reader() -> None:
    """An endless answer to a client that reads nothing is bounded in memory, and ends with the application's task."""
    sent = 0
    cancelled = asyncio.Event()

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
                sent += 65_536
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with served(handler, write_timeout_s=SOON) as server:
        reader = socket.create_connection(("127.0.0.1", server.port))
        with reader:
            reader.sendall(GET)
            await asyncio.wait_for(cancelled.wait(), 5)

    assert sent < 16_000_000  # the kernel's socket buffers, and little of ours


async def test_slow_but_steady_reader() -> None:
    """A client that takes the minimum rate gets everything, though all in all it takes longer than the timeout."""
    loop = asyncio.get_running_loop()

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, b"x" * 8_000_000)

    # With little room in the kernel, what the client takes is room for the server at once.
    room = {socket.SO_RCVBUF: 65_536}
    async with served(handler, write_timeout_s=1.5 * AMPLE) as server, server.client(room) as wire:
        await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received, began = 0, loop.time()
        while piece := await wire.reader.read(200_000):
            received += len(piece)
            await asyncio.sleep(0.05)

    assert received > 8_000_000
    assert loop.time() - began > 1.5 * AMPLE


async def test_answer_that_nobody_reads_does_not_hold_the_connection() -> None:
    """A complete answer left in the buffer is given up after the write timeout."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, b"x" * 20_000_000)

    async with served(handler, write_timeout_s=SOON) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as reader:
            reader.sendall(GET)
            await until(lambda: bool(server.app.scopes))
            await until(lambda: not server.server.server_state.connections)
            reader.settimeout(5)
            assert taken(reader) < 20_000_000


def taken(reader: socket.socket) -> int:
    """How many bytes there are to read before the end, in order or not."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while piece := reader.recv(1_000_000):
            count += len(piece)
    return count


async def test_lingering_ends() -> None:
    """A refused client that goes on sending is cut off."""
    async with served(linger_timeout_s=SOON) as server, server.client() as wire:
        await wire.send(b"garbage\r\n\r\n")
        await wire.reply()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(flood(wire), 5)


async def flood(wire: Any) -> None:
    while True:
        await wire.send(b"x" * 1000)
        await asyncio.sleep(0.01)


async def until(condition: Any) -> None:
    """Waits for what no event tells."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _connection(server: Served) -> Any:
    return next(iter(server.server.server_state.connections), _NotYet)


class _NotYet:
    class flow:  # noqa: N801
        read_paused = False
