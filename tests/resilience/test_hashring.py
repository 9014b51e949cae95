"""The ring: shares by weight, and nothing moves but what must."""

import time
from array import array
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from resilience.hashring import ARCS, MOST_POINTS, MOST_TARGETS, POINTS, Ring, points_of, ring_of

KEYS = [b"user-%d" % number for number in range(400)]
names = st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=8, unique=True)


def size(ring: Ring) -> int:
    return sum(len(ring.arc(number)) for number in range(ARCS))


def owners(ring: Ring, targets: list[str]) -> list[str]:
    return [targets[ring.owner(key)] for key in KEYS]


@given(names, st.data())
def test_removing_a_target_moves_only_its_own_keys(targets: list[str], data: st.DataObject) -> None:
    """Wherever it stood in the list, and whatever the weights."""
    weights = [data.draw(st.integers(1, 5)) for _ in targets]
    before = owners(ring_of(tuple(targets), tuple(weights)), targets)
    gone = data.draw(st.integers(0, len(targets) - 1))
    left = targets[:gone] + targets[gone + 1 :]
    after = owners(ring_of(tuple(left), tuple(weights[:gone] + weights[gone + 1 :])), left)

    assert all(now == was for was, now in zip(before, after, strict=True) if was != targets[gone])


@given(names, st.data())
def test_narrowing_is_the_same_as_removing(targets: list[str], data: st.DataObject) -> None:
    """A ring of some targets is that which they would have alone."""
    kept = [data.draw(st.booleans()) for _ in targets]
    kept[0] = True
    left = [target for target, stays in zip(targets, kept, strict=True) if stays]
    narrow = ring_of(tuple(targets), (1,) * len(targets)).among(bytes(kept))

    assert owners(narrow, targets) == owners(ring_of(tuple(left), (1,) * len(left)), left)


def test_order_does_not_matter() -> None:
    """A key belongs to the same target however the list is sorted."""
    targets = [f"http://10.0.0.{number}" for number in range(9)]
    backwards = targets[::-1]

    assert owners(ring_of(tuple(targets), (1,) * 9), targets) == owners(
        ring_of(tuple(backwards), (1,) * 9), backwards
    )


def test_keys_are_spread_by_weight() -> None:
    """Roughly: a few dozen points each are no more exact than that."""
    targets = ["a", "b", "c"]
    ring = ring_of(tuple(targets), (1, 1, 4))
    counts = Counter(targets[ring.owner(b"%d" % number)] for number in range(6000))

    assert 600 < counts["a"] < 1500
    assert 600 < counts["b"] < 1500
    assert 3300 < counts["c"] < 4700


def test_a_key_after_the_last_point_belongs_to_the_first() -> None:
    """The ring is round, and every key has an owner, wherever the few points lie."""
    ring = ring_of(("a", "b"), (1, 1)).among(b"\1\0")

    assert {ring.owner(b"%d" % number) for number in range(5000)} == {0}
    sparse = Ring(lambda arc: array("Q", [1 << 61 | 7 << 57 | 3] if arc == 7 else []))
    assert {sparse.owner(key) for key in KEYS} == {3}
    assert list(sparse.owners(b"any")) == [3]


@given(names, st.data())
def test_a_walk_goes_round_once(targets: list[str], data: st.DataObject) -> None:
    """From the key's owner on, past every point, in the order of the ring."""
    weights = tuple(data.draw(st.integers(1, 5)) for _ in targets)
    ring = ring_of(tuple(targets), weights)
    walks = [list(ring.owners(key)) for key in KEYS[:20]]

    assert [walk[0] for walk in walks] == [ring.owner(key) for key in KEYS[:20]]
    once = bytes(point & MOST_TARGETS - 1 for arc in range(ARCS) for point in ring.arc(arc))
    assert Counter(once) == {index: weight * POINTS for index, weight in enumerate(weights)}
    assert all(len(walk) == len(once) and bytes(walk) in once * 2 for walk in walks)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 65535), min_size=1, max_size=12), st.sampled_from([1, 300]))
