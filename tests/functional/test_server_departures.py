"""Clients that leave, applications that break their word, and the server itself leaving."""

import asyncio
import socket
import struct
from typing import Any

import pytest

from gateway_project.server.spec import LeavingTimes
from tests.support.wire import Wire, answer, served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Waiting:
    """A handler that waits for `go_on`, then answers; tells when it began and when it was cancelled."""

    def __init__(self, *, start_first: bool = False) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()
        self._start_first = start_first

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        try:
            await receive()
            if self._start_first:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            self.begun.set()
            await self.go_on.wait()
            if self._start_first:
                await send({"type": "http.response.body", "body": b"abc"})
            else:
                await answer(send, b"abc")
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def reset(wire: Wire) -> None:
    """Closes so that the other side gets a reset."""
    sock = wire.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.writer.transport.abort()


@pytest.mark.parametrize("start_first", [False, True])
async def test_reset_cancels(start_first: bool) -> None:
    """A client that resets its connection ends the application's work at once."""
    handler = Waiting(start_first=start_first)
    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        await handler.begun.wait()
        reset(wire)
        assert await asyncio.wait_for(handler.cancelled.wait(), 5)


@pytest.mark.parametrize("start_first", [False, True])
async def test_close_cancels(start_first: bool) -> None:
    """A client that closes looks like one that only finished sending, and is found out soon."""
    handler = Waiting(start_first=start_first)
    limits = {"half_close_probe_s": 0.05, "half_close_idle_s": 0.2, "linger_timeout_s": 0.2}
    async with served(handler, **limits) as server, server.client() as wire:
        await wire.send(GET)
        await handler.begun.wait()
        wire.writer.close()
        assert await asyncio.wait_for(handler.cancelled.wait(), 5)


async def test_close_within_a_silent_answer_cancels() -> None:
    """A stream that says nothing does not outlive its reader for long."""
    handler = Waiting(start_first=True)
    async with (
        served(handler, half_close_idle_s=0.1, linger_timeout_s=0.1) as server,
        server.client() as wire,
    ):
        await wire.send(GET)
        await wire.head()
        wire.writer.close()
        assert await asyncio.wait_for(handler.cancelled.wait(), 5)


async def test_close_within_the_body_cancels() -> None:
    """A request that can't become complete any more is given up."""
    handler = Waiting()
    async with served(handler) as server, server.client() as wire:
        await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
        await handler.begun.wait()
        await wire.send(b"", eof=True)
        assert await asyncio.wait_for(handler.cancelled.wait(), 5)


@pytest.mark.parametrize("start_first", [False, True])
async def test_half_close_is_answered(start_first: bool) -> None:
    """A client that shuts down its sending side after a complete request still gets the answer."""
    handler = Waiting(start_first=start_first)
    async with served(handler) as server, server.client() as wire:
        await wire.send(GET, eof=True)
        await handler.begun.wait()
        handler.go_on.set()
        reply = await wire.reply()
        rest = await wire.until_close()

    assert reply.informational == []
    assert (reply.status, reply.body, rest) == (200, b"abc", b"")


async def test_half_close_survives_the_probe() -> None:
    """If the answer takes longer, the client sees an interim response first, and the answer then."""
    handler = Waiting()
    async with served(handler, half_close_probe_s=0.03) as server, server.client() as wire:
        await wire.send(GET, eof=True)
        assert (await wire.head()).status == 100
        await asyncio.sleep(0.1)
        handler.go_on.set()
        reply = await wire.reply()

    assert reply.body == b"abc"
    assert not handler.cancelled.is_set()


async def test_half_close_after_pipelined_requests() -> None:
    """All of them are answered."""
    async with served() as server:
        received = await server.exchange(GET * 50, eof=True)

    assert received.count(b"HTTP/1.1 200 ") == 50


