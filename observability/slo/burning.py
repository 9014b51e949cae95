"""P: Error budgets of routes, and whether they burn too fast (Google's SRE workbook, chapter 5, "multiwindow,
multi-burn-rate alerts").

A burn rate of 1 uses the budget up in exactly the objective's window. An alert needs the rate in a long window, so that
it matters, and in a short one, so that it ends soon after the trouble does.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

MINUTE: Final = 60
LEAST_BAD: Final = 3
"""Bad requests in the long window below which nobody is woken: one of three at night is no incident."""
_NEARLY: Final = 1 - 1e-9
"""Shares are not exact: 1 of 1000 is 0.1 %."""
PAGE, TICKET = "page", "ticket"


class Counted(Protocol):
    """What is counted of a route in a span of time; `observability.rollups.figures.Figures` is one."""

    @property
    def valid(self) -> int:
        """Requests, but for those whose client left."""

    @property
    def errors(self) -> int:
        """Those that the gateway or the service failed."""

    def within(self, seconds: float) -> int:
        """Those that took no longer."""


class Counts(Protocol):
    """Asks for the counts of some routes from `start` until before `end`, epoch seconds, whole minutes."""

    def __call__(self, routes: Sequence[str], start: int, end: int) -> Mapping[str, Counted]: ...


class Objective(NamedTuple):
    """What a route promises over `window_s`."""

    route: str
    name: str
    """`availability` or `latency`."""
    target: float
    """Share of good requests, above 0 and below 1."""
    window_s: int
    under_s: float | None = None
    """Of latency: what takes no longer is good."""

    def bad(self, counted: Counted) -> int:
        """How many requests were not as promised."""
        if self.under_s is None:
            return counted.errors
        return max(0, counted.valid - counted.within(self.under_s))


class Rule(NamedTuple):
    """For an objective of 30 days; windows of others are in proportion."""

    severity: str
    factor: float
    share: float
    """Of the objective's window, that the long window is; the short one is a twelfth of it."""

    def windows(self, window_s: int) -> tuple[int, int]:
        """Long and short, in whole minutes."""
        long_s = max(5 * MINUTE, _minutes(window_s * self.share))
        return long_s, max(MINUTE, _minutes(long_s / 12))


RULES: Final = (
    Rule(PAGE, 14.4, 1 / 720),  # 2 % of the budget in an hour
    Rule(PAGE, 6.0, 1 / 120),  # 5 % in six hours
    Rule(TICKET, 1.0, 1 / 10),  # 10 % in three days
)


class Burn(NamedTuple):
    """A rule that holds."""

    objective: Objective
    rule: Rule
    rate: float
    """In the long window."""
    long_s: int
    bad: int
    total: int


class Budget(NamedTuple):
    """How an objective stands over its window."""

    objective: Objective
    total: int
    bad: int

    @property
    def reached(self) -> float | None:
        """The share that was good; None without a request."""
        return None if not self.total else 1 - self.bad / self.total

    @property
    def allowed(self) -> float:
        """How many bad ones so many requests may have."""
        return self.total * (1 - self.objective.target)

    @property
    def left(self) -> float:
        """Of the budget: 1 untouched, 0 used up, below 0 overdrawn."""
        return 1.0 if not self.total else 1 - self.bad / self.allowed


def burn_rate(bad: int, total: int, target: float) -> float:
    """How many times faster than allowed the budget goes; 0 without a request."""
    return 0.0 if not total else bad / total / (1 - target)


def budgets(objectives: Sequence[Objective], counts: Counts, now: float) -> list[Budget]:
    """Of each objective, over its own window, in their order."""
    end = _down(now)
    found: dict[int, Mapping[str, Counted]] = {}
    for window_s in {each.window_s for each in objectives}:
        routes = sorted({each.route for each in objectives if each.window_s == window_s})
        found[window_s] = counts(routes, end - window_s, end)
    return [_budget(each, found[each.window_s].get(each.route)) for each in objectives]


def burning(objectives: Sequence[Objective], counts: Counts, now: float) -> list[Burn]:
    """The rules that hold now: of each objective at most one of each severity, the fastest."""
    end = _down(now)
    kept: dict[tuple[str, int], Counted | None] = {}
    wanted: dict[int, set[str]] = {}
    for objective in objectives:
        for rule in RULES:
            for length in rule.windows(objective.window_s):
                wanted.setdefault(length, set()).add(objective.route)
    for length, routes in wanted.items():
        counted = counts(sorted(routes), end - length, end)
        kept |= {(route, length): counted.get(route) for route in routes}
    found: list[Burn] = []
    for objective in objectives:
        found += _of(objective, kept)
    return found


def _of(objective: Objective, kept: Mapping[tuple[str, int], Counted | None]) -> list[Burn]:
    found: dict[str, Burn] = {}
    for rule in RULES:
        long_s, short_s = rule.windows(objective.window_s)
        long, short = (_budget(objective, kept[objective.route, length]) for length in (long_s, short_s))
        rate = burn_rate(long.bad, long.total, objective.target)
        recent = burn_rate(short.bad, short.total, objective.target)
        is_fast = min(rate, recent) >= rule.factor * _NEARLY
        if is_fast and long.bad >= LEAST_BAD and rule.severity not in found:
            found[rule.severity] = Burn(objective, rule, rate, long_s, long.bad, long.total)
    return list(found.values())


def _budget(objective: Objective, counted: Counted | None) -> Budget:
    if counted is None:
        return Budget(objective, 0, 0)
    return Budget(objective, counted.valid, objective.bad(counted))


def _down(at: float) -> int:
    return int(at // MINUTE) * MINUTE


def _minutes(seconds: float) -> int:
    return -int(-seconds // MINUTE) * MINUTE
