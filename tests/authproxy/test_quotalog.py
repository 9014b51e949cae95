"""Counts of calendar quotas become rows: the most that any worker saw, whatever the database does, and come back."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DataError, OperationalError, connections

from authproxy import quotalog
from authproxy.limiting import Limiter
from authproxy.quotalog import KEPT_FOR_S, PRUNING_S, QuotaLog, ResetWatch, prune, recorded
from authproxy.quotaresets import reset
from resilience.models import QuotaCount
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Decision, Seed
from resilience.stores.memory import MemoryStore
from resilience.stores.seeds import OwnSeeds
from routing import pruning, rowlog
from tests.support.breakers import until

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NOON = 1_800_014_400 - 1_800_014_400 % 86_400 + 43_200
MIDNIGHT = NOON + 43_200
DAY = QuotaPolicy("free", 1000, 86_400.0, algorithm="fixed_window", calendar="day")


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


class Wanting:
    """A store's wishes, and what it got."""

    def __init__(self, *wanted: bool) -> None:
        self.answers = list(wanted)
        self.given: list[list[Seed]] = []
        self.remembered: list[Seed] = []
        self.forgotten: list[str] = []
        self.got = asyncio.Event()

    async def wanted(self) -> bool:
        return self.answers.pop(0) if self.answers else False

    async def give(self, seeds: Sequence[Seed]) -> None:
        self.given.append(list(seeds))
        self.got.set()

    async def remember(self, seeds: Sequence[Seed]) -> None:
        self.remembered += seeds

    async def forget(self, buckets: Sequence[str]) -> None:
        self.forgotten += buckets


def log(seeding: Any = None, **more: Any) -> QuotaLog:
    limiter = Limiter(MemoryStore(), wall_clock=lambda: NOON)
    return QuotaLog(limiter, seeding or Wanting(), **{"wall_clock": lambda: NOON, **more})


def counted(mine: QuotaLog, count: int, key: str = "consumer:ada", *, reset_s: float = 43_200.0) -> None:
    mine.note(Charge(DAY, key), Decision(DAY, True, DAY.limit - count, reset_s, 0.0))


def rows() -> list[tuple[str, int, int]]:
    return list(QuotaCount.objects.values_list("bucket", "count", "ends_s"))


def test_the_most_stays() -> None:
    """In any order, of any worker; a new window begins anew, and an old one changes nothing any more."""
    ours, theirs = log(), log()
    counted(ours, 7)
    counted(ours, 5)  # after Redis was emptied
    counted(theirs, 6)
    ours.flush()
    theirs.flush()
    assert rows() == [("d|free|consumer:ada", 7, MIDNIGHT)]
    counted(ours, 9)
    counted(ours, 1, reset_s=43_200.0 + 86_400.0)
    counted(theirs, 999)
    ours.flush()
    theirs.flush()
    assert rows() == [("d|free|consumer:ada", 1, MIDNIGHT + 86_400)]


def test_clocks_differ() -> None:
    """A window ends at midnight, whatever this machine's clock says; what consumed nothing says nothing."""
    fast, slow = log(wall_clock=lambda: NOON + 3600), log(wall_clock=lambda: NOON - 3600)
    counted(fast, 3)
    counted(slow, 4)
    counted(slow, 0, "consumer:eve", reset_s=0.0)
    fast.flush()
    slow.flush()
    assert rows() == [("d|free|consumer:ada", 4, MIDNIGHT)]


def test_workers_write_at_the_same_time() -> None:
    """The highest count of each stays, and nobody waits for another for ever."""

    def work(number: int) -> None:
        try:
            for turn in range(5):
                mine = log()
                for caller in range(700):
                    counted(mine, 1 + (number * 7 + turn * 3 + caller) % 100 + caller, f"ip:{caller}")
                mine._write_last()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    most = {
        f"d|free|ip:{caller}": 1 + caller + max((n * 7 + t * 3 + caller) % 100 for n in range(4) for t in range(5))
        for caller in range(700)
    }  # fmt: skip
    assert {bucket: count for bucket, count, _ in rows()} == most


