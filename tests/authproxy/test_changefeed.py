"""Every worker learns of every change, within a second, whatever the database does meanwhile."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections, transaction

from authproxy import changefeed, revocation
from authproxy.changefeed import ChangeFeed, kept_s
from authproxy.changes import EVERYBODY, Change
from authproxy.keptchanges import KeptChanges
from authproxy.models import IdentityChange
from routing.notify import bind_redis
from tests.support.changefeeds import Counted, Known, Outage, caller, fed, record, subjects, until
from tests.support.stopwatch import Stopwatch

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NEVER_S = 60.0


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    """The thread in which asynchronous tests reach the database closes its connection."""
    yield
    await sync_to_async(connections.close_all)()


async def test_a_start_knows_what_was_changed_lately() -> None:
    """What only expired tokens name is left out; what tokens from elsewhere may name is kept longer."""
    for subject, age in (
        ("user:1", timedelta(days=6)),
        ("user:2", timedelta(days=8)),
        ("session:1", timedelta(minutes=10)),
        ("session:2", timedelta(hours=1)),
    ):
        row = await IdentityChange.objects.acreate(subject=subject)
        await IdentityChange.objects.filter(pk=row.pk).aupdate(created_at=datetime.now(UTC) - age)
    async with fed() as (feed, known):
        assert feed.database_error == ""
        await known.ends("user:1")
        stale = [
            known.is_stale(caller(subject)) for subject in ("user:1", "session:1", "user:2", "session:2")
        ]
        assert stale == [True, True, False, False]


async def test_a_change_is_known_by_polling_alone(stopwatch: Stopwatch) -> None:
    """Within a second of the commit, with no announcement at all."""
    async with fed() as (_, known):
        await record("key:1", "user:1")
        assert await stopwatch.of(known.ends("key:1")) < 1.0
        assert known.is_stale(caller("user:1"))
        assert not known.is_stale(caller("user:2"))


async def test_a_wake_up_is_enough_without_polling(stopwatch: Stopwatch) -> None:
    """Woken, it looks at once."""
    async with fed(poll_s=NEVER_S) as (feed, known):
        await record("key:1")
        feed.wake()
        assert await stopwatch.of(known.ends("key:1")) < 1.0
        assert not known.is_stale(caller("key:2"))


async def test_news_wake_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over whatever there is: Redis always, PostgreSQL where it is the database."""
    monkeypatch.setattr(revocation, "CHANNEL", f"test_{uuid.uuid4().hex}")
    known = Known()
    feed = ChangeFeed(known, access_lifetime_s=900.0, poll_s=NEVER_S)
    feed.listen(redis_url=redis_url)
    assert len(feed._poller._heard) == (2 if connection.vendor == "postgresql" else 1)
    bind_redis(redis_url)
    await feed.start()
    try:
        async with asyncio.timeout(10):
            while not known.is_stale(caller("key:1")):
                await record("key:1")  # until the ear is open
                await asyncio.sleep(0.02)
    finally:
        bind_redis(None)
        await feed.stop()


async def test_losing_the_database_keeps_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what came meanwhile is known as soon as it answers."""
    await record("key:1")
    async with fed(poll_s=0.02) as (feed, known):
        await known.ends("key:1")
        down = Outage(monkeypatch)
        await until(lambda: "connection refused" in feed.database_error)
        assert known.is_stale(caller("key:1"))
        await record("key:2")
        down.ends()
        await known.ends("key:2")
        await until(lambda: feed.database_error == "")


async def test_a_start_without_a_database_is_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known to it is known here once it answers."""
    await record("key:1")
    down = Outage(monkeypatch)
    async with fed(poll_s=0.02) as (feed, known):
        assert feed.database_error
        down.ends()
        await known.ends("key:1")


async def test_a_transaction_that_commits_late_is_not_missed() -> None:
    """Another change has to wait for it, so no number comes after a greater one."""
    began, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            revocation.record("key:1", reason="slow")
            began.set()
            may_commit.wait(10)
        connections.close_all()

    def quick() -> None:
        revocation.record("key:2", reason="quick")
        connections.close_all()

    told: list[str] = []
    async with fed(poll_s=0.02) as (feed, known):
        known.subscribe(told.extend)
        threads = [threading.Thread(target=slow), threading.Thread(target=quick)]
        threads[0].start()
        await asyncio.to_thread(began.wait, 10)
        threads[1].start()
        await asyncio.to_thread(threads[1].join, 0.3)
        assert threads[1].is_alive()
        feed.wake()
        may_commit.set()
        await known.ends("key:1")
        await known.ends("key:2")
        for thread in threads:
            await asyncio.to_thread(thread.join)
    assert told == ["key:1", "key:2"]


