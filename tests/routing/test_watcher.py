"""The watcher hands every new revision to the loop, and never takes away what is served."""

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections

from routing import notify, polling
from routing import watcher as watching
from routing.compiler import CompileOptions
from routing.document.canonical import canonicalise, digest
from routing.drafts import Actor
from routing.lastgood import LastGood
from routing.models import Node, Revision
from routing.publishing import apply_document
from routing.registry import Registry
from routing.revision import RevisionRecord
from routing.watcher import RevisionWatcher
from tests.support.configuration import small
from tests.support.stopwatch import Stopwatch

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NEVER_S = 60.0


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    """The thread in which asynchronous tests reach the database closes its connection."""
    yield
    await sync_to_async(connections.close_all)()


@sync_to_async
def apply(port: int = 8001) -> None:
    apply_document(small(port), actor=Actor("test"))


async def live(registry: Registry, revision: int) -> None:
    """Returns when the revision is served."""
    if registry.current is not None and registry.current.revision == revision:
        return
    swapped = asyncio.Event()
    registry.subscribe(lambda _old, new: swapped.set() if new.revision == revision else None)
    async with asyncio.timeout(10):
        await swapped.wait()


@asynccontextmanager
async def watched(**options: Any) -> AsyncIterator[tuple[RevisionWatcher, Registry]]:
    registry = Registry(CompileOptions())
    watcher = RevisionWatcher(registry, **options)
    await watcher.start()
    try:
        yield watcher, registry
    finally:
        await watcher.stop()


async def test_a_start_serves_what_is_live(tmp_path: Path) -> None:
    """When `start` returns, the newest revision is served, and kept."""
    await apply()
    await apply(9)
    kept = LastGood(tmp_path)
    async with watched(last_good=kept) as (_, registry):
        assert registry.current is not None
        assert registry.current.revision == 2
    record = kept.load()
    assert record is not None
    assert record.number == 2


async def test_a_change_is_live_by_polling_alone(stopwatch: Stopwatch) -> None:
    """Within a second of the commit, with no announcement at all."""
    await apply()
    async with watched() as (_, registry):
        await apply(9)
        began = time.time()
        await live(registry, 2)
        assert stopwatch.since(began) < 1.0


async def test_a_wake_up_is_enough_without_polling() -> None:
    """Woken, the watcher looks at once."""
    await apply()
    async with watched(poll_s=NEVER_S) as (watcher, registry):
        await apply(9)
        watcher.wake()
        await live(registry, 2)
        assert registry.current is not None
        assert registry.current.revision == 2


async def test_an_empty_database_serves_nothing(tmp_path: Path) -> None:
    """Whatever another database left in the folder."""
    kept = LastGood(tmp_path)
    kept.save(record(3))
    async with watched(last_good=kept) as (watcher, registry):
        assert registry.current is None
        assert watcher.database_error == ""
        await apply()
        await live(registry, 1)


async def test_without_a_database_the_kept_revision_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the database's own as soon as it answers."""
    await apply()
    kept = LastGood(tmp_path)
    kept.save(record(7))
    down = Outage(monkeypatch)
    async with watched(last_good=kept, poll_s=0.05) as (watcher, registry):
        assert registry.current is not None
        assert registry.current.revision == 7
        assert "cannot be reached" in watcher.database_error
        down.ends()
        await live(registry, 1)


async def test_a_database_that_does_not_answer_does_not_hold_up_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `first_answer_s` the kept revision is served."""
    kept = LastGood(tmp_path)
    kept.save(record(7))
    hanging = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(_self: RevisionWatcher) -> None:
        asyncio.run_coroutine_threadsafe(hanging.wait(), loop).result()

    monkeypatch.setattr(RevisionWatcher, "_newer_revision", hang)
    async with watched(last_good=kept, first_answer_s=0.1) as (_, registry):
        assert registry.current is not None
        assert registry.current.revision == 7
        hanging.set()


async def test_losing_the_database_keeps_what_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage is noted, and over when it is over."""
    await apply()
    async with watched(poll_s=0.02) as (watcher, registry):
        down = Outage(monkeypatch)
        async with asyncio.timeout(5):
            while not watcher.database_error:  # noqa: ASYNC110 - a thread sets it
                await asyncio.sleep(0.01)
        assert registry.current is not None
        await apply(9)
        down.ends()
        await live(registry, 2)
        async with asyncio.timeout(5):
            while watcher.database_error:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_revision_that_does_not_compile_here_is_reported(tmp_path: Path) -> None:
    """The old one is served and kept; the node's row says what is wrong; the next good one is served."""
    await apply()
    kept = LastGood(tmp_path)
    async with watched(last_good=kept, poll_s=0.05) as (_, registry):
        await sync_to_async(publish_nonsense)()
        async with asyncio.timeout(10):
            while not await Node.objects.filter(revision=1, error__contains="revision 2").aexists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert registry.current is not None
        assert registry.current.revision == 1
        record = kept.load()
        assert record is not None
        assert record.number == 1
        await apply(9)
        await live(registry, 3)


