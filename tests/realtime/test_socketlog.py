"""Between a worker's connections and the database: what is there is seen, what operators ended ends, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from realtime.ending import end_all, end_some
from realtime.models import LiveSocket
from realtime.socketlog import LOST_AFTER, MOST_TOLD, SocketLog
from realtime.tunnel.place import Place
from realtime.tunnel.sockets import Facts
from tests.support.livesockets import live, live_route

pytestmark = [pytest.mark.store, pytest.mark.django_db]


class Worker:
    """Its connections, and a log whose time stands still."""

    def __init__(self, node: str = "w1") -> None:
        self.now = timezone.now().timestamp()
        self.open: dict[int, tuple[int, int]] = {}
        self.ended: list[tuple[list[int] | None, str]] = []
        self.log = SocketLog(self, node=node, wall_clock=lambda: self.now)  # type: ignore[arg-type]

    def told(self, most: int) -> list[Any]:
        place = Place("live", "chat", "http://127.0.0.1:9000", False)
        facts = [
            (Facts(number, "ada", "192.0.2.1", self.now, place), *size) for number, size in self.open.items()
        ]
        return facts[:most]

    def end(self, numbers: list[int] | None, *, route: str) -> None:
        self.ended.append((numbers, route))

    def look(self, after_s: float = 0.0) -> None:
        def call(function: Callable[[], None]) -> None:
            function()

        self.now += after_s
        self.log.look(call)


def rows(node: str = "w1") -> list[tuple[int, int, int]]:
    found = LiveSocket.objects.filter(node=node).order_by("number")
    return list(found.values_list("number", "received", "sent"))


def test_connections_become_rows_and_go_again() -> None:
    """Bytes are written less often than what comes and goes."""
    worker, other = Worker(), Worker("w2")
    other.open = {1: (7, 7)}
    other.look()
    worker.look()
    worker.open = {1: (0, 0), 2: (5, 6)}
    worker.look(0.5)
    assert rows() == []
    worker.look(1)
    assert rows() == [(1, 0, 0), (2, 5, 6)]

    worker.open = {2: (50, 60), 3: (0, 0)}
    worker.look(1)
    assert rows() == [(2, 5, 6), (3, 0, 0)]
    worker.look(10)
    assert rows() == [(2, 50, 60), (3, 0, 0)]
    assert rows("w2") == [(1, 7, 7)]
    row = LiveSocket.objects.get(node="w1", number=2)
    assert (row.user, row.address, row.route, row.service) == ("ada", "192.0.2.1", "live", "chat")

    worker.log.leave()
    assert rows() == []
    assert rows("w2") == [(1, 7, 7)]


def test_a_worker_writes_a_bounded_number() -> None:
    worker = Worker()
    worker.open = {number: (0, 0) for number in range(MOST_TOLD + 3)}
    worker.look()
    assert len(rows()) == MOST_TOLD


def test_rows_of_workers_that_died_go() -> None:
    """Their own when the name comes back, any when nobody has seen them for long."""
    live(77)
    live(78, node="w9", seen_at=timezone.now() - LOST_AFTER - timedelta(seconds=5))
    live(79, node="w8")
    Worker().look()
    assert set(LiveSocket.objects.values_list("number", flat=True)) == {79}


def test_orders_reach_whom_they_mean_once() -> None:
    """One connection's worker; every worker for those of a route, and for all."""
    live_route()
    row = live(3)
    one, other = Worker(), Worker("w2")
    one.look()
    other.look()
    row = live(3)
    end_some([row.pk], by="anna")
    end_all(route="live", by="anna")
    end_all(by="anna")
    for worker in (one, other, one):
        worker.look()
    assert one.ended == [([3], ""), (None, "live"), (None, "")]
    assert other.ended == [(None, "live"), (None, "")]
    late = Worker("w1")
    late.look()
    assert late.ended == []
