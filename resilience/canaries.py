"""P: The canaries of one worker: which share each has now, and what was counted of both sides since its step began.

They outlive configurations. Where workers share a database, a canary has no share until its row was read; else each
worker decides for itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import frexp, ldexp
from typing import Final

from resilience.canary import CanaryPolicy, Seen, Standing, decide, percent

BUCKETS: Final = 96
"""Of durations: four to each doubling, from 15 microseconds to four minutes."""
_SLOWEST: Final = 0.95
_OFFSET: Final = 16


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of one side. `times` is a histogram."""

    requests: int = 0
    failures: int = 0
    times: tuple[int, ...] = (0,) * BUCKETS

    def plus(self, other: "Counts", sign: int = 1) -> "Counts":
        """Both together; with -1, what this one has more."""
        times = tuple(mine + sign * others for mine, others in zip(self.times, other.times, strict=True))
        return Counts(
            max(0, self.requests + sign * other.requests),
            max(0, self.failures + sign * other.failures),
            times,
        )

    def seen(self) -> Seen:
        """What decisions are made of."""
        return Seen(self.requests, min(self.failures, self.requests), p95_s(self.times))


NOTHING: Final = Counts()


class Side:
    """Counts that grow. Read by any thread, changed by the event loop alone."""

    __slots__ = ("failures", "requests", "times")

    def __init__(self) -> None:
        self.requests = self.failures = 0
        self.times = [0] * BUCKETS

    def count(self, seconds: float, *, failed: bool) -> None:
        """One request has ended. How soon something fails says nothing of how slow the rest is."""
        self.requests += 1
        if failed:
            self.failures += 1
        else:
            self.times[bucket_of(seconds)] += 1

    def counts(self) -> Counts:
        """Now. Failures are read first: there are never more than requests."""
        failures = self.failures
        return Counts(self.requests, failures, tuple(self.times))


class Tally:
    """Both sides of one step."""

    __slots__ = ("canary", "others")

    def __init__(self) -> None:
        self.canary = Side()
        self.others = Side()


class Live:
    """One route's canary now. `period` counts its steps and orders, over all workers; -1: nothing is known yet."""

    __slots__ = ("percent", "period", "policy", "standing", "tally")

    def __init__(self, policy: CanaryPolicy) -> None:
        self.policy = policy
        self.period = -1
        self.standing: Standing | None = None
        self.percent = 0.0
        self.tally = Tally()

    def stand(self, standing: Standing, period: int) -> None:
        """Where it stands from now on; what was counted before says nothing of that."""
        if period != self.period or standing != self.standing:
            self.standing, self.period = standing, period
            self.percent = percent(self.policy, standing)
            self.tally = Tally()

    def forget(self, policy: CanaryPolicy) -> None:
        """Another canary has begun."""
        self.policy, self.period, self.standing, self.percent = policy, -1, None, 0.0
        self.tally = Tally()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A canary as the configuration has it; `mark` is another for whatever makes it another canary."""

    policy: CanaryPolicy
    service: str
    mark: str


class Canaries:
    """One worker's, by route."""

    def __init__(self) -> None:
        self._live: dict[str, Live] = {}
        self.wanted: Mapping[str, Wanted] = {}
        self.revision = -1

    def get(self, route: str, policy: CanaryPolicy) -> Live:
        """That of a route; the same for the route's next configurations, as long as it has a canary."""
        return self._live.setdefault(route, Live(policy))

    def reconcile(self, wanted: Mapping[str, Wanted], revision: int) -> None:
        """After a swap."""
        for route in self._live.keys() - wanted.keys():
            del self._live[route]
        for route, each in wanted.items():
            before = self.wanted.get(route)
            if before is None or before.mark != each.mark:
                self.get(route, each.policy).forget(each.policy)
        self.wanted, self.revision = wanted, revision

    def stand(self, route: str, mark: str, standing: Standing, period: int) -> None:
        """What all workers agreed on, unless this one knows of another canary."""
        wanted = self.wanted.get(route)
        if wanted is not None and wanted.mark == mark:
            self.get(route, wanted.policy).stand(standing, period)

    def tallies(self) -> dict[str, tuple[int, Tally]]:
        """What is being counted, with its period. May be called from any thread."""
        found = [(route, self._live.get(route)) for route in self.wanted]
        return {route: (live.period, live.tally) for route, live in found if live is not None}

    def decide_alone(self, now: float) -> Iterator[tuple[str, Standing]]:
        """Where nothing is shared: what changes now."""
        for route in self.wanted:
            live = self._live[route]
            if live.standing is None:
                live.stand(Standing(now, reason="it began"), 0)
                continue
            canary, others = live.tally.canary.counts().seen(), live.tally.others.counts().seen()
            found = decide(live.policy, live.standing, now, canary, others)
            if found is not None:
                live.stand(found, live.period + 1)
                yield route, found


def bucket_of(seconds: float) -> int:
    """Where a duration belongs."""
    mantissa, exponent = frexp(seconds)
    return min(max(4 * (exponent + _OFFSET) + int(8 * mantissa) - 4, 0), BUCKETS - 1)


def p95_s(times: tuple[int, ...]) -> float | None:
    """Nineteen of twenty were as quick as this, to a quarter of a doubling; None: there were none."""
    left = _SLOWEST * sum(times)
    if left <= 0:
        return None
    for bucket, number in enumerate(times):
        left -= number
        if left <= 0:
            return _end_of(bucket)
    return _end_of(BUCKETS - 1)


def _end_of(bucket: int) -> float:
    exponent, quarter = divmod(bucket, 4)
    return ldexp((quarter + 5) / 8, exponent - _OFFSET)
