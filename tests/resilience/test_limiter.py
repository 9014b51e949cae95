"""Counting: never more than is allowed, and what callers are told comes true."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience import limiter
from resilience.limiter import DAY_US, SECOND_US, Meter, Meters, State, forgotten_at, meter_of
from resilience.policies import QuotaPolicy

START = 1_700_000_000 * SECOND_US
ALGORITHMS = ("token_bucket", "sliding_window", "fixed_window")


def quota(algorithm: str = "token_bucket", limit: int = 3, per_s: float = 1.0, **more: Any) -> QuotaPolicy:
    return QuotaPolicy("q", limit, per_s, algorithm=algorithm, **more)  # type: ignore[arg-type]


quotas = st.builds(
    quota,
    st.sampled_from(ALGORITHMS),
    st.integers(1, 20),
    st.sampled_from([0.001, 0.3, 1.0, 7.0, 60.0]),
    burst=st.integers(0, 40),
)
gaps = st.lists(st.integers(0, 3_000_000) | st.integers(0, 90_000_000), max_size=60)
moves = st.lists(st.integers(-5_000_000, 3_000_000) | st.integers(-(10**13), 10**9), max_size=60)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_US


def played(meter: Meter, times: list[int]) -> list[int]:
    """When requests were admitted."""
    state: State | None = None
    admitted = []
    for now in times:
        after, _, _, retry = meter.consume(state, now)
        state = after or state
        if not retry:
            admitted.append(now)
    return admitted


def summed(gaps: list[int]) -> list[int]:
    now, times = START, []
    for gap in gaps:
        now += gap
        times.append(now)
    return times


@given(policy=quotas.filter(lambda policy: policy.algorithm == "token_bucket"), gaps=gaps)
def test_token_bucket_never_admits_more_than_its_size_and_rate(policy: QuotaPolicy, gaps: list[int]) -> None:
    """In every interval, however it lies."""
    admitted = played(meter_of(policy), summed(gaps))
    period = round(policy.per_s * SECOND_US)

    for first, began in enumerate(admitted):
        for last in range(first, len(admitted)):
            passed = admitted[last] - began
            assert (last - first + 1) * period <= policy.capacity * period + passed * policy.limit


@given(policy=quotas.filter(lambda policy: policy.algorithm != "token_bucket"), gaps=gaps)
def test_no_window_admits_more_than_the_limit(policy: QuotaPolicy, gaps: list[int]) -> None:
    """Windows begin at whole periods."""
    period = round(policy.per_s * SECOND_US)
    windows = [now // period for now in played(meter_of(policy), summed(gaps))]

    assert all(windows.count(window) <= policy.limit for window in set(windows))


@given(limit=st.integers(1, 20), gaps=gaps)
def test_sliding_window_weighs_what_came_before(limit: int, gaps: list[int]) -> None:
    """Two windows: the one before counts by the share that is still covered."""
    admitted: list[int] = []
    meter = meter_of(quota("sliding_window", limit))
    state: State | None = None
    for now in summed(gaps):
        window = now // SECOND_US
        count = sum(each // SECOND_US == window for each in admitted)
        before = sum(each // SECOND_US == window - 1 for each in admitted)
        fits = before * (SECOND_US - now % SECOND_US) + (count + 1) * SECOND_US <= limit * SECOND_US
        after, *_ = meter.consume(state, now)
        assert (after is not None) == fits
        if after is not None:
            state = after
            admitted.append(now)


@given(policy=quotas, moves=moves)
def test_what_callers_are_told_comes_true(policy: QuotaPolicy, moves: list[int]) -> None:
    """A refused caller is admitted after retry_after and not before, one who is quiet has all at reset, and as many
    as remain are admitted at once; whatever the clock did before."""
    meter = meter_of(policy)
    state: State | None = None
    now = START
    for move in moves:
        now = max(now + move, 10**14)
        after, remaining, reset, retry = meter.consume(state, now)
        state = after or state
        if retry:
            assert meter.consume(state, now + retry)[3] == 0
            assert meter.consume(state, now + retry - 1)[3] == 1
            assert remaining == 0
        assert meter.look(state, now) == (remaining, reset)
        assert meter.look(state, now + reset) == (meter.capacity, 0)
        for left in range(remaining, 0, -1):
            after, remains, _, retry = meter.consume(after or state, now)
            assert (remains, retry) == (left - 1, 0)
        assert meter.consume(after or state, now)[3] > 0


@given(policy=quotas, gaps=gaps, later=st.integers(0, 10**9))
def test_state_that_is_forgotten_says_no_more_than_none(
    policy: QuotaPolicy, gaps: list[int], later: int
) -> None:
    """From `forgotten_at` on it may be dropped."""
    meter = meter_of(policy)
    state: State | None = None
    now = START
    for now in summed(gaps):
        state = meter.consume(state, now)[0] or state
    if state is not None:
        then = max(forgotten_at(state), now) + later
        assert meter.consume(state, then) == meter.consume(None, then)
        assert meter.look(state, then) == (meter.capacity, 0)


@given(policy=quotas, moves=moves)
def test_clock_that_goes_back_admits_no_more(policy: QuotaPolicy, moves: list[int]) -> None:
    """Not more than a clock that went forward by the same steps, and stood still instead, could at most."""
    meter = meter_of(policy)
    now = START
    times = []
    for move in moves:
        now = max(now + move, 10**14)
        times.append(now)
    forward = sum(max(after - before, 0) for before, after in zip([START, *times], times, strict=False))
    at_most = policy.capacity + forward * policy.limit // meter.period
    if policy.algorithm != "token_bucket":  # a window is full as soon as it begins
        at_most += policy.limit * (
            1 + sum(after > before for before, after in zip([START, *times], times, strict=False))
        )

    assert len(played(meter, times)) <= at_most


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("back_s", [0.001, 0.5, 1, 3600, 10**8])
def test_clock_that_goes_back_gives_nothing_and_locks_nobody_out(algorithm: str, back_s: float) -> None:
    """Who has used everything up waits at most three periods, and then is admitted."""
    meter = meter_of(quota(algorithm))
    state: State | None = None
    for _ in range(3):
        state = meter.consume(state, START)[0]
    now = START - int(back_s * SECOND_US)
    moved, _, _, retry = meter.consume(state, now)

    assert 0 < retry <= 3 * SECOND_US
    assert meter.consume(moved or state, now + retry)[3] == 0


@pytest.mark.parametrize(
    ("calendar", "now", "ends"),
    [
        ("day", "2024-02-28T23:59:59", "2024-02-29T00:00:00"),
        ("day", "2023-12-31T00:00:00", "2024-01-01T00:00:00"),
        ("month", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        ("month", "2024-02-29T23:59:59", "2024-03-01T00:00:00"),
        ("month", "2023-02-28T23:59:59", "2023-03-01T00:00:00"),
        ("month", "2100-02-28T12:00:00", "2100-03-01T00:00:00"),
        ("month", "2000-02-29T12:00:00", "2000-03-01T00:00:00"),
        ("month", "2024-12-31T23:59:59", "2025-01-01T00:00:00"),
        ("month", "2024-04-30T00:00:00", "2024-05-01T00:00:00"),
    ],
)
def test_calendar_windows_end_at_midnight_and_on_the_first(calendar: str, now: str, ends: str) -> None:
    """UTC; leap years and the lengths of months."""
    meter = meter_of(quota("fixed_window", 1, 31 * 86_400.0, calendar=calendar))
    state, remaining, reset, _ = meter.consume(None, at(now))

    assert state is not None
    assert (remaining, at(now) + reset) == (0, at(ends))
    assert meter.consume(state, at(ends) - 1)[0] is None
    assert meter.consume(state, at(ends))[0] is not None


@pytest.mark.parametrize(("before", "after"), [(1.0, 60.0), (60.0, 1.0), (60.0, 7.0)])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_period_may_change_under_a_state(algorithm: str, before: float, after: float) -> None:
    """A publication that changes the period locks nobody out for more than three of the longer one."""
    state: State | None = None
    for _ in range(3):
        state = meter_of(quota(algorithm, per_s=before)).consume(state, START + 30 * SECOND_US)[0] or state
    retry = meter_of(quota(algorithm, per_s=after)).consume(state, START + 30 * SECOND_US)[3]

    assert retry <= 3 * max(before, after) * SECOND_US


def test_share_is_a_part_of_the_limit_rounded_up() -> None:
    """For one of several workers that count alone."""
    meter = meter_of(quota(limit=10, burst=21), share=4)

    assert (meter.limit, meter.capacity, meter.policy.limit) == (3, 6, 10)


def test_meters_are_made_once_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the policy itself; many policies of past snapshots make room."""
    monkeypatch.setattr(limiter, "MOST_METERS", 3)
    meters = Meters()
    policies = [quota(limit=limit) for limit in range(1, 6)]
    first = meters.of(policies[0])

    assert meters.of(policies[0]) is first
    assert [meters.of(policy).limit for policy in policies] == [1, 2, 3, 4, 5]
    assert len(meters) == 2


def test_algorithms_do_not_read_each_others_states() -> None:
    """Their buckets have different names; so have calendar windows."""
    policies = [quota(algorithm) for algorithm in ALGORITHMS]
    calendars = [quota("fixed_window", calendar=calendar) for calendar in ("day", "month")]

    assert len({meter_of(policy).prefix for policy in policies + calendars}) == 5
    assert meter_of(calendars[0]).consume(None, START)[2] <= DAY_US
