"""How long failures make the next attempt wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.attempts import (
    ACCOUNT,
    ADDRESS,
    PAIR,
    REGISTRATION,
    Rule,
    Tally,
    after_failure,
    folded,
    network_of,
)

RULE = Rule(allowed=3, first_wait_s=10, longest_wait_s=60, forgiven_every_s=100)


def test_waits_grow_and_have_a_cap() -> None:
    """None before the allowed number, then ten seconds, doubled by each failure, at most a minute."""
    tally, waits = Tally(), []
    for _ in range(7):
        tally = after_failure(tally, RULE, 1000.0)
        waits.append(tally.wait_s(1000.0))

    assert waits == [0, 0, 10, 20, 40, 60, 60]
    assert tally.wait_s(1060.0) == 0


@pytest.mark.parametrize(("later", "failures"), [(99, 6), (100, 5), (350, 3), (500, 1), (1e9, 1), (-50, 6)])
def test_failures_are_forgiven_one_by_one(later: float, failures: int) -> None:
    """One every hundred seconds; a clock that was set back forgives none."""
    tally = Tally(failures=5, last_at=1000.0)

    assert after_failure(tally, RULE, 1000.0 + later).failures == failures


@pytest.mark.parametrize("rule", [ADDRESS, ACCOUNT])
def test_steady_mistyping_makes_nobody_wait(rule: Rule) -> None:
    """A thousand people behind one address, one of whom mistypes every minute."""
    tally = Tally()
    for minute in range(1000):
        tally = after_failure(tally, rule, 60.0 * minute)

        assert tally.locked_until == 0


@pytest.mark.parametrize("rule", [PAIR, ADDRESS, ACCOUNT, REGISTRATION])
def test_steady_guessing_is_slow(rule: Rule) -> None:
    """Whoever guesses whenever it may has, in a week, its allowance and what was forgiven."""
    tally, now, guesses, week = Tally(), 0.0, 0, 7 * 86400.0
    while now < week:
        tally = after_failure(tally, rule, now)
        guesses += 1
        now = max(now + 0.1, tally.locked_until)

    assert guesses <= rule.allowed + 10 + week / min(rule.forgiven_every_s, rule.longest_wait_s)


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=200))
def test_no_wait_is_longer_than_the_cap(gaps: list[float]) -> None:
    """Whatever the attempts' times, and however many there are."""
    tally, now = Tally(), 0.0
    for gap in gaps:
        now += gap
        tally = after_failure(tally, RULE, now)

        assert 0 <= tally.wait_s(now) <= 60.001


def test_names_that_look_alike_are_one() -> None:
    """Case, white space around and compatibility forms make no new name."""
    assert folded(" Ann ") == folded("ann") == folded("\uff21nn")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_subscriber_is_one_address(address: str, network: str) -> None:
    """Whoever has a /64 cannot come from 2^64 addresses; what is no address counts as it is."""
    assert network_of(address) == network