def test_few_statements_for_many_buckets(django_assert_num_queries: Any) -> None:
    """Ten thousand and more at a time; none at all where nothing was counted."""
    mine = log()
    for number in range(12_000):
        counted(mine, 5, f"ip:{number}")
    with django_assert_num_queries(24):
        assert len(mine.flush()) == 12_000
    with django_assert_num_queries(0):
        mine.flush()
    assert QuotaCount.objects.count() == 12_000


def test_what_cannot_be_written_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bounded memory, while the database is away; what it will never take is dropped, and counted."""
    mine = log(most=2)
    counted(mine, 7)
    with monkeypatch.context() as broken:
        broken.setattr(quotalog, "write", failing(OperationalError("gone"), then=lambda: counted(mine, 6)))
        with pytest.raises(OperationalError):
            mine.flush()
    counted(mine, 1, "consumer:bob")
    counted(mine, 1, "consumer:eve")
    assert mine.left_out == 1
    mine.flush()
    assert [row[:2] for row in rows()] == [("d|free|consumer:ada", 7), ("d|free|consumer:bob", 1)]
    counted(mine, 8, "consumer:\0")
    mine.flush()
    assert mine.lost == 1
    counted(mine, 9)
    monkeypatch.setattr(quotalog, "write", failing(DataError("odd")))
    mine.flush()
    mine.flush()
    assert mine.lost == 2


def failing(error: Exception, *, then: Any = lambda: None) -> Any:
    def write(*_: object) -> None:
        then()
        raise error

    return write


async def test_a_locked_database_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next round writes, and stores are seeded all the same; anything else is told by whoever looks."""
    seeding = Wanting(True, False, False)
    mine = log(seeding, first_answer_s=0.0)
    mine._loop = asyncio.get_running_loop()
    counted(mine, 7)
    with monkeypatch.context() as broken:
        broken.setattr(quotalog, "write", failing(OperationalError("database is locked")))
        await sync_to_async(mine._look)()
        assert seeding.given == [[]]
        broken.setattr(quotalog, "write", failing(OperationalError("gone")))
        with pytest.raises(OperationalError):
            await sync_to_async(mine._look)()
    await sync_to_async(mine._look)()
    assert await sync_to_async(rows)() == [("d|free|consumer:ada", 7, MIDNIGHT)]
    assert seeding.remembered == [Seed("d|free|consumer:ada", 7, MIDNIGHT)]


def test_the_last_write_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all workers of SQLite leave together; what else fails is not."""
    mine = log()
    counted(mine, 7)
    tries: list[int] = []

    def locked_twice(seeds: Sequence[Seed], _resets: Any = None) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("database is locked")
        written(seeds, {})

    written = quotalog.write
    with monkeypatch.context() as busy:
        busy.setattr(quotalog, "write", locked_twice)
        mine._write_last()
    assert (len(tries), rows()) == (3, [("d|free|consumer:ada", 7, MIDNIGHT)])
    counted(mine, 8)
    for said, count in (("database is locked", rowlog.LAST_TRIES), ("gone", 1)):
        tries.clear()
        monkeypatch.setattr(quotalog, "write", failing(OperationalError(said), then=lambda: tries.append(1)))
        with pytest.raises(OperationalError):
            mine._write_last()
        assert len(tries) == count


def test_highest_counts_of_windows_that_last_come_back() -> None:
    """As many as are wanted."""
    mine = log()
    for key, count in (("a", 3), ("b", 9), ("c", 5)):
        counted(mine, count, key)
    counted(mine, 99, "past", reset_s=-43_200.0)
    mine.flush()
    assert recorded(NOON, most=2) == [Seed("d|free|b", 9, MIDNIGHT), Seed("d|free|c", 5, MIDNIGHT)]


def test_past_windows_and_the_least_of_a_crowd_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces."""
    mine = log()
    for number in range(1, 9):
        counted(mine, number, f"{number}")
    for number in range(3):
        counted(mine, 99, f"past{number}", reset_s=-43_200.0 - 86_400.0)
    mine.flush()
    for module in (quotalog, pruning):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    rounds = 1
    while prune(NOON, kept=5):
        rounds += 1
    assert rounds == 2
    assert sorted(count for _, count, _ in rows()) == [4, 5, 6, 7, 8]


