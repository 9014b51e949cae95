"""One worker's way to the hub: what is confirmed, what is kept, what is refused, and never a wait without end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authproxy.bus import Published, Unpublished
from realtime.bus import link as module
from realtime.bus.adapter import Message
from realtime.bus.link import BusLink, event_id, rfc3339
from tests.support.buses import FakeHub
from tests.support.virtualtime import clock, in_virtual_time


class FakeOutbox:
    def __init__(self, room: int = 1) -> None:
        self.room = room
        self.kept: list[Message] = []

    async def put(self, message: Message) -> bool:
        if len(self.kept) >= self.room:
            return False
        self.kept.append(message)
        return True


@asynccontextmanager
async def linked(hub: FakeHub, **more: Any) -> AsyncIterator[BusLink]:
    link = BusLink(lambda: hub, **more)
    link.start()
    try:
        await asyncio.sleep(0.01)
        yield link
    finally:
        await link.stop()


async def publish(link: BusLink, body: bytes = b"x") -> Published | Unpublished:
    return await link.publish("t", body, content_type=b"text/plain", headers={"x-consumer": "ada"})


@in_virtual_time
async def test_confirmed() -> None:
    """With an id of its own, when it was, and what it came with."""
    hub = FakeHub()
    async with linked(hub) as link:
        answers = [await publish(link), await publish(link)]
    assert [each.id for each in answers if isinstance(each, Published)] == [each.id for each in hub.got]
    assert len({each.id for each in hub.got}) == 2
    assert hub.got[0][1:] == ("t", hub.got[0].time, b"x", "text/plain", {"x-consumer": "ada"})
    assert hub.closed == 1


@in_virtual_time
async def test_away_and_back() -> None:
    """It is 503 at once, and 202 again when the hub is back, without anybody's help."""
    hub = FakeHub("away")
    async with linked(hub) as link:
        began = clock()
        assert await publish(link) == Unpublished(module.AWAY, 2.0)
        assert clock() == began
        hub.mode = "up"
        async with asyncio.timeout(2 * module.LONGEST_PAUSE_S):
            await link.up.wait()
        assert isinstance(await publish(link), Published)
        assert hub.opened == hub.closed + 1
    assert link.counts.refused == 1


@in_virtual_time
async def test_hub_that_hangs() -> None:
    """The first waits for the time limit, the others not at all."""
    hub = FakeHub()
    async with linked(hub) as link:
        hub.mode = "hangs"
        began = clock()
        assert await publish(link) == Unpublished(module.LATE, 2.0)
        assert clock() - began == pytest.approx(module.SEND_S)
        assert await publish(link) == Unpublished(module.AWAY, 2.0)
        assert clock() - began == pytest.approx(module.SEND_S)


@in_virtual_time
async def test_an_idle_connection_is_looked_at() -> None:
    """Before an event meets it."""
    hub = FakeHub()
    async with linked(hub) as link:
        hub.mode = "hangs"
        await asyncio.sleep(2 * module.PING_S + 1)
        assert link.adapter is None
        assert link.why_away == "does not answer in time"


@in_virtual_time
async def test_cut_between_publish_and_confirm() -> None:
    """Nobody knows whether it arrived: the outbox keeps it under the same id; without one it is 503."""
    hub, outbox = FakeHub("cut"), FakeOutbox()
    async with linked(hub, outbox=outbox) as link:
        answer = await publish(link)
    assert answer == Published(hub.got[0].id, "outbox")
    assert outbox.kept == hub.got
    async with linked(FakeHub("cut")) as link:
        assert isinstance(await publish(link), Unpublished)


@in_virtual_time
async def test_full_outbox() -> None:
    """Nothing is promised that is not kept."""
    async with linked(FakeHub("away"), outbox=FakeOutbox(room=1)) as link:
        assert isinstance(await publish(link), Published)
        assert await publish(link) == Unpublished(module.FULL, 2.0)
    assert (link.counts.kept, link.counts.refused) == (1, 1)


@in_virtual_time
async def test_what_the_hub_never_takes() -> None:
    """Is neither kept nor a reason to connect anew."""
    hub, outbox = FakeHub("refuses"), FakeOutbox()
    async with linked(hub, outbox=outbox) as link:
        small, large = await publish(link), await publish(link, b"x" * 11)
        assert link.adapter is hub
    assert isinstance(small, Unpublished)
    assert isinstance(large, Unpublished)
    assert (small.is_too_large, large.is_too_large) == (False, True)
    assert outbox.kept == []


@in_virtual_time
async def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than so many at a time are refused at once."""
    monkeypatch.setattr(module, "MOST_AT_A_TIME", 2)
    hub = FakeHub()
    async with linked(hub) as link:
        hub.mode = "hangs"
        answers = await asyncio.gather(*(publish(link) for _ in range(3)))
    assert answers[2] == Unpublished(module.BUSY, 2.0)
    assert link.counts.dropped == 1


def test_ids_are_in_the_order_of_time() -> None:
    assert event_id(1.001) < event_id(1.002) < event_id(1_800_000_000.0)
    assert len(event_id(0)) == 32
    assert rfc3339(1.5) == "1970-01-01T00:00:01.500Z"
