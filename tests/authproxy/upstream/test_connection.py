"""Tests of a connection to an upstream, without sockets and with a clock of the test's own."""

import asyncio
import ssl
from typing import Any

import httpx
import pytest

from authproxy.upstream import errors
from authproxy.upstream.connection import MAX_BUFFERED, NEVER
from tests.support.wires import Wire

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


async def test_an_answer_wakes_the_waiter_once() -> None:
    """Each waiter hears of the next news, and is then forgotten."""
    wire = Wire()
    connection = wire.begin()
    waiter = connection.waiter = asyncio.get_running_loop().create_future()
    connection.data_received(HELLO[:20])
    connection.data_received(HELLO[20:])

    assert waiter.done()
    assert connection.waiter is None
    assert connection.reader.complete
    assert connection.settle(1001.0)
    assert (connection.reused, connection.idle_since) == (True, 1001.0)


async def test_waiters_that_have_gone_are_no_trouble() -> None:
    """A cancelled waiter, of data or of writing, is passed over."""
    wire = Wire()
    connection = wire.begin()
    connection.waiter = asyncio.get_running_loop().create_future()
    connection.waiter.cancel()
    connection.data_received(HELLO[:20])
    connection.waiter = asyncio.get_running_loop().create_future()
    connection.waiter.cancel()
    connection.pause_writing()
    draining = asyncio.create_task(connection.drain())
    await asyncio.sleep(0)
    draining.cancel()
    connection.resume_writing()
    connection.fail(httpx.ReadError("x"))
    await asyncio.gather(draining, return_exceptions=True)

    assert connection.closed


async def test_the_first_failure_counts() -> None:
    """It carries the progress at its moment, and closes the connection."""
    wire = Wire()
    connection = wire.begin()
    first, second = httpx.ReadError("first"), httpx.ReadError("second")
    connection.fail(first)
    connection.fail(second)

    assert connection.error is first
    assert errors.progress_of(first) == errors.Progress(reused=False, wrote=True, response_started=False)
    assert wire.transport.aborted
    assert not connection.settle(1001.0)


@pytest.mark.parametrize("event", ["data", "end", "loss"])
async def test_an_idle_connection_that_stirs_is_lost(event: str) -> None:
    """Bytes, end of stream or loss: it is closed, and the pool is told once."""
    wire = Wire()
    connection = wire.connection
    for _ in range(2):
        if event == "data":
            connection.data_received(HELLO)
        elif event == "end":
            assert not connection.eof_received()
        else:
            connection.connection_lost(None)

    assert wire.transport.aborted
    assert wire.owner.lost == [connection]


@pytest.mark.parametrize("reset", [None, ConnectionResetError(104, "reset")])
@pytest.mark.parametrize(
    ("reused", "received", "kind"),
    [
        (False, b"", errors.ConnectionLost),
        (True, b"", errors.StaleConnection),
        (True, b"HT", errors.ConnectionLost),
        (True, HELLO[:-1], errors.BodyBroken),
        (False, OK + b"\r\nx", errors.BodyBroken),
    ],
)
async def test_a_connection_lost_during_a_request(
    reused: bool, received: bytes, kind: type[httpx.TransportError], reset: Exception | None
) -> None:
    """What it means depends on how far the request had come."""
    wire = Wire()
    connection = wire.begin()
    connection.reused = reused
    if received:
        connection.data_received(received)
    connection.connection_lost(reset)

    assert type(connection.error) is kind


async def test_a_connection_lost_after_the_answer_is_only_not_reused() -> None:
    """The answer stands."""
    wire = Wire()
    connection = wire.begin()
    connection.data_received(HELLO)
    connection.connection_lost(None)

    assert connection.error is None
    assert not connection.settle(1001.0)


async def test_the_end_of_the_stream_ends_a_body_until_close() -> None:
    """The waiter is told, nothing has failed."""
    wire = Wire()
    connection = wire.begin()
    connection.data_received(OK + b"\r\nall")
    waiter = connection.waiter = asyncio.get_running_loop().create_future()
    connection.eof_received()

    assert waiter.done()
    assert connection.reader.complete
    assert connection.error is None


@pytest.mark.parametrize(("goodbye", "fine"), [(b"", True), (b"x", False), (ssl.SSLWantReadError(), False)])
async def test_on_tls_the_end_of_the_stream_needs_a_goodbye(goodbye: bytes | Exception, fine: bool) -> None:
    """Reading on gives b"" only after a close_notify."""

    class FakeTls:
        def read(self, size: int) -> bytes:
            if isinstance(goodbye, Exception):
                raise goodbye
            return goodbye

    wire = Wire()
    wire.transport.get_extra_info = lambda name: FakeTls()  # type: ignore[method-assign]
    connection = wire.begin()
    connection.data_received(OK + b"\r\nall")
    connection.eof_received()

    assert (connection.error is None) == fine


async def test_garbage_fails_the_request() -> None:
    """In the head and in the body, under different names."""
    for received, kind in [
        (b"garbage", httpx.RemoteProtocolError),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz", errors.BodyBroken),
    ]:
        wire = Wire()
        connection = wire.begin()
        connection.data_received(received)
        assert type(connection.error) is kind
        assert wire.transport.aborted


async def test_reading_pauses_while_much_is_buffered() -> None:
    """Once, and resumes when it has been taken or the answer is over."""
    wire = Wire()
    connection = wire.begin()
    size = 4 * MAX_BUFFERED
    connection.data_received(OK + b"Content-Length: %d\r\n\r\n" % size)
    connection.data_received(b"x" * (MAX_BUFFERED + 1))
    connection.data_received(b"x")
    assert (wire.transport.reading, connection.read_paused) == (False, True)
    connection.resume_reading()
    assert wire.transport.reading
    connection.data_received(b"x" * (size - MAX_BUFFERED - 2))
    assert not wire.transport.reading
    assert connection.settle(1001.0)
    assert wire.transport.reading


