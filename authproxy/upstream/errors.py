"""P: What can go wrong with an upstream, as httpx exceptions, and the one table that turns them into outcomes.

    httpx.TransportError
     +- ConnectError ······ NameResolutionFailed, TlsFailed
     +- ConnectTimeout, PoolTimeout, WriteTimeout
     +- ReadTimeout ······· BodyTimeout            (the answer's body stopped coming)
     +- TimeoutException ·· DeadlineExceeded       (no head of the answer by the request's deadline)
     +- ReadError ········· ConnectionLost         (closed or reset before the answer's head was complete)
     +- RemoteProtocolError
     |   +- StaleConnection                        (a kept-alive connection ended before any byte of the answer)
     |   +- BodyBroken                             (closed, reset or garbage inside the answer's body)
     +- WriteError ········ RequestBodyFailed      (the caller's body stream raised; see __cause__)
     +- LocalProtocolError                         (a request that must not be sent)

Each that the transport raises has a `progress`: how far the request had come.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import httpx

from resilience.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a failed request had come. Whether it may be repeated is decided by its outcome (`resilience.retry`)."""

    reused: bool
    """It went out on a connection that had served a request before."""
    wrote: bool
    """At least one byte may have reached the upstream."""
    response_started: bool
    """At least one byte of the answer has come back."""


NOTHING_SENT: Final = Progress(reused=False, wrote=False, response_started=False)


class StaleConnection(httpx.RemoteProtocolError):
    """A reused keep-alive connection ended before any byte of the answer: the classic race (RFC 9112 9.3.1)."""


class NameResolutionFailed(httpx.ConnectError):
    """The target's host name has no address."""


class TlsFailed(httpx.ConnectError):
    """The TLS handshake with the upstream failed: certificate, name, protocol version, or it hung up."""


class DeadlineExceeded(httpx.TimeoutException):
    """The answer's head had not arrived by the request's deadline."""


class ConnectionLost(httpx.ReadError):
    """The upstream closed or reset the connection before its answer's head was complete."""


class BodyTimeout(httpx.ReadTimeout):
    """The answer's body paused for longer than the read timeout."""


class BodyBroken(httpx.RemoteProtocolError):
    """The answer's body ended early or turned to garbage; what was read of it is not the whole."""


class RequestBodyFailed(httpx.WriteError):
    """The stream that the caller gave as request body raised; the cause is its exception."""


_Failure = TypeVar("_Failure", bound=httpx.TransportError)


def with_progress(failure: _Failure, progress: Progress) -> _Failure:
    """`failure`, telling how far the request had come."""
    failure.progress = progress  # type: ignore[attr-defined]
    return failure


def progress_of(failure: BaseException) -> Progress:
    """How far the request had come when `failure` ended it."""
    progress = getattr(failure, "progress", NOTHING_SENT)
    assert isinstance(progress, Progress)
    return progress


_OUTCOMES: Final[tuple[tuple[type[Exception], Outcome], ...]] = (
    (StaleConnection, Outcome.STALE),
    (NameResolutionFailed, Outcome.DNS_ERROR),
    (TlsFailed, Outcome.TLS_ERROR),
    (DeadlineExceeded, Outcome.TOTAL_TIMEOUT),
    (BodyTimeout, Outcome.BODY_TIMEOUT),
    (BodyBroken, Outcome.BODY_BROKEN),
    (RequestBodyFailed, Outcome.CLIENT_BODY),
    (httpx.ConnectTimeout, Outcome.CONNECT_TIMEOUT),
    (httpx.ConnectError, Outcome.CONNECT_REFUSED),
    (httpx.PoolTimeout, Outcome.POOL_TIMEOUT),
    (httpx.WriteTimeout, Outcome.WRITE_TIMEOUT),
    (httpx.ReadTimeout, Outcome.READ_TIMEOUT),
    (httpx.RemoteProtocolError, Outcome.PROTOCOL_ERROR),
    (httpx.LocalProtocolError, Outcome.GATEWAY_BUG),
    (httpx.NetworkError, Outcome.RESET),
)
"""Most specific first."""


def outcome_of(failure: Exception) -> Outcome:
    """How an attempt that raised `failure` ended; GATEWAY_BUG for what no transport raises."""
    for kind, outcome in _OUTCOMES:
        if isinstance(failure, kind):
            return outcome
    return Outcome.GATEWAY_BUG


def body_outcome_of(failure: Exception) -> Outcome:
    """The same, for a failure while the answer's body was being read: the answer has begun, so it is broken, unless
    it was the client's body that failed meanwhile."""
    outcome = outcome_of(failure)
    return outcome if outcome in (Outcome.BODY_TIMEOUT, Outcome.CLIENT_BODY) else Outcome.BODY_BROKEN
