"""Whom quotas refuse becomes rows: soon, each request once, from many workers, and whatever the database does."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DataError, OperationalError, connections

from authproxy import limitedlog
from authproxy.limited import Limited
from authproxy.limitedlog import IDLE_PRUNING_S, KEPT_FOR, LimitedLog, prune
from authproxy.limiting import Limiter
from authproxy.models import LimitedCaller
from resilience.stores.memory import MemoryStore

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


def limited(caller: str = "ip:1.2.3.4", *, after_s: float = 0.0, **more: Any) -> Limited:
    values = {
        "at": AT.timestamp() + after_s,
        "quota": "free",
        "caller": caller,
        "route": "r",
        "request_id": f"id{after_s:g}",
        "limit": 10,
        "per_s": 60.0,
        "retry_after_s": 5.0,
        "is_enforced": True,
    }
    return Limited(**{**values, **more})


def log(**more: Any) -> LimitedLog:
    limiter = Limiter(MemoryStore(), wall_clock=AT.timestamp)
    return LimitedLog(limiter, wall_clock=AT.timestamp, **more)


def test_sums_are_added_to_what_other_workers_wrote() -> None:
    """In any order: counts add up, times and the newest request are those of all of them."""
    ours, theirs = log(), log()
    ours.note(limited(after_s=3.0))
    ours.note(limited(after_s=4.0, limit=20, per_s=86_400.0, calendar="day"))
    theirs.note(limited(after_s=1.0, is_enforced=False))
    ours.flush()
    theirs.flush()
    row = LimitedCaller.objects.get()
    assert (row.quota, row.caller, row.route) == ("free", "ip:1.2.3.4", "r")
    assert (row.refused, row.would_refuse) == (2, 1)
    assert (row.first_at, row.last_at) == (AT + timedelta(seconds=1), AT + timedelta(seconds=4))
    assert (row.limit, row.period, row.is_enforced) == (20, "day (UTC)", True)
    assert row.room_at == AT + timedelta(seconds=9)
    assert set(row.request_ids.split()) == {"id1", "id3", "id4"}


def test_workers_write_at_the_same_time() -> None:
    """Nothing is lost and nobody waits for another for ever."""

    def work(number: int) -> None:
        try:
            for round_number in range(5):
                mine = log()
                for caller in range(60):
                    mine.note(limited(f"ip:{caller}", after_s=number + round_number))
                mine.flush()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(LimitedCaller.objects.values_list("refused", flat=True)) == [20] * 60


def test_few_statements_for_many_callers(django_assert_num_queries: Any) -> None:
    """None at all where nobody was refused."""
    mine = log()
    for number in range(120):
        mine.note(limited(f"ip:{number}"))
    with django_assert_num_queries(5):  # three chunks in a transaction
        mine.flush()
    with django_assert_num_queries(0):
        mine.flush()
    assert LimitedCaller.objects.count() == 120


def test_clients_choose_what_is_in_it() -> None:
    """Long, odd and colliding values are kept apart and stored."""
    mine = log()
    long = "x" * 3000
    for caller in (
        f"header:a={long}1",
        f"header:a={long}2",
        "header:a='); DROP TABLE--",
        "consumer:\ud800\0",
    ):
        mine.note(limited(caller, request_id="%s"))
    mine.flush()
    assert mine.lost == 0
    assert LimitedCaller.objects.count() == 4
    assert LimitedCaller.objects.filter(caller="header:a='); DROP TABLE--", request_ids="%s").exists()


def test_what_cannot_be_written_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away; what it will never take is dropped, and counted."""
    mine = log()
    mine.note(limited())

    def fail(error: Exception) -> Any:
        def write(*_: object) -> None:
            raise error

        return write

    with monkeypatch.context() as broken:
        broken.setattr(limitedlog, "write", fail(OperationalError("gone")))
        with pytest.raises(OperationalError):
            mine.flush()
    mine.note(limited())
    mine.flush()
    assert LimitedCaller.objects.get().refused == 2
    mine.note(limited())
    monkeypatch.setattr(limitedlog, "write", fail(DataError("odd")))
    mine.flush()
    mine.flush()
    assert mine.lost == 1


def test_a_locked_database_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next round writes; anything else is told by whoever looks."""
    mine = log()
    mine.note(limited())
    with monkeypatch.context() as broken:
        broken.setattr(limitedlog, "write", _raise("database is locked"))
        mine._look()
        broken.setattr(limitedlog, "write", _raise("gone"))
        with pytest.raises(OperationalError):
            mine._look()
    mine._look()
    assert LimitedCaller.objects.get().refused == 1


def _raise(text: str) -> Any:
    def write(*_: object) -> None:
        raise OperationalError(text)

    return write


def test_old_rows_and_those_of_a_crowd_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces: the newest stay."""
    mine = log()
    for number in range(8):
        mine.note(limited(f"ip:{number}", after_s=number))
    mine.flush()
    monkeypatch.setattr(limitedlog, "AT_ONCE", 2)
    assert prune(AT + KEPT_FOR + timedelta(seconds=2), kept=5) is True
    assert prune(AT + KEPT_FOR + timedelta(seconds=2), kept=5) is False
    left = LimitedCaller.objects.order_by("last_at").values_list("caller", flat=True)
    assert list(left) == ["ip:3", "ip:4", "ip:5", "ip:6", "ip:7"]


def test_house_is_kept_after_writing_and_now_and_then() -> None:
    """Also where nobody is refused any more."""
    mine = log()
    clock = SimpleNamespace(now=AT.timestamp())
    mine._now = lambda: clock.now
    mine.note(limited())
    mine._look()
    clock.now += KEPT_FOR.total_seconds() + 1.0
    mine._look()
    assert not LimitedCaller.objects.exists()
    assert mine._prune_at == clock.now + IDLE_PRUNING_S


async def test_a_thread_hears_of_the_limiter_and_writes() -> None:
    """Within a round, and what is left at the end; before and after, the limiter remembers by itself."""
    limiter = Limiter(MemoryStore(), wall_clock=AT.timestamp)
    limiter.tell(limited("ip:before"))
    mine = LimitedLog(limiter, wall_clock=AT.timestamp, round_s=0.02)
    mine.start()
    limiter.tell(limited())
    async with asyncio.timeout(10):
        while not await LimitedCaller.objects.aexists():  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.02)
    limiter.tell(limited("ip:last"))
    await mine.stop()
    callers = [
        each async for each in LimitedCaller.objects.order_by("caller").values_list("caller", flat=True)
    ]
    assert callers == ["ip:1.2.3.4", "ip:last"]
    limiter.tell(limited("ip:after"))
    assert [each.caller for each in limiter.recent] == ["ip:before", "ip:after"]
    assert mine.left_out == 0