async def test_large_answer_to_a_half_closed_client() -> None:
    """Nothing is cut off while it reads."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(100):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": number < 99})

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET, eof=True)
        reply = await wire.reply()

    assert len(reply.body) == 10_000_000


async def test_disconnect_is_told() -> None:
    """After the body, `receive` waits for the end: of the response, or of the client."""
    messages: list[dict[str, Any]] = []

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        listening = asyncio.create_task(receive())
        await answer(send)
        messages.append(await listening)

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        await wire.reply()

    assert messages == [{"type": "http.disconnect"}]


def start(**headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": pairs}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


BROKEN = {
    "raises before": [],
    "longer than its length": [start(content_length="3"), body(b"abcd")],
    "shorter than its length": [start(content_length="3"), body(b"ab")],
    "line break in a header": [start(x="a\r\nset-cookie: b")],
    "bad length": [start(content_length="-1")],
    "both framings": [start(content_length="3", transfer_encoding="chunked")],
    "body first": [body(b"abc")],
    "two heads": [start(), start()],
    "unknown message": [{"type": "http.response.pathsend"}],
    "trailers not announced": [start(), {"type": "http.response.trailers", "headers": []}],
}


BEGUN = {
    "no final body": [start(content_length="3"), body(b"ab", more=True)],
    "no final chunk": [start(), body(b"ab", more=True)],
    "longer in the second piece": [start(content_length="3"), body(b"ab", more=True), body(b"cd")],
    "shorter in the second piece": [start(content_length="3"), body(b"a", more=True), body(b"b")],
}


@pytest.mark.parametrize("messages", BEGUN.values(), ids=BEGUN)
async def test_broken_answers_on_their_way_are_cut_off(messages: list[dict[str, Any]]) -> None:
    """The client can tell that what it got is not the whole message."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await wire.reply()


@pytest.mark.parametrize("swallow", [False, True])
@pytest.mark.parametrize("messages", BROKEN.values(), ids=BROKEN)
async def test_broken_answers_become_500(
    messages: list[dict[str, Any]], swallow: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As long as nothing was written; also if the application hides its error."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        try:
            for message in messages:
                await send(message)
        except RuntimeError:
            if not swallow:
                raise

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        reply = await wire.reply()

    assert reply.status == 500
    assert b'"INTERNAL_ERROR"' in reply.body
    assert "application" in caplog.text


@pytest.mark.parametrize("headers", [{"content_length": "5"}, {}])
async def test_answers_that_break_off_are_cut_off(headers: dict[str, str]) -> None:
    """The client sees an incomplete message, not a short one."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start(**headers))
        await send(body(b"abc", more=True))
        await asyncio.sleep(0.02)
        raise ValueError("no more")

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await wire.reply()


async def test_answer_without_framing_breaks_off_with_a_reset() -> None:
    """To HTTP/1.0 the end of the connection is the end of the answer, so a broken one must not just end."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"abc", more=True))
        await asyncio.sleep(0.02)
        raise ValueError("no more")

    async with served(handler) as server:
        with pytest.raises(ConnectionResetError):
            await server.exchange(b"GET / HTTP/1.0\r\n\r\n")


async def test_draining_ends_connections_with_their_answers() -> None:
    """While draining, requests in flight finish, each connection with the answer; new ones are still taken."""
    handler = Waiting()
    async with served(handler) as server, server.client() as busy, server.client() as fresh:
        await busy.send(GET)
        await handler.begun.wait()
        server.drain.begin()
        handler.go_on.set()
        first = await busy.reply()
        await fresh.send(GET)
        second = await fresh.reply()

    assert [first.header("connection"), second.header("connection")] == ["close", "close"]


async def test_draining_closes_idle_connections() -> None:
    """After a short grace, since nothing else would."""
    async with served(drain_idle_s=0.1) as server, server.client() as idle, server.client() as silent:
        await idle.send(GET)
        await idle.reply()
        server.drain.begin()

        assert await idle.until_close() == b""
        assert await silent.until_close() == b""


async def test_stopping_waits_for_requests_in_flight() -> None:
    """The listener closes, the request finishes, the server ends."""
    handler = Waiting()
    times = LeavingTimes(grace_s=0.0, drain_timeout_s=5.0)
    async with served(handler, times=times, drain_idle_s=0.05) as server, server.client() as wire:
        await wire.send(GET)
        await handler.begun.wait()
        server.server.stop()
        await refused(server.port)
        handler.go_on.set()
        reply = await wire.reply()

    assert reply.body == b"abc"


async def test_stopping_does_not_wait_for_ever() -> None:
    """A request that outlasts the drain timeout is cut off."""
    handler = Waiting()
    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        await handler.begun.wait()
        server.server.stop()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await wire.reply()

    assert handler.cancelled.is_set()


async def test_grace_keeps_accepting() -> None:
    """Between the signal and the end of grace, new connections are served."""
    times = LeavingTimes(grace_s=0.5, drain_timeout_s=5.0)
    async with served(times=times) as server:
        server.server.stop()
        async with server.client() as wire:
            await wire.send(GET)
            reply = await wire.reply()

    assert server.drain.draining
    assert reply.header("connection") == "close"


async def refused(port: int) -> None:
    """Waits until nobody listens there."""
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                return
            writer.close()
            await asyncio.sleep(0.01)
