"""Forwarding against a scripted transport: which attempts are made, in which order, and what is given up."""

import httpx
import pytest

from authproxy.upstream import errors
from resilience.clock import monotonic
from resilience.outcomes import Outcome
from tests.support.asgi import body_message
from tests.support.forwarding import TARGETS, Run


async def test_an_answer_needs_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried twice without need; the exchange knows its target."""
    run = Run(monkeypatch)
    answer = await run()

    assert (answer.status, answer.body) == (200, b"answer")
    assert run.finished[0].attempts == 1
    assert run.finished[0].target in TARGETS
    assert run.state.in_flight == 0


async def test_every_target_is_tried_once_when_none_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three refused connections, three different targets, then 502."""
    run = Run(monkeypatch, *(httpx.ConnectError("no") for _ in range(9)))
    answer = await run("POST")

    assert sorted(run.transport.ports) == [1, 2, 3]
    assert (answer.status, run.reason) == (502, "connect_refused")
    assert run.finished[0].outcome is Outcome.CONNECT_REFUSED


async def test_a_stale_connection_is_repeated_fresh_on_the_same_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once, with the extension that forbids another kept-alive connection."""
    run = Run(monkeypatch, errors.StaleConnection("gone"))
    answer = await run()

    assert answer.status == 200
    assert run.transport.ports[0] == run.transport.ports[1]
    assert run.transport.fresh == [False, True]


async def test_a_second_stale_connection_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no third attempt."""
    run = Run(monkeypatch, errors.StaleConnection("gone"), errors.StaleConnection("gone"))

    assert (await run()).status == 502
    assert run.transport.fresh == [False, True]


@pytest.mark.parametrize(
    "failure", [errors.StaleConnection("x"), httpx.ReadTimeout("x"), httpx.ReadError("x")]
)
async def test_a_post_that_may_have_arrived_is_sent_once(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """Whatever went wrong after the first byte."""
    run = Run(monkeypatch, failure)
    await run("POST", (b"content-length", b"1"), messages=[body_message(b"x")])

    assert len(run.transport.requests) == 1


async def test_the_total_timeout_is_one_deadline_for_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry does not get the time anew; the route's timeout takes the service's place."""
    run = Run(monkeypatch, httpx.ConnectError("no"), timeout="2s")
    await run()
    deadlines = {request.extensions["deadline"] for request in run.transport.requests}

    assert deadlines == {run.finished[0].started + 2.0}


async def test_an_answer_passes_without_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete answer is two messages: its start and its body."""
    run = Run(monkeypatch)
    answer = await run()

    assert [message["type"] for message in answer.messages] == ["http.response.start", "http.response.body"]


async def test_a_client_that_leaves_before_its_body_is_nobodys_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is sent upstream, nothing is answered, 499 is recorded."""
    run = Run(monkeypatch)
    await run("POST", (b"content-length", b"1"), messages=[{"type": "http.disconnect"}])

    assert run.transport.requests == []
    assert run.send.messages == []
    assert (run.finished[0].status, run.finished[0].outcome) == (499, Outcome.CLIENT_GONE)


async def test_a_body_that_is_refused_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service never got it: the outcome is the client's."""
    run = Run(monkeypatch, limits={"max_body": "1KB"})
    await run("POST", (b"content-length", b"2000"), messages=[body_message(bytes(2000))])
    assert (run.send.status, run.finished[0].outcome) == (413, Outcome.CLIENT_BODY)
    assert run.transport.requests == []


async def test_time_that_is_over_before_the_first_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as by a fault on purpose: nothing is sent, and it is nobody's failure."""
    run = Run(monkeypatch, timeout="10ms", fault={"until": "2099-01-01", "delay": "20ms"})
    await run()
    assert (run.send.status, run.finished[0].outcome) == (504, Outcome.NO_TIME)
    assert run.transport.requests == []


async def test_a_service_is_told_what_is_left_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less what the gateway itself took."""
    run = Run(monkeypatch, timeout="5s", fault={"until": "2099-01-01", "delay": "50ms"})
    await run()
    assert int(dict(run.transport.requests[0].headers.raw)[b"x-request-timeout-ms"]) <= 4950


@pytest.mark.parametrize(
    ("first", "reason", "outcome"),
    [
        (httpx.ConnectError("no"), "connect_refused", Outcome.CONNECT_REFUSED),
        (503, "upstream_error", Outcome.UPSTREAM_ERROR),
    ],
)
async def test_a_pause_that_oversleeps_the_deadline_ends_with_the_failure_before_it(
    monkeypatch: pytest.MonkeyPatch, first: Exception | int, reason: str, outcome: Outcome
) -> None:
    """No attempt is made that could only time out, and no other target is blamed for it."""
    service = {"timeout": {"total": "2s"}, "retries": {"attempts": 2, "backoff": "100ms", "budget": 1.0}}
    service["ejection"] = {"consecutive_errors": 1}
    run = Run(monkeypatch, first, service=service)
    slept = 0.0

    async def oversleep(_seconds: float) -> None:
        nonlocal slept
        slept += 10.0

    monkeypatch.setattr("authproxy.forwarder.asyncio.sleep", oversleep)
    monkeypatch.setattr("authproxy.forwarder.monotonic", lambda: monotonic() + slept)
    answer = await run()

    assert slept
    assert (answer.status, run.reason) == (502, reason)
    assert run.finished[0].outcome is outcome
    assert len(run.transport.requests) == 1
    assert sum(target.is_ejected for target in run.state.targets.values()) == 1
    assert [target.in_flight for target in run.state.targets.values()] == [0, 0, 0]
