"""Between workers' canaries and the database: two workers count together, and stand alike."""

from collections.abc import Callable

import pytest

from resilience.canaries import Canaries, Live, Wanted
from resilience.canary import CanaryPolicy
from resilience.models import CanaryState
from routing.canarying import steer
from routing.canarylog import CanaryLog

pytestmark = [pytest.mark.store, pytest.mark.django_db]
POLICY = CanaryPolicy(steps=(10.0, 100.0), every_s=10.0, min_requests=4)
WANTED = Wanted(POLICY, "new", "m1")
EPOCH_S = 1_900_000_000.0


class Worker:
    """One whose time stands still."""

    def __init__(self) -> None:
        self.now = EPOCH_S
        self.canaries = Canaries()
        self.log = CanaryLog(self.canaries, wall_clock=lambda: self.now)
        self.wants({"r": WANTED}, 1)

    @property
    def live(self) -> Live:
        return self.canaries.get("r", POLICY)

    def wants(self, wanted: dict[str, Wanted], revision: int) -> None:
        for route, each in wanted.items():
            self.canaries.get(route, each.policy)
        self.canaries.reconcile(wanted, revision)

    def look(self, times: int = 2) -> None:
        def call(function: Callable[[], None]) -> None:
            function()

        for _ in range(times):
            self.log.look(call)

    def count(self, number: int, *, failed: bool = False) -> None:
        for _ in range(number):
            self.live.tally.canary.count(0.1, failed=failed)


def test_workers_count_together_and_stand_alike() -> None:
    """What each counted is added once, however often it looks."""
    one, other = Worker(), Worker()
    for each in (one, other):
        each.look()
        assert each.live.percent == 10
        each.count(2)
    one.now = other.now = EPOCH_S + 5
    for each in (one, other, one, other):
        each.look()
        each.now += 1
    assert CanaryState.objects.get().canary[0] == 4
    one.now = EPOCH_S + 11
    one.look()
    other.look()
    assert (one.live.percent, other.live.percent) == (100, 100)


def test_failures_of_two_workers_send_it_back() -> None:
    """Too few at each alone."""
    one, other = Worker(), Worker()
    for each in (one, other):
        each.look()
        each.count(2, failed=True)
        each.now += 1
        each.look()
    one.look()
    assert (one.live.percent, other.live.percent) == (0, 0)
    assert CanaryState.objects.get().stage == "rolled_back"


def test_operators_are_heard_at_the_next_look() -> None:
    """And a worker that begins finds it so."""
    one = Worker()
    one.look()
    steer("r", "promote", by="anna")
    one.look(1)
    late = Worker()
    late.look(1)
    assert (one.live.percent, late.live.percent) == (100, 100)


def test_what_is_not_configured_any_more_ends() -> None:
    """A worker that is late leaves it so, and follows."""
    one, late = Worker(), Worker()
    for each in (one, late):
        each.look()
    one.wants({}, 2)
    one.look()
    late.look()
    assert CanaryState.objects.get().stage == "ended"
    one.wants({"r": WANTED}, 3)
    one.look()
    assert (CanaryState.objects.get().stage, one.live.percent) == ("running", 10)


def test_what_was_counted_last_is_written_when_the_worker_ends() -> None:
    """For the others."""
    one = Worker()
    one.look()
    one.count(3)
    one.log.leave()
    assert CanaryState.objects.get().canary[0] == 3