def test_every_target_has_the_points_that_it_should(some: list[int], times: int) -> None:
    """In order, spread over the arcs evenly; those that fill no row of arcs lie in different ones."""
    weights = tuple(some * times)
    ring = ring_of(tuple(f"target-{number}" for number in range(len(weights))), weights)
    arcs = [list(ring.arc(number)) for number in range(ARCS)]
    counts = [Counter(point & MOST_TARGETS - 1 for point in arc) for arc in arcs]

    assert all(arc == sorted(arc) for arc in arcs)
    assert all(point >> 57 == 16 | number for number, arc in enumerate(arcs) for point in arc)
    for index, points in enumerate(points_of(weights)):
        has = [count[index] for count in counts]
        assert sum(has) == points
        assert max(has) - min(has) <= 1


def test_a_target_with_one_point_lies_anywhere() -> None:
    """Else the first arc would be crowded, and the rest belong to few."""
    ring = ring_of(tuple(f"target-{number}" for number in range(3000)), (65535,) * 1000 + (1,) * 2000)
    light = [sum(point & MOST_TARGETS - 1 >= 1000 for point in ring.arc(number)) for number in range(ARCS)]

    assert sum(light) == 2000
    assert 70 < min(light) <= max(light) < 190


def test_the_ring_itself_stays() -> None:
    """Workers of different versions send a key to the same target."""
    ring = ring_of(("http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3"), (1, 2, 3))

    assert [ring.owner(key) for key in KEYS[:16]] == [1, 2, 2, 2, 1, 2, 1, 1, 2, 1, 2, 2, 2, 1, 2, 2]


def test_memory_is_bounded() -> None:
    """1,000 targets have half a megabyte; the heaviest weights do not have more than twice that."""
    thousand = tuple(f"http://10.0.{number}.1" for number in range(1000))

    assert size(ring_of(thousand, (1,) * 1000)) * 8 == 512_000
    assert size(ring_of(thousand, (65535,) * 1000)) <= MOST_POINTS
    assert sum(points_of([65535] * 10)) <= MOST_POINTS
    assert points_of([1, 65535, 65535])[0] == POINTS // 64


def test_no_key_waits_for_the_whole_ring() -> None:
    """Making it sorts nothing, and a key sorts the arc that it falls into."""
    asked = []

    def arc_of(number: int) -> "array[int]":
        asked.append(number)
        return array("Q", [(16 | number) << 57 | (1 << 57) - MOST_TARGETS])

    ring = Ring(arc_of)
    narrow = ring.among(b"\1" * 32)
    assert not asked
    for _ in range(2):
        narrow.owner(b"a key")
    assert len(asked) == 1


def test_a_ring_of_a_thousand_is_made_in_a_moment() -> None:
    """A few milliseconds of the event loop, and one for the first key (twice of that is allowed here). The best of some
    counts: what else the machine does is not the ring's."""
    thousand = tuple(f"http://10.0.{number}.1" for number in range(1000))
    costs = []
    for _ in range(7):
        ring_of.cache_clear()
        began = time.process_time()
        ring = ring_of(thousand, (1,) * 1000)
        made = time.process_time()
        ring.owner(b"a key")
        costs.append((made - began, time.process_time() - made))
    assert min(making for making, _ in costs) < 0.01
    assert min(first for _, first in costs) < 0.005


@given(st.lists(st.integers(1, 65535), min_size=1, max_size=2000))
def test_everybody_has_a_point(weights: list[int]) -> None:
    """However small its weight is beside the others."""
    points = points_of(weights)

    assert min(points) >= 1
    assert sum(points) <= MOST_POINTS + len(weights)


def test_the_same_ring_is_made_once() -> None:
    """Pools of the same targets share it."""
    assert ring_of(("a", "b"), (1, 2)) is ring_of(("a", "b"), (1, 2))
