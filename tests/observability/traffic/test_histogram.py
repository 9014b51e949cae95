"""Durations in buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.traffic.histogram import (
    FLOOR_S,
    LAST,
    bucket_of,
    buckets_of,
    merge,
    quantile,
    up_to,
    upper_s,
)

SECONDS = st.floats(min_value=0, max_value=200)


def counted(durations: list[float]) -> dict[int, int]:
    buckets: dict[int, int] = {}
    for seconds in durations:
        merge(buckets, {bucket_of(seconds): 1})
    return buckets


@given(SECONDS)
def test_a_bucket_holds_what_it_says(seconds: float) -> None:
    number = bucket_of(seconds)

    assert 0 <= number <= LAST
    assert number == LAST or seconds <= upper_s(number) * 1.000_001
    assert number == 0 or seconds > upper_s(number - 1) * 0.999_999


@given(st.lists(SECONDS))
def test_many_at_once_are_what_they_are_one_by_one(durations: list[float]) -> None:
    assert buckets_of(durations) == counted(durations)


@pytest.mark.parametrize("doublings", range(17))
def test_powers_of_two_milliseconds_are_bounds(doublings: int) -> None:
    seconds = 0.001 * 2**doublings

    assert upper_s(bucket_of(seconds)) == pytest.approx(seconds)
    assert bucket_of(seconds) < bucket_of(seconds * 1.001)


@given(st.lists(st.floats(min_value=FLOOR_S, max_value=100), min_size=1), st.floats(min_value=0, max_value=1))
def test_quantiles_are_right_to_five_percent(durations: list[float], share: float) -> None:
    ordered = sorted(durations)
    wanted = share * len(ordered)
    exact = next(each for seen, each in enumerate(ordered, 1) if seen >= wanted)

    assert quantile(counted(durations), share) == pytest.approx(exact, rel=0.05)


@given(st.lists(SECONDS), st.lists(SECONDS))
def test_merging_is_counting_both(some: list[float], others: list[float]) -> None:
    merged = counted(some)
    merge(merged, counted(others))

    assert merged == counted(some + others)


@given(st.lists(SECONDS), st.integers(min_value=0, max_value=16))
def test_how_many_were_not_longer(durations: list[float], doublings: int) -> None:
    bound = 0.001 * 2**doublings

    assert up_to(counted(durations), bound) == sum(each <= bound for each in durations)


def test_of_nothing() -> None:
    assert quantile({}, 0.5) == 0.0
    assert up_to({}, 1.0) == 0
