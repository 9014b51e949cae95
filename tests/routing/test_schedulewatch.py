"""The watch over what is scheduled: of several workers one does it, an outage only delays it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from routing import schedulewatch
from routing.drafts import Actor
from routing.locking import StoreUnavailable
from routing.models import Revision, Schedule
from routing.publishing import apply_document
from routing.schedulewatch import ScheduleWatch
from routing.scheduling import add
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WORKERS = 4
ANNA = Actor("anna")


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


def scheduled() -> None:
    """One change that is due."""
    apply_document(small(), actor=ANNA)
    off = {"version": 1, "routes": [{"name": "orders", "enabled": False}]}
    add(off, actor=ANNA, zone="UTC", starts_at=NOW, ends_at=NOW + timedelta(hours=1), now=NOW)


def watch() -> ScheduleWatch:
    return ScheduleWatch(every_s=0.01, wall_clock=NOW.timestamp)


async def active() -> None:
    async with asyncio.timeout(20):
        while not await Schedule.objects.filter(state="active").aexists():  # noqa: ASYNC110 - of threads
            await asyncio.sleep(0.01)


async def test_of_several_workers_one_does_it() -> None:
    """Each looks at the same moment, again and again; there is one revision more."""
    await sync_to_async(scheduled)()
    watches = [watch() for _ in range(WORKERS)]
    for each in watches:
        each.start()
    await active()
    for each in watches:
        await each._poller.first_answer(within_s=20)
        await each.stop()
    assert await Revision.objects.acount() == 2


async def test_a_store_that_is_away_only_delays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes on."""
    await sync_to_async(scheduled)()
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()
    really = schedulewatch.run_due

    def away(_now: datetime) -> int:
        monkeypatch.setattr(schedulewatch, "run_due", really)
        loop.call_soon_threadsafe(tried.set)
        raise StoreUnavailable("away")

    monkeypatch.setattr(schedulewatch, "run_due", away)
    one = watch()
    one.start()
    await asyncio.wait_for(tried.wait(), 20)
    await active()
    await one.stop()
    assert await Revision.objects.acount() == 2
