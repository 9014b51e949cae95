"""The pipeline without sockets: order of steps, refusals, and that it always finishes once."""

import asyncio
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import pytest

from authproxy.exchange import SCOPE_REQUEST_ID, ASGIApp, Exchange, ResponseAborted
from authproxy.forwarded import ForwardingFields
from authproxy.pipeline import Pipeline
from authproxy.rejections import Code, Rejection
from authproxy.steps import RoutePlan
from resilience.clock import wall_clock
from resilience.outcomes import Outcome
from routing.snapshot import CompiledRoute
from tests.support.asgi import Recorder, body_message, http_scope, playback
from tests.support.callers import gatekeeper, planner
from tests.support.gateway import builtin, document, route
from tests.support.snapshots import snapshot_of

Prepare = Any


class Run:
    """One request through a pipeline whose only route has the given plan."""

    def __init__(self, prepare: Prepare = None) -> None:
        self.gatekeeper = gatekeeper()
        self.finished: list[Exchange] = []
        self.send = Recorder()
        raw = document(route(respond={"status": 200, "body": "ok"}))
        self.snapshot = snapshot_of(raw, prepare_route=prepare or planner())
        self.pipeline = self.piped(builtin)

    def piped(self, endpoint: ASGIApp) -> Pipeline:
        return Pipeline(
            snapshot=lambda: self.snapshot,
            builtin=endpoint,
            recognise=self.gatekeeper.recognise,
            forwarding=ForwardingFields(),
            on_finish=(self.finished.append,),
        )

    async def __call__(self, path: str = "/x") -> Recorder:
        await self.pipeline(http_scope(path=path), playback(), self.send)
        return self.send


def planned(*admission: Any, destination: Any) -> Prepare:
    def prepare(_route: CompiledRoute) -> RoutePlan:
        return RoutePlan(admission=admission, callers_admission=admission, destination=destination)

    return prepare


async def test_a_route_answers() -> None:
    """The plan's destination answers, and the exchange is finished once."""
    run = Run()
    answer = await run()

    assert (answer.status, answer.body) == (200, b"ok")
    assert [exchange.status for exchange in run.finished] == [200]


async def test_steps_run_in_order_and_the_first_refusal_ends() -> None:
    """What stands behind a refusal never runs."""
    ran: list[str] = []

    async def passing(_exchange: Exchange) -> None:
        ran.append("passing")

    async def refusing(_exchange: Exchange) -> Rejection:
        ran.append("refusing")
        return Rejection(Code.FORBIDDEN, "No.")

    async def unreachable(_exchange: Exchange) -> None:
        ran.append("unreachable")

    run = Run(planned(passing, refusing, unreachable, destination=unreachable))
    answer = await run()

    assert ran == ["passing", "refusing"]
    assert answer.status == 403
    assert len(run.finished) == 1


async def test_a_bug_is_a_500_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets the envelope; the log gets the exception and the request's id."""

    async def broken(_exchange: Exchange) -> None:
        raise ValueError("secret detail")

    run = Run(planned(destination=broken))
    answer = await run()

    assert answer.status == 500
    assert orjson.loads(answer.body)["error"]["code"] == "INTERNAL_ERROR"
    assert b"secret detail" not in answer.body
    assert "secret detail" in caplog.text
    assert run.finished[0].outcome is Outcome.GATEWAY_BUG


async def test_a_bug_after_the_answers_start_cuts_the_connection() -> None:
    """Nothing is appended to an answer that has begun."""

    async def broken(exchange: Exchange) -> None:
        exchange.status = 200
        raise ValueError("late")

    run = Run(planned(destination=broken))

    with pytest.raises(ResponseAborted):
        await run()
    assert run.send.messages == []
    assert len(run.finished) == 1


async def test_a_cancelled_request_is_the_clients_departure() -> None:
    """The server cancels when the client has gone: recorded as 499, and the cancellation goes on."""

    async def waiting(_exchange: Exchange) -> None:
        await asyncio.Future()

    run = Run(planned(destination=waiting))
    task = asyncio.ensure_future(run())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(exchange.status, exchange.outcome) for exchange in run.finished] == [(499, Outcome.CLIENT_GONE)]


