"""One request's receive and send, without a connection behind them."""

import asyncio
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from gateway_project.server.cycle import RequestCycle
from gateway_project.server.framing import InvalidResponse
from tests.support.transports import FakeTransport


class FakeConnection:
    """Writes to a fake transport and notes what it is told."""

    def __init__(self, *, persist: bool = True) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport = FakeTransport()
        self.flow = FlowControl(self.transport)
        self.told: list[str] = []
        self._persist = persist

    def may_persist(self, _cycle: RequestCycle) -> bool:
        return self._persist

    def hold_head(self, _cycle: RequestCycle) -> None:
        self.told.append("held")

    def resume_body(self) -> None:
        self.told.append("resume")

    def answered(self, _cycle: RequestCycle) -> None:
        self.told.append("answered")

    def failed(self, _cycle: RequestCycle) -> None:
        self.told.append("failed")


async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application that does not answer."""


def cycle(
    connection: FakeConnection, app: Any = nothing, *, version: str = "1.1", awaits_continue: bool = False
) -> RequestCycle:
    scope = {"method": "GET", "http_version": version, "raw_path": b"/"}
    return RequestCycle(connection, app, scope, True, awaits_continue)


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]}
BODY = {"type": "http.response.body", "body": b"abc"}


async def test_body_is_taken_as_it_comes() -> None:
    """What has arrived is one message; reading goes on when it is taken."""
    connection = FakeConnection()
    one = cycle(connection)
    waiting = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    one.feed(b"ab")
    first = await waiting
    one.feed(b"c")
    one.feed(b"d")
    one.end_request()
    second = await one.receive()

    assert first == {"type": "http.request", "body": b"ab", "more_body": True}
    assert second == {"type": "http.request", "body": b"cd", "more_body": False}
    assert connection.told == ["resume"]


async def test_end_without_a_body() -> None:
    """Said once; then `receive` waits for the end."""
    one = cycle(FakeConnection())
    one.end_request()
    first = await one.receive()
    waiting = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    before = waiting.done()
    one.gone = True
    one.wake()

    assert first == {"type": "http.request", "body": b"", "more_body": False}
    assert not before
    assert await waiting == {"type": "http.disconnect"}


async def test_continue_is_sent_once() -> None:
    """When the body is first asked for, and not if it is there already."""
    connection = FakeConnection()
    one = cycle(connection, awaits_continue=True)
    waiting = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    sent = connection.transport.take()
    one.feed(b"a")
    await waiting
    waiting = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    waiting.cancel()
    one.wake()

    other = cycle(connection, awaits_continue=True)
    other.feed(b"a")
    await other.receive()

    assert sent == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.transport.written == b""


async def test_head_and_body_are_one_write() -> None:
    """Up to 64 kB; a larger body is not copied."""
    connection = FakeConnection()
    one = cycle(connection)
    await one.send(START)
    before = (connection.transport.writes, one.committed)
    await one.send(BODY)
    small = connection.transport.writes
    large = cycle(connection)
    await large.send({**START, "headers": [(b"content-length", b"100000")]})
    await large.send({**BODY, "body": b"x" * 100_000})

    assert before == (0, False)
    assert (small, connection.transport.writes) == (1, 3)
    assert one.committed
    assert connection.told == ["held", "answered", "held", "answered"]


async def test_held_head_is_flushed_once() -> None:
    """And not at all to somebody who is gone."""
    connection = FakeConnection()
    one, gone = cycle(connection), cycle(connection)
    await one.send(START)
    await gone.send(START)
    gone.gone = True
    for each in (one, one, gone):
        each.flush_head()

    assert connection.transport.writes == 1


async def test_send_waits_for_a_slow_reader() -> None:
    """Backpressure reaches the application."""
    connection = FakeConnection()
    one = cycle(connection)
    connection.flow.pause_writing()
    sending = asyncio.create_task(one.send(START))
    await asyncio.sleep(0)
    before = one.started
    connection.flow.resume_writing()
    await sending

    assert (before, one.started) == (False, True)


async def test_nothing_is_sent_to_nobody() -> None:
    """Messages for a client that is gone are dropped in silence."""
    connection = FakeConnection()
    one = cycle(connection)
    one.gone = True
    await one.send(START)

    assert connection.transport.writes == 0


@pytest.mark.parametrize(
    "messages",
    [
        [BODY],
        [START, START],
        [START, BODY, BODY],
        [START, {**BODY, "body": b"abcd"}],
        [START, {**BODY, "body": b"ab"}],
        [START, {"type": "http.response.informational", "status": 103}],
        [START, {"type": "http.response.trailers"}],
        [{"type": "websocket.accept"}],
        [{"type": "http.response.informational", "status": 101}],
    ],
)
async def test_wrong_messages_raise(messages: list[dict[str, Any]]) -> None:
    """The last of them, and all after it."""
    one = cycle(FakeConnection())
    for message in messages[:-1]:
        await one.send(message)
    for message in (messages[-1], BODY):
        with pytest.raises(InvalidResponse):
            await one.send(message)


async def test_interim_response_replaces_continue() -> None:
    """An application that sends 100 itself has asked for the body; HTTP/1.0 gets nothing interim."""
    connection = FakeConnection()
    one = cycle(connection, awaits_continue=True)
    await one.send({"type": "http.response.informational", "status": 100})
    old = cycle(connection, version="1.0")
    await old.send({"type": "http.response.informational", "status": 103})

    assert connection.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert not one.awaits_continue


@pytest.mark.parametrize(("raises", "message"), [(False, "without completing"), (True, "failed on")])
async def test_application_without_an_answer(
    raises: bool, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is told, the log too."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        if raises:
            raise ValueError("app")

    connection = FakeConnection()
    await cycle(connection, app).run()

    assert connection.told == ["failed"]
    assert message in caplog.text
    assert "<RequestCycle GET b'/' waiting>" in caplog.text


async def test_failure_after_the_client_left_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    """Neither logged nor answered."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError("app")

    connection = FakeConnection()
    one = cycle(connection, app)
    one.gone = True
    await one.run()

    assert connection.told == []
    assert caplog.text == ""


@pytest.mark.parametrize("gone", [False, True])
async def test_cancelling(gone: bool) -> None:
    """From outside it aborts the connection; because the client left, it ends quietly."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    connection = FakeConnection()
    one = cycle(connection, app)
    task = asyncio.create_task(one.run())
    await asyncio.sleep(0)
    one.gone = gone
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled() is not gone
    assert connection.transport.state == ("open" if gone else "aborted")
