"""Policies: who is next, in which proportion, and that nobody is tried twice."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.hashring import ARCS, POINTS
from resilience.picking import ALGORITHMS, EXACT, STEPS, ConsistentHash, Crew, Policy
from resilience.policies import Balancing
from resilience.state import ServiceState

KEYS = [b"user-%d" % number for number in range(300)]
MANY = EXACT + 4


def crew(weights: Sequence[int], *, cursor: int = 0, seed: int = 1) -> Crew:
    service = ServiceState("s", cursor=cursor)
    names = tuple(f"http://10.0.0.{index}" for index in range(len(weights)))
    return Crew(names, tuple(weights), [service.target(name) for name in names], service, Random(seed))


def policy(
    algorithm: str,
    weights: Sequence[int],
    *,
    candidates: list[int] | None = None,
    shares: list[float] | None = None,
    cursor: int = 0,
) -> Policy:
    made = ALGORITHMS[algorithm](crew(weights, cursor=cursor))
    made.refresh(list(range(len(weights))) if candidates is None else candidates, shares)
    return made


def counted(found: Policy, number: int) -> Counter[int | None]:
    return Counter(found.pick((), None) for _ in range(number))


def test_policies_are_found_by_the_documents_names() -> None:
    """The registry's keys are the values of `load_balancing`."""
    assert set(ALGORITHMS) == set(get_args(Balancing))


@given(
    algorithm=st.sampled_from(sorted(ALGORITHMS)),
    count=st.integers(1, MANY),
    data=st.data(),
    seed=st.integers(0, 99),
)
def test_only_candidates_that_were_not_tried_are_picked(
    algorithm: str, count: int, data: st.DataObject, seed: int
) -> None:
    """None comes back exactly when nothing is left to try, whatever algorithm, key or slow start."""
    made = ALGORITHMS[algorithm](crew([1 + index % 3 for index in range(count)], cursor=seed, seed=seed))
    candidates = sorted(data.draw(st.sets(st.integers(0, count - 1))))
    shares = [data.draw(st.floats(0.1, 1.0)) for _ in candidates] if data.draw(st.booleans()) else None
    made.refresh(candidates, shares)
    tried = data.draw(st.sets(st.integers(0, count - 1)))
    left = set(candidates) - tried

    for key in (None, *KEYS[:5]):
        index = made.pick(tried, key)
        assert (index in left) if left else index is None


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_nobody_is_picked_before_there_are_candidates(algorithm: str) -> None:
    """A policy that was just made has none."""
    made = ALGORITHMS[algorithm](crew([1, 1]))

    assert made.pick((), b"key") is None
    assert made.pick((), None) is None


def test_round_robin_goes_round() -> None:
    """Targets follow each other in order, and after the last comes the first."""
    found = policy("round_robin", [1, 9, 1], cursor=1)

    assert [found.pick((), None) for _ in range(6)] == [2, 0, 1, 2, 0, 1]


@given(count=st.integers(1, 20), cursor=st.integers(0, 1 << 16), rounds=st.integers(1, 5))
def test_round_robin_is_even(count: int, cursor: int, rounds: int) -> None:
    """Over whole rounds every target gets the same number of requests, wherever the cursor stood."""
    found = policy("round_robin", [1] * count, cursor=cursor)

    assert counted(found, count * rounds) == {index: rounds for index in range(count)}


def test_workers_do_not_begin_with_the_same_target() -> None:
    """Where the cursor stands at random, so does the first pick."""
    firsts = Counter(policy("round_robin", [1] * 4, cursor=cursor).pick((), None) for cursor in range(40_000))

    assert firsts == {index: 10_000 for index in range(4)}


def test_round_robin_lets_slow_starters_wait_for_their_turn() -> None:
    """A target with a tenth of its share gets a tenth of what others get."""
    found = policy("round_robin", [1, 1, 5], shares=[1.0, 0.1, 1.0])

    assert counted(found, 210) == {0: 100, 1: 10, 2: 100}


def test_smooth_weighted_order_is_nginxs() -> None:
    """Its own example: five of seven, and not in a row."""
    found = policy("weighted_round_robin", [5, 1, 1])

    assert [found.pick((), None) for _ in range(14)] == [0, 0, 1, 0, 2, 0, 0] * 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=EXACT))
def test_weights_are_exact_over_a_cycle(weights: list[int]) -> None:
    """Each target gets its weight's number of requests."""
    found = policy("weighted_round_robin", weights)

    assert counted(found, sum(weights)) == dict(enumerate(weights))


@given(st.lists(st.integers(1, 9), min_size=EXACT + 1, max_size=60))
def test_weights_are_nearly_exact_among_many(weights: list[int]) -> None:
    """Over five cycles nobody is more than two requests away from what is due."""
    counts = counted(policy("weighted_round_robin", weights), 5 * sum(weights))

    assert all(abs(counts[index] - 5 * weight) <= 2 for index, weight in enumerate(weights))


def test_random_goes_by_weight() -> None:
    """Within what chance allows."""
    counts = counted(policy("random", [1, 3], shares=None), 8000)

    assert 1700 < counts[0] < 2300


