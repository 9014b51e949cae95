"""I: Forwarding: a permit, a target, an attempt, how it ended, and again; then relay the answer as it comes.

    client ──▶ body (bytes | Upload) ──▶ attempt 1..n ──▶ target
    client ◀── chunk by chunk, at the client's pace ◀──── answer

1. a place among the service's requests       5. pick a target that was not tried
2. a permit from its breaker                  6. send through the service's transport
3. take the body as far as it is there        7. judge: an answer, or an outcome
4. build the header fields, once              8. again, after a pause, or relay

What was taken is given back exactly once, and the breaker hears once how the request ended, retries included.
"""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Final

import httpx

from authproxy import bodies, problems
from authproxy.attempt import Delivery, attempt, failure_of, note_failure, request_headers
from authproxy.bodies import EMPTY, Body, BodyRefused, ClientGone, Upload, client_gone
from authproxy.exchange import Exchange, ResponseAborted
from authproxy.handshake import SCOPE_HANDSHAKE, Handshake
from authproxy.rejections import Rejection
from authproxy.relaying import relay
from authproxy.services import ServiceRuntime
from authproxy.upstream import slim
from resilience import deadlines, retry
from resilience.breaker import Refused
from resilience.clock import monotonic, wall_clock
from resilience.guard import Guard
from resilience.outcomes import Outcome
from resilience.retry import Ending, Repeatable, Stop, Verdict
from resilience.waiting import wait

_NONE: Final[Collection[int]] = ()
PATIENCE_S: Final = 10.0
"""How long a request may wait for its turn, where a queue is configured."""
SWITCHED: Final = 101
"""Only a WebSocket handshake is answered so."""
MOST_DISCARDED: Final = 1 << 18
DISCARDING_S: Final = 0.05
"""For reading an answer that nobody wants. HTTP/2 has one window for all: what is left unread is lost to others."""


Result = httpx.Response | Outcome | Rejection


async def forward(exchange: Exchange, service: str) -> Rejection | None:
    """Send the request to `service` and relay its answer; a refusal if no answer was to be had."""
    exchange.service = service
    runtime: ServiceRuntime = exchange.snapshot.services[service].runtime
    limit = runtime.limit
    if limit is None:
        return await _permitted(exchange, runtime)
    if not (limit.enter() or await wait(limit, PATIENCE_S)):
        exchange.outcome = Outcome.OVERLOADED
        return problems.overloaded(retry_after_s=limit.retry_after_s, service=service)
    try:
        return await _permitted(exchange, runtime)
    finally:
        limit.release()


async def _permitted(exchange: Exchange, runtime: ServiceRuntime) -> Rejection | None:
    """With the breaker's permit, which is given back with how the request ended."""
    breaker = runtime.breaker
    if breaker is None:
        return await _delivered(exchange, runtime, None)
    permit = breaker.permit(monotonic())
    if isinstance(permit, Awaitable):
        permit = await permit
    if isinstance(permit, Refused):
        exchange.outcome = Outcome.CIRCUIT_OPEN
        return problems.circuit_open(runtime.state.name, retry_after_s=permit.retry_after_s)
    exchange.permit = permit
    failed: bool | None = None  # nobody's fault, as long as nobody says otherwise
    try:
        refusal = await _delivered(exchange, runtime, breaker)
        failed = failure_of(exchange.outcome)
        return refusal
    except ResponseAborted:
        failed = failure_of(exchange.outcome)
        raise
    finally:
        if exchange.permit is not None:
            breaker.record(permit, failed, monotonic(), exchange.outcome.value if failed else "")


async def _delivered(exchange: Exchange, runtime: ServiceRuntime, breaker: Guard | None) -> Rejection | None:
    state = runtime.state
    state.in_flight += 1
    try:
        body = await _body(exchange) if exchange.head.has_body else EMPTY
        if isinstance(body, Rejection):
            return body
        answer = await _answer(exchange, runtime, body)
        if isinstance(answer, Rejection):
            return answer
        is_switched = answer.status_code == SWITCHED
        if exchange.permit is not None and (is_switched or exchange.permit.is_trial):
            _end_trial(exchange, breaker, failed=answer.status_code >= 500)
        if is_switched:
            handshake: Handshake = exchange.scope[SCOPE_HANDSHAKE]
            return await handshake.hand_on(exchange, answer, state.name)
        return await relay(exchange, answer, state.name)
    finally:
        state.in_flight -= 1
        if exchange.held is not None:
            exchange.held.in_flight -= 1


def _end_trial(exchange: Exchange, breaker: Guard | None, *, failed: bool) -> None:
    """A trial's answer counts when it begins, and so does a connection: it may go on for hours."""
    assert breaker is not None
    assert exchange.permit is not None
    breaker.record(exchange.permit, failed, monotonic(), Outcome.UPSTREAM_ERROR.value if failed else "")
    exchange.permit = None


async def _body(exchange: Exchange) -> Body | Rejection:
    head = exchange.head
    limit = exchange.route.max_body
    try:
        body = await bodies.take(exchange.receive, content_length=head.content_length, limit=limit)
    except ClientGone:
        return client_gone(exchange)
    except BodyRefused as refused:
        body = refused.rejection
    if isinstance(body, Rejection):
        exchange.outcome = Outcome.CLIENT_BODY
    return body


