"""P: Canaries: a new service's share of a route's requests goes up by schedule, and back to nothing when it fails.

What becomes of one depends on where it stands, on what was counted since its step began, and on the time. A step lasts
`every_s`; then the next one begins, unless too few requests were seen to conclude anything from: then it goes on. A
canary that is worse than allowed goes back at once, also while it is paused, and stays there until somebody says
otherwise.
"""

from dataclasses import dataclass
from typing import Final, Literal

Stage = Literal["running", "paused", "promoted", "rolled_back"]
Word = Literal["pause", "resume", "promote", "roll_back", "restart"]
"""An operator's."""
ALL: Final = 100.0


@dataclass(frozen=True, slots=True)
class CanaryPolicy:
    """What operators ask for."""

    steps: tuple[float, ...] = (5.0, 25.0, 50.0, ALL)
    """Shares in percent, one after the other."""
    every_s: float = 600.0
    max_error_ratio: float = 0.05
    min_requests: int = 50
    """Fewer than these say nothing."""
    max_latency_ratio: float | None = None
    """How much slower than the others it may be, by the 95th percentile; None: it is not looked at."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a canary stands. `since` is wall-clock time in seconds: when its step began."""

    since: float
    step: int = 0
    stage: Stage = "running"
    reason: str = ""
    """Why it is so, for people."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted of one side since the step began. Times are in seconds; None: not known."""

    requests: int = 0
    failures: int = 0
    p95_s: float | None = None


def percent(policy: CanaryPolicy, standing: Standing) -> float:
    """The canary's share of the requests, 0 up to 100."""
    if standing.stage == "promoted":
        return ALL
    if standing.stage == "rolled_back" or not policy.steps:
        return 0.0
    return policy.steps[min(standing.step, len(policy.steps) - 1)]


def decide(
    policy: CanaryPolicy, standing: Standing, now: float, canary: Seen, others: Seen
) -> Standing | None:
    """Where it stands from now on; None: where it stood."""
    if standing.stage not in ("running", "paused") or canary.requests < max(1, policy.min_requests):
        return None
    if why := _too_bad(policy, canary, others):
        return Standing(now, standing.step, "rolled_back", why)
    if standing.stage == "paused" or now - standing.since < policy.every_s:
        return None
    if standing.step + 1 < len(policy.steps):
        return Standing(now, standing.step + 1, "running", "the step went well")
    if percent(policy, standing) >= ALL:
        return Standing(now, standing.step, "promoted", "every step went well")
    return None


def obey(
    policy: CanaryPolicy, standing: Standing, word: Word, now: float, reason: str = ""
) -> Standing | None:
    """Where an operator's word puts it; None: it means nothing there."""
    match word, standing.stage:
        case "pause", "running":
            return Standing(now, standing.step, "paused", reason)
        case "resume", "paused":
            return Standing(now, standing.step, "running", reason)
        case "promote", "running" | "paused" | "rolled_back":
            return Standing(now, max(0, len(policy.steps) - 1), "promoted", reason)
        case "roll_back", "running" | "paused" | "promoted":
            return Standing(now, standing.step, "rolled_back", reason)
        case "restart", _:
            return Standing(now, 0, "running", reason)
    return None


def _too_bad(policy: CanaryPolicy, canary: Seen, others: Seen) -> str:
    """Why it has to go back; "" if it has not. Nothing is compared with too few requests of the others."""
    ratio = canary.failures / canary.requests
    if ratio > policy.max_error_ratio:
        return f"{ratio:.1%} of {canary.requests} requests failed, {policy.max_error_ratio:.1%} are allowed"
    allowed = policy.max_latency_ratio
    if allowed is None or others.requests < policy.min_requests:
        return ""
    if canary.p95_s is None or not others.p95_s or canary.p95_s <= allowed * others.p95_s:
        return ""
    slower = canary.p95_s / others.p95_s
    return f"the slowest twentieth takes {slower:.2g} times as long as elsewhere, {allowed:.2g} is allowed"
