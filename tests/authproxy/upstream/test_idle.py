"""Tests of how long an idle connection is trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.upstream.idle import DEFAULT_S, FLOOR_S, LONGEST_S, RECOVERY_S, IdleLimit


def test_it_begins_below_what_common_servers_wait() -> None:
    """uvicorn, Node and Apache close after 5 s."""
    assert IdleLimit().limit_s == DEFAULT_S < 5


@pytest.mark.parametrize(
    ("field", "limit_s"),
    [
        (b"timeout=5", 4),
        (b"timeout=5, max=100", 4),
        (b"max=100, Timeout = 20", 19),
        (b"timeout=1", 0.5),
        (b"timeout=0", 0),
        (b"timeout=86400", LONGEST_S),
        (b"timeout=99999999999", LONGEST_S),
        (b"timeout=-1", DEFAULT_S),
        (b"max=7", DEFAULT_S),
        (b"", DEFAULT_S),
    ],
)
def test_the_upstreams_word_counts(field: bytes, limit_s: float) -> None:
    """A little less than it promises; nonsense is ignored."""
    limit = IdleLimit()
    limit.announced(field)
    limit.announced(field)

    assert limit.limit_s == limit_s


def test_a_close_is_learnt_from_and_forgotten_with_time() -> None:
    """Half of what the upstream waited, doubling until it is the old limit again."""
    limit = IdleLimit()
    limit.closed_by_upstream(1.0, 100.0)
    assert limit.limit_s == 0.5
    limit.recover(100.0 + RECOVERY_S)
    assert limit.limit_s == 1.0
    limit.recover(100.0 + 3 * RECOVERY_S)
    assert limit.limit_s == DEFAULT_S
    limit.recover(100.0 + 99 * RECOVERY_S)
    assert limit.limit_s == DEFAULT_S
    assert repr(limit) == "IdleLimit(4.000 s)"


def test_experience_outweighs_a_promise() -> None:
    """An upstream that promises 60 s and closes after 1 s is taken by its deeds, then by its word."""
    limit = IdleLimit()
    limit.closed_by_upstream(1.0, 100.0)
    limit.announced(b"timeout=60")
    assert limit.limit_s == 0.5
    limit.recover(100.0 + 99 * RECOVERY_S)
    assert limit.limit_s == 59


def test_a_late_close_teaches_nothing() -> None:
    """A connection that lived longer than we would have used it is as expected."""
    limit = IdleLimit()
    limit.closed_by_upstream(9.0, 100.0)

    assert limit.limit_s == DEFAULT_S


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1000)), max_size=10))
def test_the_limit_stays_within_bounds(closes: list[tuple[float, float]]) -> None:
    """Whatever happens when, it is never below the floor or above the ceiling."""
    limit, now = IdleLimit(), 0.0
    for idle_s, later_s in closes:
        now += later_s
        limit.recover(now)
        limit.closed_by_upstream(idle_s, now)
        assert FLOOR_S <= limit.limit_s <= DEFAULT_S
