"""Counts of a sliding window: nothing older than it, nearly all that is younger, in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.window import BUCKETS, Window

LENGTH_S = 10.0
WIDTH_S = LENGTH_S / BUCKETS
EVENTS = st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans()), max_size=200)


def totals(window: Window, now: float) -> tuple[int, int]:
    count = window.total(now)
    return count.requests, count.failures


def test_empty_window_counts_nothing() -> None:
    """At any time."""
    assert totals(Window(LENGTH_S), 0.0) == (0, 0)
    assert totals(Window(LENGTH_S), -5.0) == (0, 0)


@pytest.mark.parametrize(("now", "counted"), [(0.0, 1), (9.4, 1), (10.0, 0), (11.0, 0), (1e9, 0)])
def test_what_is_older_than_the_window_leaves(now: float, counted: int) -> None:
    """As a bucket, at most a twentieth too early and never too late."""
    window = Window(LENGTH_S)
    window.note(True, 0.0)
    assert totals(window, now) == (counted, counted)


@given(EVENTS)
def test_counts_lie_between_those_of_the_window_and_nearly_the_window(
    events: list[tuple[float, bool]],
) -> None:
    """Whatever comes when."""
    window, now, seen = Window(LENGTH_S), 100.0, []
    for wait_s, failed in events:
        now += wait_s
        window.note(failed, now)
        seen.append((now, failed))
        requests, failures = totals(window, now)
        for number, which in ((requests, (True, False)), (failures, (True,))):
            at_most = sum(at > now - LENGTH_S and bad in which for at, bad in seen)
            at_least = sum(at > now - LENGTH_S + WIDTH_S and bad in which for at, bad in seen)
            assert at_least <= number <= at_most
        assert len(window._older) <= BUCKETS


@given(EVENTS, st.sets(st.integers(0, 200)))
def test_each_request_is_handed_out_once(events: list[tuple[float, bool]], asked: set[int]) -> None:
    """If it is asked for before it leaves."""
    window, now, told = Window(1e9), 100.0, []
    for number, (wait_s, failed) in enumerate(events):
        now += wait_s
        window.note(failed, now)
        if number in asked:
            told += window.untold(now)
    told += window.untold(now)
    assert sum(count.requests for count in told) == len(events)
    assert sum(count.failures for count in told) == sum(failed for _, failed in events)
    assert window.untold(now) == []
    assert all(count.requests for count in told)


def test_clock_that_goes_back_begins_anew() -> None:
    """What was counted would never leave otherwise."""
    window = Window(LENGTH_S)
    window.note(True, 1000.0)
    window.note(True, 1.0)
    assert totals(window, 1.0) == (1, 1)
    assert totals(window, 12.0) == (0, 0)


def test_another_length_keeps_what_was_counted() -> None:
    """As far as it lies in the new one."""
    window = Window(LENGTH_S)
    window.note(True, 0.0)
    window.note(False, 8.0)
    window.resize(100.0)
    assert totals(window, 50.0) == (2, 1)
    window.resize(45.0)
    assert totals(window, 51.0) == (1, 0)


def test_clear_forgets() -> None:
    """Also what was not handed out."""
    window = Window(LENGTH_S)
    window.note(True, 0.0)
    window.note(True, 5.0)
    window.clear()
    assert totals(window, 5.0) == (0, 0)
    assert window.untold(5.0) == []
