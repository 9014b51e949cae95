"""Between targets and the database: who is ejected is seen, and whom somebody put back comes back, once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from resilience.ejection import Ejected, Returned
from resilience.models import TargetEjection, TargetHealth, TargetReadmission
from routing.models import Node, Service, Target
from routing.readmitting import readmit
from routing.targetlog import KEPT_FOR, PRUNING_S, TargetLog, prune

pytestmark = [pytest.mark.store, pytest.mark.django_db]
A, B = "http://a:1", "http://b:1"
EPOCH_S = 1_900_000_000.0


class Bench:
    """A log whose time stands still; it counts from 0 monotonically, and from EPOCH_S on the wall."""

    def __init__(self, node: str = "w1") -> None:
        self.now = 0.0
        self.readmitted: list[tuple[str, str]] = []
        self.woken = 0
        self.log = TargetLog(
            lambda service, target: self.readmitted.append((service, target)),
            node=node,
            wake=self._wake,
            clock=lambda: self.now,
            wall_clock=lambda: EPOCH_S + self.now,
        )

    def _wake(self) -> None:
        self.woken += 1

    def look(self) -> None:
        def call(function: Callable[[], None]) -> None:
            function()

        self.log.look(call)

    def eject(self, target: str = A, *, for_s: float = 30.0, ejections: int = 1) -> None:
        self.log.note(Ejected("shop", target, self.now + for_s, ejections, 5))


def rows() -> list[tuple[Any, ...]]:
    columns = ("target", "node", "since", "until", "times", "errors")
    return list(TargetEjection.objects.values_list(*columns))


def reports(node: str) -> None:
    """As a worker that is there does."""
    Node.objects.create(name=node, pid=1, role="all", heartbeat=at(0))


def at(offset_s: float) -> datetime:
    return datetime.fromtimestamp(EPOCH_S + offset_s, UTC)


@pytest.fixture(autouse=True)
def shop() -> None:
    service = Service.objects.create(name="shop")
    Target.objects.create(service=service, url=A)


def test_ejections_become_rows_and_go_again() -> None:
    """Each worker has one of each target; one that was never checked is seen all the same."""
    one, other = Bench(), Bench("w2")
    one.eject()
    other.now = 5.0
    other.eject(for_s=60, ejections=2)
    assert (one.woken, rows()) == (1, [])
    for each in (one, other):
        each.look()
    assert rows() == [(A, "w1", at(0), at(30), 1, 5), (A, "w2", at(5), at(65), 2, 5)]
    assert [row.checked_at for row in TargetHealth.objects.all()] == [None]
    one.now = 31.0
    one.eject(ejections=2)
    one.look()
    assert rows()[0] == (A, "w1", at(31), at(61), 2, 5)
    one.log.note(Returned("shop", A))
    one.look()
    assert [row[1] for row in rows()] == ["w2"]
    other.log.leave()
    assert (rows(), TargetHealth.objects.exists()) == ([], False)


def test_only_the_latest_of_a_target_is_written() -> None:
    """However often it goes and comes back while the database is away."""
    bench = Bench()
    for _ in range(3):
        bench.eject()
        bench.log.note(Returned("shop", A))
    bench.eject(B)
    bench.look()
    assert [row[0] for row in rows()] == [B]


def test_what_was_checked_stays_as_it_is() -> None:
    """Only a target without a row gets one."""
    TargetHealth.objects.create(
        service="shop", target=A, healthy=True, checked_at=timezone.now(), ok=True, node="n"
    )
    bench = Bench()
    bench.eject()
    bench.look()
    row = TargetHealth.objects.get()
    assert (row.healthy, row.checked_at is not None) == (True, True)


def test_operators_orders_are_carried_out_once() -> None:
    """Not those of before this worker."""
    readmit("shop", A, by="anna")
    bench = Bench()
    bench.look()
    readmit("shop", A, by="anna")
    bench.look()
    bench.look()
    assert bench.readmitted == [("shop", A)]


def test_old_rows_are_pruned() -> None:
    """Ejections shortly after their end; history after a while."""
    reports("w1")
    bench = Bench()
    bench.look()
    bench.eject()
    bench.look()
    bench.now = 30 + KEPT_FOR.total_seconds() + PRUNING_S
    bench.look()
    assert (rows(), TargetHealth.objects.exists()) == ([], False)
    for day in (91, 0):
        TargetReadmission.objects.create(service="shop", target=A, at=at(-86_400 * day), by="anna")
    assert not prune(at(0))
    assert [row.at for row in TargetReadmission.objects.all()] == [at(0)]


def test_what_a_killed_worker_left_out_goes_with_its_row() -> None:
    """Long before its time; that of workers which report, or have not yet, stays."""
    reports("w1")
    for node in ("w1", "killed"):
        bench = Bench(node)
        bench.look()
        bench.eject(for_s=3000.0)
        bench.look()
    assert not prune(at(KEPT_FOR.total_seconds()))
    assert {row[1] for row in rows()} == {"w1", "killed"}
    prune(at(KEPT_FOR.total_seconds() + 1))
    assert {row[1] for row in rows()} == {"w1"}
    Node.objects.all().delete()
    prune(at(KEPT_FOR.total_seconds() + 1))
    assert (rows(), TargetHealth.objects.exists()) == ([], False)
