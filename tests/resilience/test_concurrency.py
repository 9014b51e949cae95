"""Concurrency limits: never more than allowed, first come first served, and no place is ever lost."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.concurrency import ConcurrencyLimit, LimitTable, Waiter
from resilience.policies import ConcurrencyPolicy


def limit_of(limit: int, **more: int | bool) -> ConcurrencyLimit:
    return ConcurrencyLimit(ConcurrencyPolicy(limit, **more))  # type: ignore[arg-type]


def nobody() -> None:
    """Wakes nobody."""


def test_as_many_enter_as_may() -> None:
    """Then no more until one has left."""
    limit = limit_of(2)

    assert [limit.enter() for _ in range(3)] == [True, True, False]
    limit.release()
    assert [limit.enter() for _ in range(2)] == [True, False]
    assert limit.in_flight == 2
    assert repr(limit) == "<ConcurrencyLimit 2/2 waiting=0>"


def test_queue_is_bounded_and_a_refusal_says_when_to_come_back() -> None:
    """Who finds it full is counted as refused."""
    limit = limit_of(1, queue=2)
    limit.enter()

    assert [limit.join(nobody) is not None for _ in range(4)] == [True, True, False, False]
    assert (limit.waiting, limit.refused, limit.retry_after_s) == (2, 2, 1)


def test_without_a_queue_nobody_waits() -> None:
    """The default."""
    limit = limit_of(1)
    limit.enter()

    assert limit.join(nobody) is None


def test_turns_come_in_the_order_of_arrival() -> None:
    """A place that comes free goes to who waits longest; a newcomer finds none."""
    limit = limit_of(1, queue=3)
    limit.enter()
    woken: list[int] = []
    for number in range(3):
        limit.join(lambda number=number: woken.append(number))

    limit.release()
    assert not limit.enter()
    limit.release()
    assert woken == [0, 1]
    assert (limit.in_flight, limit.waiting) == (1, 1)


def test_who_gives_up_leaves_no_hole() -> None:
    """Neither while it waits nor when its turn has just come; leaving twice changes nothing."""
    limit = limit_of(1, queue=3)
    limit.enter()
    first, second, third = (limit.join(nobody) for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    limit.leave(second)
    limit.leave(second)
    limit.release()
    assert first.granted
    limit.leave(first)

    assert third.granted
    assert not second.granted
    assert (limit.in_flight, limit.waiting) == (1, 0)


def test_limit_that_is_not_enforced_counts_and_lets_pass() -> None:
    """So that somebody can see whom it would refuse."""
    limit = limit_of(1, is_enforced=False)

    assert all(limit.enter() for _ in range(5))
    assert (limit.in_flight, limit.would_refuse, limit.refused) == (5, 4, 0)


@pytest.mark.parametrize(
    ("policy", "in_flight", "waiting"),
    [
        (ConcurrencyPolicy(1, queue=3), 1, 3),
        (ConcurrencyPolicy(3, queue=3), 3, 1),
        (ConcurrencyPolicy(1, queue=0), 1, 3),
        (ConcurrencyPolicy(1, queue=3, is_enforced=False), 4, 0),
        (ConcurrencyPolicy(9, queue=3, adaptive=True), 4, 0),
    ],
)
def test_new_policy_holds_from_now_on(policy: ConcurrencyPolicy, in_flight: int, waiting: int) -> None:
    """More places go to those who wait; nobody who has or waits for one loses it."""
    limit = limit_of(1, queue=3)
    limit.enter()
    for _ in range(3):
        limit.join(nobody)
    limit.adopt(policy)

    assert limit.policy is policy
    assert (limit.in_flight, limit.waiting) == (in_flight, waiting)
    assert limit.limit == policy.limit


def slow(limit: ConcurrencyLimit, now: float) -> None:
    """Answers at their usual speed, then ten times slower, while all places are taken."""
    while limit.enter():
        pass
    for step in range(400):
        limit.learn(0.01 if step < 100 else 0.1, dropped=False, now=now + step / 100)


def test_adaptive_limit_is_lowered_and_stays_so_across_a_publish() -> None:
    """Unless the publish is about just that."""
    limit = limit_of(100, adaptive=True)
    slow(limit, 0.0)
    lowered = limit.limit
    assert lowered < 50

    limit.adopt(ConcurrencyPolicy(100, adaptive=True, queue=5))
    assert limit.limit == lowered
    limit.adopt(ConcurrencyPolicy(60, adaptive=True))
    assert limit.limit == 60
    limit.adopt(ConcurrencyPolicy(60))
    slow(limit, 100.0)
    assert limit.limit == 60


def test_limit_that_grows_lets_in_who_waits() -> None:
    """At once, not with the next release."""
    limit = limit_of(100, adaptive=True, queue=50)
    slow(limit, 0.0)
    while limit.in_flight > limit.limit:
        limit.release()
    for _ in range(10):
        limit.join(nobody)
    for step in range(400):
        limit.learn(0.01, dropped=False, now=5.0 + step / 100)

    assert limit.waiting == 0


class Crowd:
    """Requests that come, wait, give up and leave at random, beside a plain account of what should be."""

    def __init__(self, limit: ConcurrencyLimit, rng: Random) -> None:
        self.limit = limit
        self.rng = rng
        self.inside = 0
        self.line: list[Waiter] = []

    def arrive(self) -> None:
        if self.limit.enter():
            assert not self.line, "somebody was overtaken"
            self.inside += 1
        elif (waiter := self.limit.join(self.turn)) is not None:
            self.line.append(waiter)
        else:
            assert len(self.line) >= self.limit.policy.queue

    def turn(self) -> None:
        assert self.line[0].granted, "not the one who waited longest"
        self.line.pop(0)
        self.inside += 1

    def end(self) -> None:
        if self.inside:
            self.inside -= 1
            self.limit.release()

    def give_up(self) -> None:
        if self.line:
            waiter = self.line.pop(self.rng.randrange(len(self.line)))
            self.limit.leave(waiter)

    def publish(self) -> None:
        policy = ConcurrencyPolicy(self.rng.randint(1, 5), queue=self.rng.randint(0, 5))
        self.limit.adopt(policy)


@given(
    size=st.integers(1, 5),
    queue=st.integers(0, 5),
    steps=st.lists(st.sampled_from(["arrive"] * 4 + ["end"] * 3 + ["give_up", "publish"]), max_size=200),
    rng=st.randoms(use_true_random=False),
)
def test_no_place_is_lost_whatever_happens(size: int, queue: int, steps: list[str], rng: Random) -> None:
    """The counts are right at each step, places never stand empty while somebody waits, and all comes to an end."""
    limit = limit_of(size, queue=queue)
    crowd = Crowd(limit, rng)
    for step in steps:
        action: Callable[[], None] = getattr(crowd, step)
        action()
        assert (limit.in_flight, limit.waiting) == (crowd.inside, len(crowd.line))
        assert not crowd.line or limit.in_flight >= limit.limit

    while crowd.inside:
        crowd.end()
    assert (limit.in_flight, limit.waiting) == (0, 0)


def test_table_keeps_limits_by_name() -> None:
    """Across snapshots, and no longer than they are configured."""
    table = LimitTable()
    limit = table.get("a", ConcurrencyPolicy(1))
    table.get("b", ConcurrencyPolicy(1))

    assert table.get("a", ConcurrencyPolicy(9)) is limit
    assert limit.limit == 1
    table.keep({"a", "c"})
    assert (len(table), dict(table.items())) == (1, {"a": limit})