async def _answer(exchange: Exchange, runtime: ServiceRuntime, body: Body) -> httpx.Response | Rejection:
    exchange.forwarded = now = monotonic()
    began = now if exchange.head.has_body else exchange.started
    own_s = exchange.route.timeout_s or runtime.total_timeout_s
    is_hurried = False
    if exchange.head.timeout_ms:
        claimed_s = deadlines.claimed_s(exchange.head.timeout_ms) or own_s
        is_hurried, own_s = claimed_s < own_s, min(claimed_s, own_s)
    if now >= began + own_s:
        return _gave_up(exchange, runtime, Outcome.NO_TIME)
    key = None if runtime.hash_key is None else runtime.hash_key(exchange)
    delivery = Delivery(*request_headers(exchange, body), body, began + own_s, key, is_hurried)
    if runtime.budget is not None:
        runtime.budget.count(now)
    index = runtime.pool.pick(now, _NONE, key)
    if index is None:
        return _gave_up(exchange, runtime, Outcome.NO_TARGET)
    result = await attempt(exchange, runtime, index, delivery, now=now, fresh=False)
    if isinstance(result, httpx.Response) and _is_wanted(runtime, result):
        return result
    return await _repeated(exchange, runtime, _Course(index), delivery, result)


class _Course:
    """Which targets were tried, and how."""

    __slots__ = ("fresh", "index", "retries", "tried")

    def __init__(self, index: int) -> None:
        self.index = index
        self.tried: list[int] = []
        self.retries = 0
        self.fresh = False


async def _repeated(
    exchange: Exchange, runtime: ServiceRuntime, course: _Course, delivery: Delivery, result: Result
) -> httpx.Response | Rejection:
    """After a first attempt that did not end well."""
    while not (isinstance(result, Rejection) or _is_wanted(runtime, result)):
        wait_s = _next(exchange, runtime, course, delivery, result)
        if wait_s is None:
            break
        if isinstance(result, httpx.Response):
            note_failure(exchange, exchange.target, Outcome.UPSTREAM_ERROR)
            await _discard(exchange, result)
            result = Outcome.UPSTREAM_ERROR
        if wait_s:
            await asyncio.sleep(wait_s)
        now, fresh = monotonic(), course.fresh
        if now >= delivery.deadline:
            break  # it woke up late: nothing can be sent any more, and no other target is to blame
        result = await attempt(exchange, runtime, course.index, delivery, now=now, fresh=fresh)
    return _gave_up(exchange, runtime, result) if isinstance(result, Outcome) else result


def _is_wanted(runtime: ServiceRuntime, result: Result) -> bool:
    """An answer, and none that the service has repeated."""
    return isinstance(result, httpx.Response) and (
        runtime.retries is None or result.status_code not in runtime.retries.statuses
    )


def _next(
    exchange: Exchange,
    runtime: ServiceRuntime,
    course: _Course,
    delivery: Delivery,
    result: httpx.Response | Outcome,
) -> float | None:
    """Sets the course for another attempt. The pause before it, in seconds; None: there is none."""
    now = monotonic()
    verdict = retry.consider(
        runtime.retries,
        _ending(result, fresh=course.fresh),
        _repeatable(exchange, delivery.body),
        retries=course.retries,
        budget=runtime.budget,
        now=now,
        deadline=delivery.deadline,
        roll=runtime.roll(),
    )
    if isinstance(verdict, Stop):
        return None
    course.fresh = verdict.verdict is Verdict.FRESH_CONNECTION
    if not course.fresh:
        course.tried.append(course.index)
        course.retries += 1
        index = runtime.pool.pick(now, course.tried, delivery.key)
        if index is None and runtime.retries is not None:  # there is no other target
            index = runtime.pool.pick(now, _NONE, delivery.key)
        if index is None:
            return None
        course.index = index
    return verdict.wait_s


def _ending(result: httpx.Response | Outcome, *, fresh: bool) -> Ending:
    if isinstance(result, Outcome):
        return Ending(result, fresh=fresh)
    wait_s = 0.0
    for name, value in slim.raw_pairs(result):
        if name == b"retry-after":
            wait_s = retry.retry_after_s(value, wall_clock())
    return Ending(Outcome.UPSTREAM_ERROR, result.status_code, wait_s, fresh)


def _repeatable(exchange: Exchange, body: Body) -> Repeatable:
    replayable = not isinstance(body, Upload) or not body.started
    return Repeatable(exchange.method, replayable, retry.is_keyed(exchange.head.passed))


async def _discard(exchange: Exchange, response: httpx.Response) -> None:
    """The answer is not wanted: another one is asked for. A short one is read off, so that its connection goes on."""
    if exchange.held is not None:
        exchange.held.in_flight -= 1
        exchange.held = None
    body = slim.body(response)
    left, done = MOST_DISCARDED, body.released
    try:
        async with asyncio.timeout(DISCARDING_S):
            while not done and left > 0:
                data, done = await body.next()
                left -= len(data)
    except (TimeoutError, httpx.TransportError):
        pass  # it is closed unread
    finally:
        if not body.released:
            await body.aclose()


def _gave_up(exchange: Exchange, runtime: ServiceRuntime, outcome: Outcome) -> Rejection:
    exchange.outcome = outcome
    return problems.from_outcome(outcome, service=runtime.state.name)
