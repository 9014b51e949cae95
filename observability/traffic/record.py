"""P: What is kept of a request once it is over, and what it is read as.

On the path a plain tuple is appended to a queue, nothing else: no formatting, no clock but the monotonic one. `Record`
is the same tuple with names, made later, off the path.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from authproxy.exchange import Exchange
from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Rejection
from resilience.outcomes import Outcome
from routing.snapshot import CompiledRoute

Raw = tuple[Any, ...]


class Record(NamedTuple):
    """One request. Moments are monotonic seconds of the worker that served it, 0.0 for what did not happen."""

    ended: float
    started: float
    admitted: float
    """Authenticated and within its limits."""
    forwarded: float
    """It had its place and its permit."""
    connecting_s: float
    """Of the time from then on: what opening connections took, those that failed included."""
    answered: float
    """The head of the upstream's answer was there."""
    method: str
    raw_path: bytes
    query: bytes
    head: RequestHead
    route: CompiledRoute | None
    """None where no route was found, and for the gateway's own endpoints."""
    service: str
    target: str
    status: int
    """499 if the client left before its answer; 0 if the gateway was stopped before."""
    outcome: Outcome
    refusal: Rejection | None
    identity: Identity | None
    auth_failure: str
    origin: Origin | None
    """Who the client is behind its proxies; None if the request could not be read so far."""
    request_id: bytes
    traceparent: bytes
    sent: int
    """Bytes of the answer's body."""
    attempts: int
    failures: list[tuple[str, Outcome]] | None
    cache: str
    would: tuple[tuple[str, Rejection], ...]
    revision: int

    @property
    def duration_s(self) -> float:
        return self.ended - self.started

    @property
    def received(self) -> int:
        """Bytes of the request's body, as far as its head announced them."""
        length = self.head.content_length
        return int(length) if length else 0


def raw_of(exchange: Exchange, ended: float) -> Raw:
    """In the order of `Record`'s fields."""
    scope = exchange.scope
    return (
        ended,
        exchange.started,
        exchange.admitted,
        exchange.forwarded,
        exchange.connecting_s,
        exchange.answered,
        exchange.method,
        scope["raw_path"],
        scope["query_string"],
        exchange.head,
        getattr(exchange, "route", None),
        exchange.service,
        exchange.target,
        exchange.status,
        exchange.outcome,
        exchange.refusal,
        exchange.identity,
        exchange.auth_failure,
        getattr(exchange, "origin", None),
        exchange.request_id,
        exchange.traceparent,
        exchange.sent,
        exchange.attempts,
        exchange.failures,
        exchange.cache,
        exchange.would,
        exchange.snapshot.revision,
    )


record_of: Final[Callable[[Raw], Record]] = Record._make