async def test_house_is_kept_now_and_then() -> None:
    """Also where nothing is counted any more."""
    clock = SimpleNamespace(now=NOON)
    mine = log(wall_clock=lambda: clock.now)
    mine._loop = asyncio.get_running_loop()
    counted(mine, 3)
    await sync_to_async(mine._look)()
    clock.now = MIDNIGHT + KEPT_FOR_S + 1
    await sync_to_async(mine._look)()
    assert await sync_to_async(rows)() == []
    assert mine._prune_at == clock.now + PRUNING_S


async def test_a_restart_goes_on_counting() -> None:
    """What one process counted, to its last request, the next knows before its first; refusals are not noted."""
    two = QuotaPolicy("two", 2, 31 * 86_400.0, algorithm="fixed_window", calendar="month")

    async def process(asks: int) -> list[bool]:
        store = MemoryStore()
        limiter = Limiter(store, wall_clock=lambda: NOON)
        mine = QuotaLog(limiter, OwnSeeds(store), round_s=60.0)
        await mine.start()
        found = []
        for _ in range(asks):
            charge = Charge(two, "consumer:ada")
            verdict = store.take([charge])
            found.append(verdict.allowed)
            if verdict.allowed:
                limiter.count(charge, verdict.decisions[0])
        await mine.stop()
        return found

    assert [await process(1), await process(2), await process(1)] == [[True], [True, False], [False]]


async def test_what_is_wanted_later_is_given_within_a_round() -> None:
    """With what was counted just before."""
    seeding = Wanting(True)
    mine = log(seeding, round_s=0.02)
    counted(mine, 7)
    await mine.start()
    assert seeding.given == [[Seed("d|free|consumer:ada", 7, MIDNIGHT)]]
    counted(mine, 8)
    seeding.answers, seeding.got = [True], asyncio.Event()
    async with asyncio.timeout(10):
        await seeding.got.wait()
    await mine.stop()
    assert seeding.given[1] == [Seed("d|free|consumer:ada", 8, MIDNIGHT)]


ADA = "d|free|consumer:ada"


def test_what_was_counted_before_a_reset_is_not_written() -> None:
    """By a worker that has not heard of it; and one that has forgets what it noted, and counts on."""
    ours, theirs = log(), log()
    for each in (ours, theirs):
        each._obey()
        counted(each, 7)
        each.flush()
        counted(each, 9)
    reset(ADA, by="anna")
    theirs.flush()
    assert rows() == [(ADA, 0, MIDNIGHT)]
    assert (ours._obey(), ours._obey()) == ([ADA], [])
    ours.flush()
    assert rows() == [(ADA, 0, MIDNIGHT)]
    counted(ours, 1)
    ours.flush()
    counted(theirs, 8)
    theirs.flush()
    assert rows() == [(ADA, 1, MIDNIGHT)]
    later = log()
    later._obey()
    counted(later, 2)
    later.flush()
    assert rows() == [(ADA, 2, MIDNIGHT)]
    counted(theirs, 1, reset_s=43_200.0 + 86_400.0)
    theirs.flush()
    assert rows() == [(ADA, 1, MIDNIGHT + 86_400)]


def test_a_note_of_a_long_key_is_forgotten_as_well() -> None:
    """Of which the bucket's name has only a digest."""
    mine, key = log(), "header:x=" + "é" * 300
    mine._obey()
    counted(mine, 7, key)
    mine.flush()
    counted(mine, 8, key)
    counted(mine, 8)
    reset(rows()[0][0], by="anna")
    mine._obey()
    assert [seed.bucket for seed in mine.flush()] == [ADA]


async def test_a_reset_reaches_the_memory_of_a_worker() -> None:
    """Woken by whoever looks for orders."""
    seeding = Wanting()
    mine = log(seeding, round_s=60.0)
    watch = ResetWatch(mine.wake)
    await mine.start()
    await sync_to_async(watch.look)(lambda _function: None)
    counted(mine, 7)
    await sync_to_async(mine.flush)()
    await sync_to_async(reset)(ADA, by="anna")
    await sync_to_async(watch.look)(lambda _function: None)
    await until(lambda: bool(seeding.forgotten))
    await mine.stop()
    watch.leave()
    assert seeding.forgotten == [ADA]