async def test_a_backup_in_the_database_s_place_ends_everybody_once() -> None:
    """Numbers count on from what the worker knows, so that nothing is missed afterwards."""
    await record("key:1", "key:2", "key:3")
    newest = await sync_to_async(revocation.newest)()
    async with fed(poll_s=0.02) as (_, known):
        await known.ends("key:3")
        await IdentityChange.objects.filter(pk__gt=newest - 2).adelete()
        await known.knows(lambda: known.is_stale(caller("key:9", seq=newest)))
        assert await sync_to_async(revocation.newest)() == newest + 1
        await record("key:4")
        await known.knows(lambda: known.is_stale(caller("key:4", seq=newest + 1)))


async def test_signing_keys_are_loaded_at_the_start_and_when_they_change() -> None:
    """In the feed's thread; if that fails, the change is not taken for seen."""
    loaded = threading.Semaphore(0)
    failures = [OperationalError("connection refused")]

    def load() -> None:
        assert threading.current_thread().name == "change-feed"
        if failures:
            raise failures.pop()
        loaded.release()

    async with fed(poll_s=0.02, reload_keys=load) as (_, known):
        assert await asyncio.to_thread(loaded.acquire, timeout=10)
        failures.append(OperationalError("connection refused"))
        await record(revocation.SIGNING_KEYS, "key:1")
        await known.ends("key:1")
        assert await asyncio.to_thread(loaded.acquire, timeout=10)
        await record("key:2")
        await known.ends("key:2")
        assert not loaded.acquire(blocking=False)


async def test_very_many_changes_are_noted_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go on meanwhile."""
    monkeypatch.setattr(changefeed, "_BATCH", 10)
    batches: list[int] = []
    await record(*map(revocation.session, [uuid.uuid4() for _ in range(25)]))
    known = Known()
    known.subscribe(lambda subjects: batches.append(len(subjects)))
    feed = ChangeFeed(known, access_lifetime_s=900.0)
    await feed.start()
    await known.knows(lambda: sum(batches) == 25)
    await feed.stop()
    assert batches == [10, 10, 5]


async def test_what_is_old_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock; a token that it concerned has expired."""
    monkeypatch.setattr(changefeed, "FORGET_EVERY_S", 0.0)
    now = [datetime.now(UTC).timestamp()]
    await record("session:1", "user:1")
    async with fed(poll_s=0.02, wall_clock=lambda: now[0]) as (_, known):
        await known.ends("user:1")
        now[0] += 1000.0
        await until(lambda: not known.is_stale(caller("session:1", seq=None, issued_at=1.0)))
        assert known.is_stale(caller("user:1", seq=None, issued_at=1.0))


def test_changes_are_kept_as_long_as_tokens_live() -> None:
    """And some time longer, for clocks that differ."""
    assert kept_s(900.0) == (960.0, 7 * 86400.0)
    assert kept_s(30 * 86400.0) == (30 * 86400.0 + 60.0, 30 * 86400.0 + 60.0)


async def test_a_start_without_the_database_knows_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whichever worker of the node heard of it; when the database answers, it counts."""
    await record("key:1")
    async with fed(kept=KeptChanges(tmp_path)) as (_, known):
        await known.ends("key:1")
        await record("user:2")
        await known.ends("user:2")
    outage = Outage(monkeypatch)
    async with fed(kept=KeptChanges(tmp_path)) as (feed, known):
        assert feed.database_error
        assert [known.is_stale(caller(each)) for each in ("key:1", "user:2", "key:3")] == [True, True, False]
        outage.ends()
        await record("key:3")
        await known.ends("key:3")


async def test_a_database_that_is_older_than_what_was_kept(tmp_path: Path) -> None:
    """A backup, or a new and empty one: everybody is read anew once, and passes then; also after another start."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([Change(10**6, "key:1", datetime.now(UTC).timestamp())], upto=10**6)
    for _ in range(2):
        async with fed(kept=kept) as (feed, known):
            await known.ends("key:7")
            assert feed.database_error == ""
            assert await sync_to_async(revocation.newest)() == 10**6 + 1
            assert known.is_stale(caller("key:7", seq=10**6))
            assert not known.is_stale(caller("key:1", seq=10**6 + 1))
            assert not known.is_stale(caller("key:1", seq=None, issued_at=datetime.now(UTC).timestamp()))
    async with fed(kept=kept) as (_, known):
        await record("key:8")
        await known.knows(lambda: known.newest > 10**6 + 1)
        assert known.is_stale(caller("key:8", seq=10**6 + 1))


