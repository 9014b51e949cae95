"""Burn rates, windows and budgets, by the workbook's own figures."""

from collections.abc import Mapping, Sequence

import pytest

from observability.slo.burning import RULES, Budget, Objective, budgets, burn_rate, burning

DAY = 86400
NOW = 1_800_000_030.0
END = 1_800_000_000
AVAILABILITY = Objective("orders", "availability", 0.999, 30 * DAY)


class Steady:
    """So many bad ones of a thousand, for as long as `since`; and slow ones."""

    def __init__(self, errors: int = 0, slow: int = 0, total: int = 1000) -> None:
        self.errors, self.valid, self._slow = errors, total, slow

    def within(self, _seconds: float) -> int:
        return self.valid - self._slow


def steady(errors: int = 0, slow: int = 0) -> object:
    return lambda routes, _start, _end: {name: Steady(10 * errors, 10 * slow, 10_000) for name in routes}


class Spike:
    """All fails that was asked in the last so many seconds; before that all was well, a request a second."""

    def __init__(self, length_s: int, *, ended_s_ago: int = 0) -> None:
        self.first, self.last = END - ended_s_ago - length_s, END - ended_s_ago

    def __call__(self, routes: Sequence[str], start: int, end: int) -> Mapping[str, Steady]:
        bad = max(0, min(end, self.last) - max(start, self.first))
        return {name: Steady(bad, total=end - start) for name in routes}


def test_windows_of_thirty_days_are_those_of_the_workbook() -> None:
    """Of a week they are in proportion; the smallest are of whole minutes."""
    hour = 3600
    assert [rule.windows(30 * DAY) for rule in RULES] == [
        (hour, 300),
        (6 * hour, 1800),
        (72 * hour, 6 * hour),
    ]
    assert RULES[0].windows(7 * DAY) == (840, 120)
    assert RULES[0].windows(DAY) == (300, 60)


@pytest.mark.parametrize(
    ("errors", "severities"),
    [(0, []), (1, ["ticket"]), (5, ["ticket"]), (6, ["page", "ticket"]), (15, ["page", "ticket"])],
)
def test_a_steady_rate(errors: int, severities: list[str]) -> None:
    """One in a thousand uses the budget up in exactly its window; from six times that on somebody is woken."""
    found = burning([AVAILABILITY], steady(errors), NOW)
    assert [each.rule.severity for each in found] == severities


@pytest.mark.parametrize(
    ("spike", "severities"),
    [
        (Spike(40), []),  # 40 s of an hour is 11 times
        (Spike(60), ["page"]),
        (Spike(60, ended_s_ago=360), []),  # it is over: the short window says so
        (Spike(20 * 60), ["page", "ticket"]),
        (Spike(3600, ended_s_ago=7200), ["ticket"]),
    ],
)
def test_a_spike(spike: Spike, severities: list[str]) -> None:
    """Both windows must say so."""
    assert [each.rule.severity for each in burning([AVAILABILITY], spike, NOW)] == severities


def test_of_a_few_requests_nobody_is_woken() -> None:
    """Two failures of two are no incident; three are one."""
    few = lambda bad: lambda routes, _s, _e: {"orders": Steady(bad, total=bad)}  # noqa: E731
    assert burning([AVAILABILITY], few(2), NOW) == []
    assert len(burning([AVAILABILITY], few(3), NOW)) == 2


def test_latency_counts_what_is_slow() -> None:
    """And the counts are asked once for each window, of all routes together."""
    asked = []

    def ask(routes: Sequence[str], start: int, end: int) -> Mapping[str, Steady]:
        asked.append((tuple(routes), end - start))
        return {name: Steady(slow=200) for name in routes}

    latency = Objective("orders", "latency", 0.99, 30 * DAY, 0.3)
    found = burning([latency, AVAILABILITY, latency._replace(route="cart")], ask, NOW)
    assert {(each.objective.route, each.objective.name) for each in found} == {
        ("orders", "latency"),
        ("cart", "latency"),
    }
    assert found[0].rate == pytest.approx(20)
    assert len(asked) == 5  # six hours are in two rules
    assert all(routes == ("cart", "orders") for routes, _ in asked)


def test_budgets() -> None:
    """What is left; more than all of it may be gone, and nothing is gone of no requests."""
    (half,) = budgets([AVAILABILITY._replace(target=0.99)], steady(5), NOW)
    (over,) = budgets([AVAILABILITY], steady(5), NOW)
    (none,) = budgets([AVAILABILITY], lambda *_: {}, NOW)
    assert (half.left, half.reached) == (pytest.approx(0.5), pytest.approx(0.995))
    assert over.left == pytest.approx(-4)
    assert (none.left, none.reached) == (1.0, None)
    assert none == Budget(AVAILABILITY, 0, 0)
    assert burn_rate(0, 0, 0.9) == 0
