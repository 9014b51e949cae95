"""The retry budget: exact over ten seconds, in whole retries, never shut for a quiet service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.budget import FLOOR, RetryBudget


def taken(budget: RetryBudget, now: float, *, tries: int = 1000) -> int:
    return sum(budget.take(now) for _ in range(tries))


@pytest.mark.parametrize(
    ("requests", "share", "retries"),
    [(0, 0.2, FLOOR), (14, 0.2, FLOOR), (20, 0.2, 4), (1000, 0.2, 200), (1000, 0.0, FLOOR), (10, 1.0, 10)],
)
def test_share_of_the_requests_but_never_less_than_the_floor(
    requests: int, share: float, retries: int
) -> None:
    """Rounded down."""
    budget = RetryBudget(share)
    for _ in range(requests):
        budget.count(5.0)

    assert budget.allowed == retries
    assert taken(budget, 5.0) == retries == budget.used


def test_ten_seconds_later_all_is_forgotten() -> None:
    """Requests give no more retries then, and retries are no longer held against anybody."""
    budget = RetryBudget(0.5)
    for _ in range(100):
        budget.count(0.5)

    assert taken(budget, 9.9) == 50
    assert taken(budget, 10.1) == 0, "the requests are forgotten before the retries are"
    assert taken(budget, 19.9) == FLOOR


def test_a_long_silence_costs_no_more_than_a_short_one() -> None:
    """The clock may stand anywhere; it may also stand still or jump back."""
    budget = RetryBudget(0.5)
    budget.count(1e9)
    budget.count(3e9)
    budget.count(2.0)

    assert (budget.allowed, budget.used) == (FLOOR, 0)
    assert taken(budget, 1.0) == FLOOR


def test_new_share_applies_to_what_was_counted() -> None:
    """A publish does not start from nothing."""
    budget = RetryBudget(0.1)
    for _ in range(100):
        budget.count(0.0)
    assert taken(budget, 0.0) == 10
    budget.adopt(0.3)

    assert taken(budget, 0.0) == 20


@given(
    share=st.sampled_from([0.0, 0.05, 0.2, 1.0]),
    events=st.lists(
        st.tuples(st.floats(0, 4), st.integers(0, 40), st.integers(0, 12)), min_size=1, max_size=40
    ),
)
def test_retries_are_a_share_of_the_last_ten_seconds(
    share: float, events: list[tuple[float, int, int]]
) -> None:
    """Compared with a list of everything that happened, by whole seconds."""
    budget, now = RetryBudget(share), 100.0
    requests: list[int] = []
    retries: list[int] = []
    for pause_s, arriving, asking in events:
        now += pause_s
        for _ in range(arriving):
            budget.count(now)
            requests.append(int(now))
        for _ in range(asking):
            recent = sum(second > int(now) - 10 for second in requests)
            used = sum(second > int(now) - 10 for second in retries)
            granted = budget.take(now)
            assert granted == (used < max(FLOOR, recent * round(share * 1000) // 1000))
            retries += [int(now)] * granted
