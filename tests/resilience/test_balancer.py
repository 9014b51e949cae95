"""Balancing policies: who is next, and that nobody is tried twice."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from resilience.balancer import POLICIES, round_robin
from resilience.state import ServiceState


def test_round_robin_goes_round() -> None:
    """Targets follow each other in order, and after the last comes the first."""
    state = ServiceState("s", cursor=1)

    assert [round_robin(state, 3, ()) for _ in range(6)] == [2, 0, 1, 2, 0, 1]


@given(count=st.integers(1, 20), cursor=st.integers(0, 1 << 16), rounds=st.integers(1, 5))
def test_round_robin_is_even(count: int, cursor: int, rounds: int) -> None:
    """Over whole rounds every target gets the same number of requests, wherever the cursor stood."""
    state = ServiceState("s", cursor=cursor)

    picked = Counter(round_robin(state, count, ()) for _ in range(count * rounds))

    assert picked == {index: rounds for index in range(count)}


@given(count=st.integers(0, 12), tried=st.sets(st.integers(0, 11)), cursor=st.integers(0, 30))
def test_a_target_that_was_tried_is_never_picked(count: int, tried: set[int], cursor: int) -> None:
    """None comes back exactly when nothing is left to try."""
    index = round_robin(ServiceState("s", cursor=cursor), count, tried)
    left = set(range(count)) - tried

    assert (index in left) if left else index is None


def test_policies_are_found_by_the_documents_names() -> None:
    """The registry's keys are the values of `load_balancing`."""
    assert POLICIES["round_robin"] is round_robin
