"""Tests of reading the body of an answer, without sockets."""

import asyncio
from typing import cast

import httpx
import pytest

from authproxy.upstream.body import ResponseBody
from authproxy.upstream.connection import MAX_BUFFERED, NEVER, Connection
from authproxy.upstream.pool import Pool
from tests.support.wires import Wire

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\nX-Sum: 1\r\n\r\n"


class FakePool:
    def __init__(self) -> None:
        self.released: list[Connection] = []

    def release(self, connection: Connection) -> None:
        self.released.append(connection)


class Reading:
    """A body whose head has come."""

    def __init__(self, upload: "asyncio.Task[None] | None" = None) -> None:
        self.wire = Wire()
        self.connection = self.wire.begin(read_s=5.0)
        self.pool = FakePool()
        self.connection.data_received(HEAD)
        self.body = ResponseBody(self.connection, cast("Pool", self.pool), upload)

    def receive(self, *chunks: bytes, end: bool = False) -> None:
        for chunk in chunks:
            self.connection.data_received(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if end:
            self.connection.data_received(END)


async def test_take_gives_what_is_there() -> None:
    """Nothing, something, the end; the connection goes back once."""
    reading = Reading()
    assert reading.body.take() == (b"", False)
    reading.receive(b"one", b"two")
    assert reading.body.take() == (b"onetwo", False)
    reading.receive(b"three", end=True)
    assert reading.body.trailers() == []
    assert reading.body.take() == (b"three", True)
    assert reading.body.take() == (b"", True)
    assert await reading.body.next() == (b"", True)
    assert reading.body.trailers() == [(b"x-sum", b"1")]
    assert reading.pool.released == [reading.connection]


async def test_next_waits_for_something() -> None:
    """With the read timeout running only meanwhile."""
    reading = Reading()
    task = asyncio.create_task(reading.body.next())
    await asyncio.sleep(0)
    assert reading.connection.read_until == 1005.0
    reading.receive(b"one")
    assert await task == (b"one", False)
    assert reading.connection.read_until == NEVER


async def test_next_raises_what_ended_the_answer_after_its_last_bytes() -> None:
    """First what came, then the failure; the connection is given back."""
    reading = Reading()
    reading.receive(b"one")
    reading.connection.fail(httpx.ReadError("broken"))
    assert await reading.body.next() == (b"one", False)
    with pytest.raises(httpx.ReadError, match="broken"):
        await reading.body.next()
    assert reading.body.released


async def test_it_is_an_httpx_stream() -> None:
    """Iteration gives the parts and then gives the connection back."""
    reading = Reading()
    reading.receive(b"one", end=True)

    assert [part async for part in reading.body] == [b"one"]
    assert reading.body.released


async def test_taking_lets_the_upstream_go_on() -> None:
    """A paused connection reads again."""
    reading = Reading()
    reading.receive(b"x" * (MAX_BUFFERED + 1))
    assert not reading.wire.transport.reading
    reading.body.take()
    assert reading.wire.transport.reading


async def test_closing_stops_the_upload() -> None:
    """The caller's stream is let go before aclose() returns."""
    upload = asyncio.create_task(asyncio.Event().wait())
    reading = Reading(upload)  # type: ignore[arg-type]
    await reading.body.aclose()
    await reading.body.aclose()

    assert upload.cancelled()
    assert reading.pool.released == [reading.connection]


async def test_the_end_of_the_answer_does_not_end_the_upload() -> None:
    """Until aclose(): the connection is still writing. If only the notice is missing, it is given back at once."""
    upload = asyncio.create_task(asyncio.Event().wait())
    reading = Reading(upload)  # type: ignore[arg-type]
    reading.connection.hold_deadline(1000.0, NEVER, write_s=5.0)
    reading.receive(b"one", end=True)
    assert reading.body.take() == (b"one", True)
    assert not reading.body.released
    reading.connection.written = True
    assert reading.body.take() == (b"", True)
    assert reading.body.released
    await reading.body.aclose()
    assert upload.cancelled()
