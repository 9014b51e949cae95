"""The outbox: what it says is kept is in the database, and goes out in order when the hub is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections

from authproxy.bus import Published, Unpublished
from realtime.bus import kept, outbox
from realtime.bus.link import BusLink
from realtime.bus.outbox import DatabaseOutbox
from realtime.models import DeadLetter, WaitingEvent
from tests.support.buses import FakeHub, message

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
async def _no_connection_is_left() -> AsyncIterator[None]:
    """Of the thread that looks at rows."""
    yield
    await sync_to_async(connections.close_all)()


@asynccontextmanager
async def running(hub: FakeHub, holder: str = "w") -> AsyncIterator[tuple[BusLink, DatabaseOutbox]]:
    box = DatabaseOutbox(holder=holder, round_s=0.02)
    link = BusLink(lambda: hub, outbox=box)
    link.start()
    box.start(link)
    try:
        yield link, box
    finally:
        await box.stop()
        await link.stop()


async def waiting() -> int:
    return await sync_to_async(WaitingEvent.objects.count)()


async def until_empty() -> None:
    async with asyncio.timeout(10):
        while await waiting():  # noqa: ASYNC110 - rows are looked at
            await asyncio.sleep(0.02)


async def publish(link: BusLink, body: bytes) -> Published | Unpublished:
    return await link.publish("t", body, content_type=b"", headers={})


async def test_what_is_kept_goes_out_in_order() -> None:
    """By another worker, if the one that kept it has died."""
    away = FakeHub("away")
    async with running(away, "dead") as (link, box):
        answers = [await publish(link, b"%d" % n) for n in range(5)]
    assert [each.kept_by for each in answers if isinstance(each, Published)] == ["outbox"] * 5
    assert box.counts.kept == 5
    hub = FakeHub()
    async with running(hub, "late") as (_, other):
        await until_empty()
    assert [each.body for each in hub.got] == [b"0", b"1", b"2", b"3", b"4"]
    assert [each.id for each in hub.got] == [each.id for each in answers if isinstance(each, Published)]
    assert other.counts.sent == 5


async def test_many_at_a_time_go_into_few_transactions() -> None:
    async with running(FakeHub("away")) as (link, box):
        answers = await asyncio.gather(*(publish(link, b"x") for _ in range(200)))
        await box.ask(lambda: None)
        await box.ask(lambda: None)
        assert box.waiting == 200
    assert all(isinstance(each, Published) for each in answers)
    assert await waiting() == 200


async def test_a_full_outbox_promises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_EVENTS", 1)
    async with running(FakeHub("away")) as (link, box):
        assert isinstance(await publish(link, b"1"), Published)
        assert isinstance(await publish(link, b"2"), Unpublished)
        assert box.counts.refused == 1


async def test_a_database_that_fails_promises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one that is late; it is asked again later."""

    def fail(_: object) -> int:
        raise DatabaseError("gone")

    async with running(FakeHub("away")) as (link, _):
        with monkeypatch.context() as broken:
            broken.setattr(kept, "put", fail)
            broken.setattr(outbox, "PUT_S", 1.0)
            assert isinstance(await publish(link, b"1"), Unpublished)
        async with asyncio.timeout(10):
            while not isinstance(await publish(link, b"2"), Published):  # noqa: ASYNC110 - a thread changes it
                await asyncio.sleep(0.05)


async def test_what_the_hub_never_takes_is_a_dead_letter() -> None:
    """And those behind it go on."""
    hub = FakeHub()
    sends = hub.send

    async def choosy(event: object) -> None:
        hub.mode = "refuses" if event.body == b"bad" else "up"  # type: ignore[attr-defined]
        await sends(event)  # type: ignore[arg-type]

    hub.send = choosy  # type: ignore[method-assign]
    await sync_to_async(kept.put)([message(1), message(2, body=b"bad"), message(3)])
    async with running(hub) as (_, box):
        await until_empty()
        assert box.counts.dead == 1
    assert [each.id for each in hub.got] == ["e1", "e3"]
    dead = await sync_to_async(DeadLetter.objects.get)()
    assert (dead.event_id, dead.direction, dead.reason) == ("e2", "out", "it is not wanted")
