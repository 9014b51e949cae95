"""P: What a check says of a target, and what several in a row say. Times of standings are in epoch seconds.

A target is healthy (True), unhealthy (False), or nothing is known (None): nobody checks it, or not long enough yet.
From anywhere, so many good checks in a row make it healthy, so many bad ones unhealthy; every check is one or the
other, whatever its status.
"""

from typing import Final, NamedTuple

from resilience.policies import HealthPolicy

MOST_BODY: Final = 64 * 1024
"""Of an answer's body; nobody looks further."""
JITTER: Final = 0.1
FIRST_WITHIN_S: Final = 5.0


class Answer(NamedTuple):
    """What a target answered to a check."""

    status: int
    body: bytes
    latency_s: float


class Failure(NamedTuple):
    """Why a target gave no answer."""

    why: str


class Standing(NamedTuple):
    """What is known of a target after its last check."""

    healthy: bool | None = None
    since: float = 0.0
    run: int = 0
    """How many checks in a row ended like the last one."""
    ok: bool = False
    why: str = ""
    """What was wrong with the last one; empty: nothing."""
    status: int = 0
    latency_s: float = 0.0
    at: float = 0.0


UNKNOWN: Final = Standing()


def complaint(policy: HealthPolicy, answer: Answer | Failure) -> str:
    """What is wrong with an answer; empty: nothing."""
    if isinstance(answer, Failure):
        return answer.why or "no answer"
    if answer.status not in policy.expect:
        return f"status {answer.status}"
    if policy.body is not None and policy.body.encode() not in answer.body[:MOST_BODY]:
        return "the body is not as expected"
    if policy.slower_than_s is not None and answer.latency_s > policy.slower_than_s:
        return f"took {answer.latency_s * 1000:.0f} ms"
    return ""


def step(policy: HealthPolicy, standing: Standing, answer: Answer | Failure, now: float) -> Standing:
    """How a target stands after one more check."""
    why = complaint(policy, answer)
    ok = not why
    run = standing.run + 1 if standing.run and standing.ok is ok else 1
    healthy, since = standing.healthy, standing.since
    if ok is not healthy and run >= (policy.healthy_after if ok else policy.unhealthy_after):
        healthy, since = ok, now
    status, latency_s = (answer.status, answer.latency_s) if isinstance(answer, Answer) else (0, 0.0)
    return Standing(healthy, since, run, ok, why, status, latency_s, now)


def first_pause_s(policy: HealthPolicy, chance: float) -> float:
    """Until the first check of a target: soon, and not all at once. `chance` is from 0 to 1."""
    return min(policy.interval_s, FIRST_WITHIN_S) * chance


def pause_s(policy: HealthPolicy, chance: float) -> float:
    """From the beginning of a check to that of the next: the interval, give or take a tenth."""
    return policy.interval_s * (1 + JITTER * (2 * chance - 1))


def patience_s(policy: HealthPolicy) -> float:
    """How long others may say nothing of a target before one checks it oneself."""
    return 3 * policy.interval_s + policy.timeout_s