async def test_a_closed_connection_does_not_resume() -> None:
    """Its transport is not to be touched any more."""
    wire = Wire()
    connection = wire.begin()
    connection.data_received(OK + b"Content-Length: 999999\r\n\r\n" + b"x" * (MAX_BUFFERED + 1))
    connection.close()
    connection.resume_reading()

    assert not wire.transport.reading


@pytest.mark.parametrize(
    ("state", "alive"),
    [(BlockingIOError(), True), (b"", False), (b"x", False), (OSError(9, "Bad file descriptor"), False)],
)
async def test_the_kernel_knows_whether_an_idle_connection_lives(
    state: bytes | Exception, alive: bool
) -> None:
    """Only a socket with nothing to read is fit for use."""
    wire = Wire()
    wire.socket.state = state

    assert wire.connection.looks_alive() == alive
    wire.transport.closing = True
    assert not wire.connection.looks_alive()


async def test_deadlines_are_kept() -> None:
    """Silence before the head, silence in the body, and the request's own deadline have names of their own."""
    cases: list[tuple[bytes, float, type[httpx.TransportError]]] = [
        (b"", NEVER, httpx.ReadTimeout),
        (HELLO[:-1], NEVER, errors.BodyTimeout),
        (b"", 1005.0, errors.DeadlineExceeded),
    ]
    for received, deadline, kind in cases:
        wire = Wire()
        connection = wire.begin(read_s=10.0)
        connection.await_answer(1000.0, deadline)
        if received:
            connection.data_received(received)
        connection.check(1000.0)
        connection.check(1004.9)
        assert connection.error is None
        connection.check(1010.0)
        assert type(connection.error) is kind


async def test_bytes_buy_time_but_not_beyond_the_deadline() -> None:
    """The read timeout is the gap between bytes."""
    wire = Wire()
    connection = wire.begin(read_s=10.0)
    connection.await_answer(1000.0, 1025.0)
    for now in (1009.0, 1018.0):
        connection.data_received(b"H" if now < 1010 else b"T")
        connection.check(now)
    assert (connection.error, connection.read_until) == (None, 1028.0)
    connection.check(1025.0)
    assert type(connection.error) is errors.DeadlineExceeded


async def test_bytes_after_the_answer_was_awaited_do_not_start_a_timeout() -> None:
    """While nobody waits for the upstream, no read timeout runs."""
    wire = Wire()
    connection = wire.begin()
    connection.data_received(HELLO[:-1])
    connection.check(1000.0)

    assert connection.read_until == NEVER


async def test_writing_is_timed_by_progress() -> None:
    """Each check that finds less left to write gives more time."""
    wire = Wire()
    connection = wire.begin()
    connection.hold_deadline(1000.0, 1007.0, write_s=5.0)
    connection.pause_writing()
    wire.transport.unsent = 100
    drained = asyncio.create_task(connection.drain())
    await asyncio.sleep(0)
    wire.transport.unsent = 50
    connection.check(1005.0)
    connection.check(1009.0)
    assert connection.error is None
    connection.check(1010.0)
    assert type(connection.error) is httpx.WriteTimeout
    await drained


async def test_the_deadline_stands_still_during_an_upload() -> None:
    """It goes on where it was, unless the answer has come already."""
    wire = Wire()
    connection = wire.begin(read_s=3.0)
    connection.hold_deadline(1000.0, 1007.0, write_s=5.0)
    assert connection.deadline == NEVER
    wire.loop.now = 1100.0
    connection.uploaded()
    assert (connection.read_until, connection.deadline) == (1103.0, 1107.0)

    early = Wire()
    connection = early.begin()
    connection.hold_deadline(1000.0, 1007.0, write_s=5.0)
    connection.data_received(HELLO)
    connection.uploaded()
    assert connection.deadline == NEVER


@pytest.mark.parametrize(
    ("written", "unsent", "clean"), [(True, 0, True), (True, 1, False), (False, 0, False)]
)
async def test_an_answer_before_the_end_of_the_upload_costs_the_connection(
    written: bool, unsent: int, clean: bool
) -> None:
    """Unless the last bytes have left, and only nobody has noticed yet."""
    wire = Wire()
    connection = wire.begin()
    connection.hold_deadline(1000.0, NEVER, write_s=5.0)
    connection.data_received(HELLO)
    connection.written = written
    wire.transport.unsent = unsent

    assert connection.settle(1001.0) == clean


async def test_draining_ends_with_the_connection() -> None:
    """And does not begin if there is nothing to wait for."""
    wire = Wire()
    connection = wire.begin()
    await connection.drain()
    connection.pause_writing()
    drained = asyncio.create_task(connection.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    connection.close()
    await drained
    await connection.drain()


async def test_it_tells_what_it_is() -> None:
    """For logs and failing tests."""
    wire: Any = Wire()
    assert repr(wire.connection) == "<Connection to ('192.0.2.1', 80), idle>"
    assert repr(wire.begin()) == "<Connection to ('192.0.2.1', 80), in use>"
    wire.connection.close()
    assert repr(wire.connection) == "<Connection to ('192.0.2.1', 80), closed>"
    assert repr(Wire(address=None).connection) == "<Connection to unix socket, idle>"


async def test_an_old_connection_is_not_clean() -> None:
    """From retire_at on."""
    wire = Wire()
    connection = wire.begin()
    connection.data_received(HELLO)
    connection.retire_at = 1001.0

    assert not connection.settle(1001.0)