class Reading:
    """A built-in endpoint that reads the whole body first, as Django does; `early` answers before."""

    def __init__(self, *, early: bool = False) -> None:
        self.early = early
        self.taken = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.early:
            await builtin(scope, receive, send)
        more = True
        while more:
            message = await receive()
            self.taken += len(message["body"])
            more = message["more_body"]
        await builtin(scope, receive, send)


async def post(endpoint: Reading, length: bytes, *pieces: bytes) -> Recorder:
    """A body of declared length, or of `pieces` in chunks, for /admin/."""
    run = Run()
    pipeline = Pipeline(
        snapshot=lambda: run.snapshot,
        builtin=endpoint,
        forwarding=ForwardingFields(),
        recognise=gatekeeper().recognise,
    )
    framing = (b"content-length", length) if length else (b"transfer-encoding", b"chunked")
    scope = http_scope("POST", "/admin/", headers=[(b"host", b"h"), framing])
    messages = [body_message(piece, more=True) for piece in pieces]
    await pipeline(scope, playback(*messages, body_message()), run.send)
    return run.send


async def test_built_in_endpoints_take_no_body_without_end() -> None:
    """They put it on the disk before they know who sent it: refused by its length, or while it comes."""
    million = b"x" * 1_000_000
    declared, streamed, fitting = Reading(), Reading(), Reading()

    assert (await post(declared, b"11000000", million)).status == 413
    assert (await post(streamed, b"", *[million] * 20)).status == 413
    assert (await post(fitting, b"", *[million] * 10)).status == 200
    assert (declared.taken, streamed.taken, fitting.taken) == (0, 10 * len(million), 10 * len(million))


async def test_a_body_without_end_cuts_an_answer_that_has_begun() -> None:
    """There is no other way left to say no."""
    with pytest.raises(ResponseAborted):
        await post(Reading(early=True), b"", *[b"x" * 1_000_000] * 20)


async def test_built_in_endpoints_are_handed_on() -> None:
    """The reserved paths go to the other application."""
    assert (await Run()("/admin/x")).body == b"builtin"


async def test_answers_of_built_in_endpoints_are_dated() -> None:
    """An origin server says a Date (RFC 9110 section 6.6.1): Django writes none; one that is there stays."""

    async def dated(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Date", b"then")]})
        await send({"type": "http.response.body", "body": b""})

    async def dates(endpoint: Any) -> list[bytes]:
        run = Run()
        run.pipeline = run.piped(endpoint)
        headers = (await run("/admin/x")).headers
        return [value for name, value in headers if name.lower() == b"date"]

    before, (ours,), after = wall_clock() // 1, await dates(builtin), wall_clock()
    assert before <= parsedate_to_datetime(ours.decode()).timestamp() <= after
    assert await dates(dated) == [b"then"]


@pytest.mark.parametrize(
    ("path", "code"),
    [("/a%2Fb", "INVALID_REQUEST"), ("/%00", "INVALID_REQUEST"), ("/%zz", "INVALID_REQUEST")],
)
async def test_bad_paths_are_refused(path: str, code: str) -> None:
    """400, whatever the routes say."""
    answer = await Run()(path)

    assert (answer.status, orjson.loads(answer.body)["error"]["code"]) == (400, code)


async def test_built_in_endpoints_are_told_the_path_that_was_judged() -> None:
    """Dot segments, doubled slashes and escapes cannot lead around the decision; the request's id goes along."""
    scopes: list[Any] = []

    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await builtin(scope, receive, send)

    run = Run()
    run.pipeline = Pipeline(
        snapshot=lambda: run.snapshot,
        builtin=endpoint,
        forwarding=ForwardingFields(),
        recognise=gatekeeper().recognise,
    )
    for path in ("/health/../admin/%C3%A9", "//admin/%C3%A9", "/%61dmin/%C3%A9"):
        await run(path)

    assert [scope["path"] for scope in scopes] == ["/admin/é"] * 3
    assert all(len(scope[SCOPE_REQUEST_ID]) == 32 for scope in scopes)
