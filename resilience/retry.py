"""P: May an attempt that failed be repeated? The decision alone; waiting and sending are the forwarder's.

Safe means: not one byte can have reached the upstream, or the request may be sent twice. That a request may be sent
twice is said by its method (RFC 9110 section 9.2.2), by the service's list of methods, or, where there is no list, by
the client's `Idempotency-Key`. A POST of which neither says so is never sent twice once it may have arrived.

What is safe is repeated as often as the service's policy wants, with full jitter (exponential back-off, each wait
drawn from zero up to it), within the request's deadline and the service's budget. Without a policy only two things
are repeated: what was not sent goes to each other target, and the keep-alive race (RFC 9112 section 9.3.1) is run
once more on a fresh connection. `now` and `deadline` are the monotonic clock's.
"""

from collections.abc import Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final, NamedTuple

from resilience.budget import RetryBudget
from resilience.outcomes import Outcome
from resilience.policies import RetryCause, RetryPolicy

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2."""
LONGEST_BACKOFF_S: Final = 5.0
"""Doubling ends here. What an upstream asks for in Retry-After may be longer."""
_MOST_DOUBLINGS: Final = 30
_MOST_DIGITS: Final = 9


class Verdict(Enum):
    STOP = "stop"
    OTHER_TARGET = "other_target"
    FRESH_CONNECTION = "fresh_connection"


class Again(NamedTuple):
    """Repeat it after a pause."""

    verdict: Verdict
    wait_s: float


class Stop(Enum):
    """Why it is not repeated."""

    BODY_GONE = "body_gone"
    NOT_LISTED = "not_listed"
    UNSAFE = "unsafe"
    ATTEMPTS = "attempts"
    DEADLINE = "deadline"
    BUDGET = "budget"


class Ending(NamedTuple):
    """How an attempt ended. With an answer, `outcome` is OK or UPSTREAM_ERROR and `status` is its status."""

    outcome: Outcome
    status: int = 0
    retry_after_s: float = 0.0
    fresh: bool = False
    """It used a connection that was opened for it, so a stale one cannot be the cause."""


class Repeatable(NamedTuple):
    """What repeating the request would mean."""

    method: str
    replayable: bool
    """The whole request body is in memory, or none of it has been taken from the client yet."""
    keyed: bool = False
    """It has an `Idempotency-Key`: the client says that the service knows a repetition."""


_UNREACHED: Final = frozenset(
    {Outcome.DNS_ERROR, Outcome.CONNECT_REFUSED, Outcome.CONNECT_TIMEOUT, Outcome.TLS_ERROR}
)
_CAUSES: Final = {
    **dict.fromkeys(_UNREACHED, RetryCause.CONNECT),
    Outcome.STALE: RetryCause.RESET,
    Outcome.RESET: RetryCause.RESET,
    Outcome.WRITE_TIMEOUT: RetryCause.TIMEOUT,
    Outcome.READ_TIMEOUT: RetryCause.TIMEOUT,
}
"""Not POOL_TIMEOUT, which is the gateway's own crowd, nor TOTAL_TIMEOUT, after which there is no time left."""
_ANSWERED: Final = frozenset({Outcome.OK, Outcome.UPSTREAM_ERROR})
_ELSEWHERE_AT_ONCE: Final = Again(Verdict.OTHER_TARGET, 0.0)
_FRESH_AT_ONCE: Final = Again(Verdict.FRESH_CONNECTION, 0.0)


def consider(
    policy: RetryPolicy | None,
    ending: Ending,
    request: Repeatable,
    *,
    retries: int,
    budget: RetryBudget | None,
    now: float,
    deadline: float,
    roll: float,
) -> Again | Stop:
    """What to do after an attempt. `retries`: how many went elsewhere so far; the keep-alive race does not count.

    `roll` is drawn evenly from [0, 1), anew each time. A retry that is granted has been taken from the budget, unless
    nothing was sent: what never arrives is no load.
    """
    if not request.replayable:
        return Stop.BODY_GONE
    if now >= deadline:
        return Stop.DEADLINE
    unsent = ending.outcome in _UNREACHED
    if not (unsent or may_be_sent_twice(policy, request)):
        return Stop.UNSAFE
    if ending.outcome is Outcome.STALE and not ending.fresh:
        return _FRESH_AT_ONCE
    if policy is None:
        return _ELSEWHERE_AT_ONCE if unsent else Stop.NOT_LISTED
    if not is_listed(policy, ending):
        return Stop.NOT_LISTED
    if retries >= policy.attempts:
        return Stop.ATTEMPTS
    wait_s = max(backoff_s(policy, retries, roll), ending.retry_after_s)
    if now + wait_s >= deadline:
        return Stop.DEADLINE
    if not (unsent or budget is None or budget.take(now)):
        return Stop.BUDGET
    return Again(Verdict.OTHER_TARGET, wait_s)


def may_be_sent_twice(policy: RetryPolicy | None, request: Repeatable) -> bool:
    """Also if it has arrived. Where the service lists methods, the list alone decides."""
    if policy is not None and policy.methods is not None:
        return request.method in policy.methods
    return request.method in IDEMPOTENT or request.keyed


def is_listed(policy: RetryPolicy, ending: Ending) -> bool:
    """Does the service want an attempt repeated that ended so?"""
    if ending.outcome in _ANSWERED:
        return ending.status in policy.statuses
    return _CAUSES.get(ending.outcome) in policy.causes


def backoff_s(policy: RetryPolicy, retries: int, roll: float) -> float:
    """Full jitter: anything up to the policy's pause, which doubles each time; `roll` says where in between."""
    doublings = min(retries, _MOST_DOUBLINGS)
    return roll * min(policy.backoff_s * (1 << doublings), max(policy.backoff_s, LONGEST_BACKOFF_S))


def is_keyed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Does the request have an `Idempotency-Key`? Names are lower-case."""
    return any(name == b"idempotency-key" and value.strip() for name, value in headers)


def retry_after_s(value: bytes, wall_now: float) -> float:
    """The pause that a Retry-After field asks for (RFC 9110 section 10.2.3): seconds or a date; 0.0 for nonsense.

    `wall_now` is in epoch seconds.
    """
    text = value.strip()
    if text.isdigit():
        return float(text[:_MOST_DIGITS])
    try:
        moment = parsedate_to_datetime(text.decode("latin-1"))
        epoch = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, epoch - wall_now)


def decide(outcome: Outcome, *, method: str, replayable: bool, fresh: bool) -> Verdict:
    """`consider` without a policy, a deadline or a key."""
    if not replayable:
        return Verdict.STOP
    if outcome in _UNREACHED:
        return Verdict.OTHER_TARGET
    if outcome is Outcome.STALE and not fresh and method in IDEMPOTENT:
        return Verdict.FRESH_CONNECTION
    return Verdict.STOP
