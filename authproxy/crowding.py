"""I: How many requests of a route are on their way at a time: a destination that lets in as many as may be.

A place is held until the answer has been handed on, and given back exactly once, whatever happened. An adaptive limit
is told how long the answer's head took; the client's own pace is nobody's slowness.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from authproxy import problems
from authproxy.exchange import Exchange, Message, Send
from authproxy.rejections import Rejection
from resilience.clock import monotonic
from resilience.concurrency import ConcurrencyLimit
from resilience.outcomes import Outcome
from resilience.policies import ConcurrencyPolicy
from resilience.waiting import wait

Destination = Callable[[Exchange], Awaitable[Rejection | None]]
POLICY: Final = "limits"
LONGEST_WAIT_S: Final = 2.0
"""For a place. Who waits longer has mostly given up."""
_DROPPED: Final = frozenset(
    {
        Outcome.CONNECT_TIMEOUT,
        Outcome.POOL_TIMEOUT,
        Outcome.WRITE_TIMEOUT,
        Outcome.READ_TIMEOUT,
        Outcome.TOTAL_TIMEOUT,
    }
)
_TURNED_AWAY: Final = frozenset({503, 504})


def bounded(
    destination: Destination,
    limit: ConcurrencyLimit,
    policy: ConcurrencyPolicy,
    *,
    patience_s: float = LONGEST_WAIT_S,
) -> Destination:
    """`destination`, for as many requests at a time as `policy` allows.

    `limit` counts across snapshots; it follows the policy of the snapshot that a request came on.
    """
    inner = _watched(destination, limit) if policy.adaptive else destination

    async def enter(exchange: Exchange) -> Rejection | None:
        if limit.policy is not policy:
            limit.adopt(policy)
        if not limit.enter() and not await wait(limit, patience_s):
            exchange.outcome = Outcome.OVERLOADED
            return problems.overloaded(route=exchange.route.name, retry_after_s=limit.retry_after_s)
        try:
            return await inner(exchange)
        finally:
            limit.release()

    return enter if policy.is_enforced else _only_noted(enter, limit)


def _only_noted(enter: Destination, limit: ConcurrencyLimit) -> Destination:
    """Notes of whom there would have been no place for; a queue they might have waited in is not played through."""

    async def note(exchange: Exchange) -> Rejection | None:
        if limit.in_flight >= limit.limit:
            refusal = problems.overloaded(route=exchange.route.name, retry_after_s=limit.retry_after_s)
            exchange.would = (*exchange.would, (POLICY, refusal))
        return await enter(exchange)

    return note


def _watched(destination: Destination, limit: ConcurrencyLimit) -> Destination:
    """Tells `limit` how each request has ended. Nothing is learnt of one that ended without anybody's verdict."""

    async def watch(exchange: Exchange) -> Rejection | None:
        began = monotonic()
        send = exchange.send
        exchange.send = head = _HeadWatch(send)
        try:
            return await destination(exchange)
        finally:
            exchange.send = send
            outcome = exchange.outcome
            dropped = (outcome is not Outcome.OK and outcome in _DROPPED) or exchange.status in _TURNED_AWAY
            if head.sent_at or dropped:
                ended = head.sent_at or monotonic()
                limit.learn(ended - began, dropped=dropped, now=ended)

    return watch


class _HeadWatch:
    """A `send` that notes when the answer began."""

    __slots__ = ("_send", "sent_at")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.sent_at = 0.0

    def __call__(self, message: Message) -> Coroutine[Any, Any, None]:
        if message["type"] == "http.response.start":
            self.sent_at = monotonic()
        return self._send(message)