async def test_a_node_says_what_it_serves_and_leaves() -> None:
    """Its row is there while it runs, and gone when it stopped."""
    await apply()
    async with watched(role="data"):
        async with asyncio.timeout(5):
            while not await Node.objects.filter(revision=1).aexists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        row = await Node.objects.aget()
        assert (row.role, row.error) == ("data", "")
        assert row.since is not None
    assert not await Node.objects.aexists()


async def test_a_hanging_query_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog breaks the connection of a query that takes too long."""
    broken, hung = threading.Event(), threading.Event()
    monkeypatch.setattr(polling, "WATCHDOG_S", 0.01)
    monkeypatch.setattr(polling, "HUNG_AFTER_S", 0.05)
    monkeypatch.setattr(polling, "break_off", lambda _sideline: broken.set())

    def hang(*_questions: str) -> tuple[None, None]:
        if broken.wait(10):
            hung.set()
        return None, None

    async with watched():
        monkeypatch.setattr(watching, "answers", hang)
        assert await asyncio.to_thread(hung.wait, 10)


class Outage:
    """The watcher's queries fail until it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = True
        ask = RevisionWatcher._newer_revision

        def asked(watcher: RevisionWatcher) -> tuple[int, str, str] | None:
            if self.on:
                raise OperationalError("connection refused")
            return ask(watcher)

        monkeypatch.setattr(RevisionWatcher, "_newer_revision", asked)

    def ends(self) -> None:
        self.on = False


def record(number: int) -> RevisionRecord:
    document = canonicalise(small())
    return RevisionRecord(number=number, digest=digest(document), document=document)


def publish_nonsense() -> None:
    """As another version of the gateway might."""
    Revision.objects.create(
        number=2, author="x", source="x", document='{"routes":[{"name":"r","service":"none"}]}', digest="x"
    )


async def test_a_watcher_that_listens_is_woken(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over whatever there is: Redis always, PostgreSQL where it is the database."""
    await apply()
    monkeypatch.setattr(notify, "CHANNEL", f"test_{uuid.uuid4().hex}")
    registry = Registry(CompileOptions())
    watcher = RevisionWatcher(registry, poll_s=NEVER_S)
    watcher.listen(redis_url=redis_url)
    assert len(watcher._poller._heard) == (2 if connection.vendor == "postgresql" else 1)
    await watcher.start()
    client = redis.asyncio.Redis.from_url(redis_url)
    try:
        await apply(9)
        async with asyncio.timeout(5):
            while not await client.publish(notify.CHANNEL, "2"):  # noqa: ASYNC110 - another connection changes it
                await asyncio.sleep(0.02)
        await live(registry, 2)
    finally:
        await client.aclose()
        await watcher.stop()


async def test_an_unforeseen_error_does_not_end_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noted like an outage, and tried again."""
    await apply()
    ask = RevisionWatcher._newer_revision
    failures = [ZeroDivisionError("boom")]

    def asked(watcher: RevisionWatcher) -> tuple[int, str, str] | None:
        if failures:
            raise failures.pop()
        return ask(watcher)

    monkeypatch.setattr(RevisionWatcher, "_newer_revision", asked)
    async with watched(poll_s=0.02) as (watcher, registry):
        await live(registry, 1)
        assert watcher.database_error in ("", "ZeroDivisionError: boom")


async def test_a_full_disk_does_not_stop_a_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is served although it cannot be kept."""

    def full(_self: LastGood, _record: RevisionRecord) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LastGood, "save", full)
    await apply()
    async with watched(last_good=LastGood(tmp_path)) as (watcher, registry):
        assert registry.current is not None
        assert watcher.database_error == ""


async def test_a_report_waits_for_a_long_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database is no outage: only the report is late."""
    await apply()

    def locked(*_args: Any, **_more: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(watching.node, "report", locked)
    async with watched(poll_s=0.02) as (watcher, registry):
        await apply(9)
        await live(registry, 2)
        assert watcher.database_error == ""