async def test_who_knows_nothing_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And who knows something, how much."""
    Outage(monkeypatch)
    kept = KeptChanges(tmp_path)
    async with fed(kept=kept):
        assert caplog.text.count("no revocation is known") == 1
    kept.rewrite([Change(5, "key:1", 5.0)], upto=5)
    async with fed(kept=kept):
        assert caplog.text.count("known up to number 5") == 1


async def test_what_was_kept_is_forgotten_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the worker had known it all the time."""
    Outage(monkeypatch)
    now = datetime.now(UTC).timestamp()
    kept = KeptChanges(tmp_path)
    old, brief = Change(1, "user:1", now - 8 * 86400), Change(2, "session:2", now - 1000)
    kept.rewrite([old, brief, Change(3, "user:3", now - 1000)], upto=3)
    async with fed(kept=kept) as (_, known):
        stale = [known.is_stale(caller(f"{each.subject}", seq=None)) for each in (old, brief)]
        assert stale == [False, False]
        assert known.is_stale(caller("user:3", seq=None))
        assert known.newest == 3


async def test_changes_are_kept_once_a_second_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one by one; and nothing is written where nothing changed."""
    monkeypatch.setattr(changefeed, "KEEP_EVERY_S", 60.0)
    kept = Counted(tmp_path)
    await record("key:0")
    async with fed(kept=kept, poll_s=0.02) as (_, known):
        for number in range(1, 4):
            await record(f"key:{number}")
            await known.ends(f"key:{number}")
        assert (subjects(kept), kept.attempts) == (["key:0"], 1)
    assert (subjects(kept), kept.attempts) == (["key:0", "key:1", "key:2", "key:3"], 2)


async def test_what_could_not_be_kept_is_kept_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full, and the database is away by the time that it has room again."""
    monkeypatch.setattr(changefeed, "KEEP_EVERY_S", 0.0)
    kept = Counted(tmp_path)
    async with fed(kept=kept, poll_s=0.02) as (feed, known):
        await until(lambda: kept.attempts > 0)
        kept.is_full = True
        await record("key:1")
        await known.ends("key:1")
        await record("key:2")
        await known.ends("key:2")
        Outage(monkeypatch)
        await until(lambda: feed.database_error != "")
        assert subjects(kept) == []
        kept.is_full = False
        await until(lambda: subjects(kept) == ["key:1", "key:2"])


async def test_too_much_that_could_not_be_kept_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for the disk is bounded; a file that was deleted is begun anew just so."""
    monkeypatch.setattr(changefeed, "KEEP_EVERY_S", 0.0)
    monkeypatch.setattr(changefeed, "_MOST", 2)
    kept = Counted(tmp_path)
    async with fed(kept=kept, poll_s=0.02) as (feed, known):
        kept.is_full = True
        for number in range(9):
            await record(f"key:{number}")
            await known.ends(f"key:{number}")
            assert len(feed._unkept) <= 4
        kept.is_full = False
        await until(lambda: subjects(kept)[-2:] == ["key:7", "key:8"])
        kept.path.unlink()
        await record("key:9")
        await until(lambda: subjects(kept) == [EVERYBODY, "key:8", "key:9"])


async def test_a_start_with_too_many_changes_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may rest on one that is left out is stale."""
    monkeypatch.setattr(changefeed, "_MOST", 2)
    await record("key:1", "key:2", "key:3")
    newest = await sync_to_async(revocation.newest)()
    async with fed() as (_, known):
        await known.ends("key:3")
        assert known.is_stale(caller("key:1", seq=newest - 3))
        assert not known.is_stale(caller("key:1", seq=newest - 2))
        assert not known.is_stale(caller("key:9", seq=newest - 2))
