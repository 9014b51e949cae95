"""Pollers share a few connections, and none that hangs holds up who can do without it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections

from routing import lanes
from routing.lanes import Lane

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lane() -> Iterator[Lane]:
    """Of at most two; no test leaves a connection open."""
    lane = Lane("test", 2)
    lane.join()
    yield lane
    lane.leave()
    assert lane.count == 0


def in_thread(
    lane: Lane, hold: threading.Event | None = None, began: threading.Event | None = None
) -> object:
    """Asks one thing, and keeps the connection until `hold`; which connection it was."""
    with lane.borrowed(since_s=0.0) as wrapper:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        assert connections["default"] is wrapper
        if began is not None:
            began.set()
        assert hold is None or hold.wait(10)
        return wrapper.connection


def test_one_is_enough_for_who_comes_one_after_the_other(lane: Lane) -> None:
    """Of whatever thread; the thread's own connection is another one."""
    with ThreadPoolExecutor(3) as pool:
        used = [pool.submit(in_thread, lane).result(10) for _ in range(6)]
    assert len({id(each) for each in used}) == 1
    assert lane.count == 1


def test_who_comes_at_the_same_time_waits_for_the_one(lane: Lane) -> None:
    """While it is given back quickly."""
    with ThreadPoolExecutor(4) as pool:
        used = [each.result(10) for each in [pool.submit(in_thread, lane) for _ in range(12)]]
    assert len(used) == 12
    assert lane.count <= 2


def test_one_that_is_kept_holds_nobody_up(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience there is another one, and beyond the bound none: who finds them all in use is told."""
    monkeypatch.setattr(lanes, "FULL_S", 0.1)
    go = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        held = []
        for number in (1, 2):
            began = threading.Event()
            held.append(pool.submit(in_thread, lane, go, began))
            assert began.wait(10)
            assert lane.count == number
        with pytest.raises(OperationalError, match="all 2 connections of this process are in use"):
            pool.submit(in_thread, lane).result(10)
        go.set()
        assert len({id(each.result(10)) for each in held}) == 2
        assert pool.submit(in_thread, lane).result(10)


def test_one_more_is_closed_again(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, whether it was of use or not; never the last."""
    go = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        held = []
        for _ in range(2):
            began = threading.Event()
            held.append(pool.submit(in_thread, lane, go, began))
            assert began.wait(10)
        go.set()
        for each in held:
            each.result(10)
        assert lane.count == 2
        pool.submit(in_thread, lane).result(10)
        assert lane.count == 2
        monkeypatch.setattr(lane, "_trim_at_s", 0.0)
        pool.submit(in_thread, lane).result(10)
        assert lane.count == 1
        monkeypatch.setattr(lane, "_trim_at_s", 0.0)
        pool.submit(in_thread, lane).result(10)
    assert lane.count == 1


def test_one_that_failed_is_closed(lane: Lane) -> None:
    """Whatever was left open in it; who comes next has a new one."""

    def fail() -> None:
        with lane.borrowed(since_s=0.0), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM nowhere")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, lane).result(10)
        with pytest.raises(Exception, match="nowhere"):
            pool.submit(fail).result(10)
        assert pool.submit(in_thread, lane).result(10) is not first
    assert lane.count == 1


def test_a_transaction_that_somebody_left_open_ends_with_its_connection(lane: Lane) -> None:
    """It is not the next one's."""

    def leave_open() -> object:
        with lane.borrowed(since_s=0.0) as wrapper:
            wrapper.ensure_connection()
            wrapper.in_atomic_block = True
            return wrapper.connection

    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(leave_open).result(10)
        assert pool.submit(in_thread, lane).result(10) is not left
