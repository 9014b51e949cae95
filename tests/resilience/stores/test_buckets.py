"""What a worker remembers of callers has a bound."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from resilience.limiter import SECOND_US
from resilience.stores.buckets import Buckets


def state(due_s: float) -> tuple[int, int]:
    return 1, int(due_s * SECOND_US)


def kept(buckets: Buckets, names: str) -> str:
    return "".join(name for name in names if buckets.find(name))


def test_what_is_over_goes_first() -> None:
    """Without being counted as lost, whatever came first."""
    buckets = Buckets(most=3)
    for name, due_s in (("a", 90.0), ("b", 5.0), ("c", 80.0)):
        buckets.put(name, state(due_s), 0)
    buckets.put("d", state(70.0), 10 * SECOND_US)

    assert (kept(buckets, "abcd"), buckets.dropped) == ("acd", 0)


def test_without_room_the_one_that_is_over_soonest_goes() -> None:
    """It knows least; it is counted."""
    buckets = Buckets(most=3)
    for name, due_s in (("a", 90.0), ("b", 5.0), ("c", 80.0), ("d", 70.0)):
        buckets.put(name, state(due_s), 0)

    assert (kept(buckets, "abcd"), buckets.dropped) == ("acd", 1)


def test_a_flood_pushes_out_its_own() -> None:
    """Who has used up much is remembered."""
    buckets = Buckets(most=10)
    buckets.put("heavy", state(60.0), 0)
    for number in range(1000):
        buckets.put(str(number), state(number / 1000), 0)

    assert buckets.find("heavy")
    assert (len(buckets), buckets.dropped) == (10, 991)


def test_state_that_was_used_meanwhile_stays() -> None:
    """Its row was that of its first use."""
    buckets = Buckets(most=2)
    buckets.put("a", state(1.0), 0)
    buckets.put("b", state(2.0), 0)
    buckets.put("a", state(9.0), 0)
    buckets.put("c", state(3.0), 0)

    assert (kept(buckets, "abc"), buckets.dropped) == ("ac", 1)


def test_what_is_over_goes_before_there_is_no_room() -> None:
    """New callers clear away old ones, a few at a time."""
    buckets = Buckets(most=1000)
    for number in range(100):
        buckets.put(str(number), state(1.0), 0)
    for number in range(100, 200):
        buckets.put(str(number), state(20.0), 10 * SECOND_US)

    assert (len(buckets), buckets.dropped) == (100, 0)


steps = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50), st.integers(0, 3)), max_size=200)


@given(steps=steps, most=st.integers(1, 20))
def test_bound_holds_and_nothing_is_lost_track_of(steps: list[tuple[int, int, int]], most: int) -> None:
    """Every state stands in one row, and every loss is either counted or was over."""
    buckets = Buckets(most=most)
    now = 0
    entered = 0
    for name, due, passed in steps:
        now += passed * SECOND_US
        entered += buckets.find(str(name)) is None
        buckets.put(str(name), (1, now + due * SECOND_US), now)
        assert len(buckets) <= most
        assert buckets.find(str(name)) == (1, now + due * SECOND_US)
        assert sorted(chain.from_iterable(buckets._rows.values())) == sorted(buckets._states)
        assert sorted(buckets._order) == sorted(buckets._rows)
    assert buckets.dropped <= entered


def test_one_insertion_looks_at_few() -> None:
    """However many were used since they were entered: nobody waits for a walk over all of them."""
    buckets = Buckets(most=1000)
    for due_s in (1.0, 60.0):
        for number in range(1000):
            buckets.put(str(number), state(due_s), 0)
    buckets.put("new", state(5.0), 0)

    assert len(buckets._rows[1]) == 1000 - 16
    assert (len(buckets), buckets.dropped) == (1000, 1)
