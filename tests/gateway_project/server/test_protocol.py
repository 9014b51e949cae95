"""The connection's own decisions, on a transport without a socket. Real sockets: tests/functional/test_server_*."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway_project.server.context import ServerContext
from gateway_project.server.draining import DrainState
from gateway_project.server.limits import ServerLimits
from gateway_project.server.protocol import GatewayProtocol
from gateway_project.server.serving import server_config
from tests.support.transports import FakeTransport
from tests.support.wire import Application, Handler, answer, echo

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Line:
    """One connection with its transport; `turn` lets the application run."""

    def __init__(self, handler: Handler = echo, *, peer: str = "192.0.2.1", **limits: float) -> None:
        loop = asyncio.get_running_loop()
        self.drain = DrainState()
        self.app = Application(handler)
        bounds = ServerLimits(**limits)  # type: ignore[arg-type]
        config: uvicorn.Config = server_config(self.app, limits=bounds, drain=self.drain)
        config.load()
        self.context = ServerContext(bounds, self.drain, loop)
        self.state = ServerState()
        self.transport = FakeTransport((peer, 40000))
        self.protocol = GatewayProtocol(config, self.state, {}, loop, context=self.context)
        self.protocol.connection_made(self.transport)
        self.now_s = loop.time()

    async def send(self, data: bytes) -> bytes:
        self.protocol.data_received(data)
        return await self.turn()

    async def turn(self) -> bytes:
        for _ in range(5):
            await asyncio.sleep(0)
        return self.transport.take()

    def later(self, seconds: float) -> None:
        """The sweep, some time from now."""
        self.now_s += seconds
        self.protocol.on_sweep(self.now_s, seconds)

    async def lose(self) -> None:
        self.protocol.connection_lost(None)
        await self.turn()


async def test_answers() -> None:
    """A request, its answer, and the next."""
    line = Line()
    first = await line.send(GET)
    second = await line.send(GET)

    assert first == second == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert line.state.total_requests == 2
    await line.lose()
    assert line.state.connections == set()
    assert line.state.tasks == set()


async def test_mapped_ipv4_address_is_ipv4() -> None:
    """As it comes from a socket for both families."""
    line = Line(peer="::ffff:192.0.2.7")
    await line.send(GET)

    assert line.app.scopes[0]["client"] == ("192.0.2.7", 40000)
    await line.lose()


@pytest.mark.parametrize(
    ("data", "after_s", "state"),
    [(b"", 9, "open"), (b"", 12, "closed"), (b"GET", 9, "open"), (b"GET", 12, "half closed"), (GET, 60, "open"),
     (GET, 70, "closed")],
)  # fmt: skip
async def test_waits_end(data: bytes, after_s: float, state: str) -> None:
    """First byte, head, keep-alive: each with its own time."""
    line = Line()
    if data:
        await line.send(data)
    line.later(after_s)

    assert line.transport.state == state
    await line.lose()


async def test_lingering_connection_is_aborted() -> None:
    """A refused client has two seconds to close."""
    line = Line()
    refused = await line.send(b"x\r\n")
    line.later(1.0)
    before = line.transport.state
    line.later(2.0)

    assert refused.startswith(b"HTTP/1.1 400 ")
    assert (before, line.transport.state) == ("half closed", "aborted")
    await line.lose()


async def test_lingering_waits_for_what_is_being_written() -> None:
    """As long as the client reads, it may read the answer to its end."""
    line = Line()
    await line.send(b"x\r\n")
    for left in (50_000, 30_000, 10_000):
        line.transport.buffered = left
        line.later(20.0)

    assert line.transport.state == "half closed"
    line.later(20.0)
    line.later(20.0)
    assert line.transport.state == "aborted"
    await line.lose()


async def test_half_closed_idle_connection_ends() -> None:
    """There is nothing to answer any more."""
    line = Line()
    await line.send(GET)

    assert line.protocol.eof_received() is False
    await line.lose()


async def test_idle_connections_leave_while_draining() -> None:
    """After their grace, not after the keep-alive time."""
    line = Line()
    await line.send(GET)
    line.drain.begin()
    line.later(0.5)
    before = line.transport.state
    line.later(2.0)

    assert (before, line.transport.state) == ("open", "closed")
    await line.lose()


async def test_answer_while_draining_says_close() -> None:
    """But not to a client whose next request is here already."""
    line = Line()
    line.drain.begin()
    received = await line.send(GET + GET)

    assert received.count(b"200 OK") == 2
    assert received.count(b"connection: close") == 1
    assert received.endswith(b"connection: close\r\n\r\n")
    await line.lose()


async def test_shutdown_leaves_requests_alone() -> None:
    """uvicorn's own way to leave is not ours."""
    line = Line()
    line.protocol.shutdown()

    assert line.transport.state == "open"
    await line.lose()


async def test_lost_connection_cancels_what_runs_and_forgets_what_waits() -> None:
    """Only the first of the pipelined requests has begun."""
    begun: list[Any] = []

    async def handler(scope: Any, _receive: Any, send: Any) -> None:
        begun.append(scope)
        await asyncio.Event().wait()
        await answer(send)

    line = Line(handler)
    await line.send(GET * 3)
    shown = repr(line.protocol)
    await line.lose()

    assert "queued=2" in shown
    assert len(begun) == 1
    assert line.state.tasks == set()


async def test_too_many_at_once_are_refused() -> None:
    """A bound for what parsing one packet can queue."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send)

    line = Line(handler, max_pipelined=3)
    received = b""
    line.protocol.data_received(GET * 10)
    for _ in range(10):
        received += await line.turn()

    assert received.count(b"200 OK") == 4
    assert received.count(b"HTTP/1.1 400 ") == 1
    await line.lose()


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


async def test_bad_body_of_a_waiting_request() -> None:
    """It never begins; the answer to the one before comes first, then the refusal."""
    go_on = asyncio.Event()

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await go_on.wait()
        await answer(send)

    line = Line(handler)
    before = await line.send(GET + POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    go_on.set()
    received = await line.turn()

    assert before == b""
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 400 ") == 1
    assert len(line.app.scopes) == 1
    await line.lose()


async def test_bad_body_after_the_answer_began() -> None:
    """There is no way to say it any more: the connection is aborted."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    line = Line(handler)
    await line.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    await line.send(b"zz\r\n")

    assert line.transport.state == "aborted"
    await line.lose()


async def test_rest_of_an_unwanted_body_may_not_take_for_ever() -> None:
    """The request is answered already, so its connection just ends."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send)

    line = Line(handler)
    received = await line.send(POST + b"Content-Length: 1000\r\n\r\nx")
    for _ in range(3):
        line.later(3.0)

    assert received == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert line.transport.take() == b""
    assert line.transport.state == "half closed"
    await line.lose()


async def test_reading_goes_on_after_a_backlog() -> None:
    """Many requests at once, the last with a body that is still to come."""
    line = Line()
    received = await line.send(GET * 400 + POST + b"Content-Length: 3\r\n\r\n")
    paused = not line.transport.reading
    while line.app.scopes[-1]["method"] != "POST":
        received += await line.turn()
    received += await line.turn()
    reading = line.transport.reading
    received += await line.send(b"abc")

    assert paused
    assert reading
    assert received.count(b"200 OK") == 401
    assert received.endswith(b"abc")
    await line.lose()