def test_random_goes_by_weight_when_some_were_tried() -> None:
    """Those that are left share in proportion, slow start included."""
    found = policy("random", [5, 1, 6], shares=[1.0, 1.0, 0.5])
    counts = Counter(found.pick((0,), None) for _ in range(8000))

    assert counts.keys() == {1, 2}
    assert 1700 < counts[1] < 2300


@pytest.mark.parametrize("count", [3, EXACT])
def test_least_connections_looks_at_all_of_few(count: int) -> None:
    """It picks the one with the fewest requests for its weight."""
    made = crew([1] * count)
    found = ALGORITHMS["least_connections"](made)
    found.refresh(list(range(count)), None)
    for state in made.states:
        state.in_flight = 5
    made.states[1].in_flight = 4

    assert {found.pick((), None) for _ in range(5)} == {1}
    assert found.pick({1}, None) != 1


def test_least_connections_weighs() -> None:
    """Twice the weight bears twice the requests."""
    made = crew([1, 2, 3])
    found = ALGORITHMS["least_connections"](made)
    found.refresh([0, 1, 2], None)
    for _ in range(60):
        index = found.pick((), None)
        assert index is not None
        made.states[index].in_flight += 1

    assert [state.in_flight for state in made.states] == [10, 20, 30]


def test_least_connections_takes_turns_among_equals() -> None:
    """Idle targets share the load."""
    assert counted(policy("least_connections", [1] * 4), 40) == {index: 10 for index in range(4)}


def test_two_choices_avoid_the_busy_ones_among_many() -> None:
    """Busy targets are picked only when both that are drawn are busy."""
    made = crew([1] * 40)
    found = ALGORITHMS["least_connections"](made)
    found.refresh(list(range(40)), None)
    for state in made.states[:10]:
        state.in_flight = 100
    counts = Counter((found.pick((), None) or 0) < 10 for _ in range(4000))

    assert 100 < counts[True] < 450


def test_two_choices_weigh() -> None:
    """Under load that stays, requests under way settle in proportion to the weights, slow start included."""
    weights = [4] * 10 + [1] * 30
    made = crew(weights)
    found = ALGORITHMS["least_connections"](made)
    found.refresh(list(range(40)), [1.0] * 39 + [0.1])
    for _ in range(7000):
        index = found.pick((), None)
        assert index is not None
        made.states[index].in_flight += 1
    heavy = sum(state.in_flight for state in made.states[:10]) / 10
    light = sum(state.in_flight for state in made.states[10:39]) / 29

    assert 3.6 < heavy / light < 4.4
    assert made.states[39].in_flight < light / 5


def hashed(found: Policy, tried: Sequence[int] = ()) -> list[int | None]:
    return [found.pick(tried, key) for key in KEYS]


@given(st.integers(2, 30), st.data())
def test_an_unavailable_target_moves_only_its_own_keys(count: int, data: st.DataObject) -> None:
    """And they come back to it when it comes back."""
    gone = data.draw(st.integers(0, count - 1))
    found = policy("consistent_hash", [1] * count)
    before = hashed(found)
    found.refresh([index for index in range(count) if index != gone], None)
    without = hashed(found)
    found.refresh(list(range(count)), None)

    assert all(now == was for was, now in zip(before, without, strict=True) if was != gone)
    assert gone not in without
    assert hashed(found) == before


@given(st.integers(2, 12), st.data())
def test_a_retry_goes_where_the_key_would_go_without_those_tried(count: int, data: st.DataObject) -> None:
    """So the second choice is the same every time."""
    tried = data.draw(st.sets(st.integers(0, count - 1), max_size=count - 1))
    left = [index for index in range(count) if index not in tried]

    assert hashed(policy("consistent_hash", [1] * count), list(tried)) == hashed(
        policy("consistent_hash", [1] * count, candidates=left)
    )


def test_keys_find_the_few_that_are_left_of_many() -> None:
    """The walk is bounded; then a ring of the few is made, once, and it says the same."""
    found = ConsistentHash(crew([1] * 1000))
    found.refresh([3, 500], None)
    picked = hashed(found)
    narrow = found._narrow

    assert set(picked) == {3, 500}
    assert narrow is not None
    assert sum(len(narrow.arc(number)) for number in range(ARCS)) == 2 * POINTS > STEPS
    assert hashed(found) == picked
    assert found._narrow is narrow


def test_requests_without_a_key_take_turns() -> None:
    """Nothing to hash is no reason to overload one target."""
    assert counted(policy("consistent_hash", [1] * 4), 40) == {index: 10 for index in range(4)}


@pytest.mark.parametrize("algorithm", ["round_robin", "least_connections"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_repetitions_move_no_turn(algorithm: str, count: int) -> None:
    """A target whose every request is repeated elsewhere is first for its share of the requests, and no more."""
    made = policy(algorithm, [1] * count)
    firsts: Counter[int | None] = Counter()
    seconds: Counter[int | None] = Counter()
    for _ in range(count * 20):
        index = made.pick((), None)
        firsts[index] += 1
        if index == 0:
            seconds[made.pick([0], None)] += 1
    assert firsts == Counter(dict.fromkeys(range(count), 20))
    assert 0 not in seconds
