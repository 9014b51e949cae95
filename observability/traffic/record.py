"""P: What is kept of a request that somebody wants to look at later: few of them, unless traces are exported.

It holds nothing of the connection that the request came on, nor of the request's way through the gateway.
"""

from typing import NamedTuple

from authproxy.exchange import Exchange
from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Rejection
from resilience.outcomes import Outcome
from routing.snapshot import CompiledRoute


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


def record_of(exchange: Exchange) -> Record:
    """Of a request that is over."""
    scope = exchange.scope
    return Record(
        ended=exchange.ended,
        started=exchange.started,
        admitted=exchange.admitted,
        forwarded=exchange.forwarded,
        connecting_s=exchange.connecting_s,
        answered=exchange.answered,
        method=exchange.method,
        raw_path=scope["raw_path"],
        query=scope["query_string"],
        head=exchange.head,
        route=getattr(exchange, "route", None),
        service=exchange.service,
        target=exchange.target,
        status=exchange.status,
        outcome=exchange.outcome,
        refusal=exchange.refusal,
        identity=exchange.identity,
        auth_failure=exchange.auth_failure,
        origin=getattr(exchange, "origin", None),
        request_id=exchange.request_id,
        traceparent=exchange.traceparent,
        sent=exchange.sent,
        attempts=exchange.attempts,
        failures=exchange.failures,
        cache=exchange.cache,
        would=exchange.would,
        revision=exchange.snapshot.revision,
    )
