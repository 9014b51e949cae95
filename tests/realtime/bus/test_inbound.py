"""From subjects to topics: what becomes an event, what becomes a dead letter, and what comes again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import pytest

from authproxy.bus import Unpublished
from realtime.bus.adapter import HubRefused, Message
from realtime.bus.amqp import AmqpHub
from realtime.bus.inbound import TRIES, Inbound
from realtime.bus.link import BusLink
from realtime.events import LARGEST_DATA
from tests.support import busstory
from tests.support.brokers import URLS
from tests.support.buses import FakeHub, message
from tests.support.virtualtime import in_virtual_time


@dataclass
class Told:
    """A hub of topics, and the dead letters."""

    events: list[tuple[str, str, Any, str]] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)
    answer: Any = None
    fails: int = 0
    buries: bool = True
    subjects: tuple[str, ...] = ("a.>",)

    async def publish(self, topic: str, type: str, data: Any, *, id: str = "") -> Any:  # noqa: A002
        if self.fails:
            self.fails -= 1
            raise OSError
        self.events.append((topic, type, data, id))
        return self.answer

    async def bury(self, what: Message, reason: str, direction: str) -> bool:
        if self.buries:
            self.dead.append((what.id, reason))
        return self.buries


def inbound(told: Told, hub: FakeHub | None = None, **more: Any) -> tuple[Inbound, BusLink]:
    link = BusLink(lambda: hub or FakeHub())
    given = {"group": "g", "bury": told.bury, **more}
    return Inbound(link, told.publish, lambda: told.subjects, **given), link


@asynccontextmanager
async def running(told: Told, hub: FakeHub, **more: Any) -> AsyncIterator[Inbound]:
    made, link = inbound(told, hub, **more)
    link.start()
    made.start()
    try:
        await asyncio.sleep(0.1)
        yield made
    finally:
        await made.stop()
        await link.stop()


@pytest.mark.parametrize(
    ("body", "data"), [(b'{"n":1}', {"n": 1}), (b"", None), (b"hello", "hello"), ("é".encode(), "é")]
)
@in_virtual_time
async def test_a_message_becomes_an_event(body: bytes, data: Any) -> None:
    """Of the topic with its subject's name, under its own id."""
    told = Told()
    made, _ = inbound(told)
    assert await made.handle(message(body=body, headers={"x-event-type": "created"}))
    assert await made.handle(message(2, body=body))
    assert told.events == [("a.b", "created", data, "e1"), ("a.b", "message", data, "e2")]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"body": b"\xff{"}, "neither JSON nor UTF-8"),
        ({"body": b"x" * (LARGEST_DATA + 1)}, "more than"),
        ({"topic": "a." + "t" * 300}, "is no topic"),
        ({"topic": "gateway.x"}, "gateway's own"),
    ],
)
@in_virtual_time
async def test_what_cannot_be_handled(more: dict[str, Any], reason: str) -> None:
    """Is dealt with for good, and lies where people see it."""
    told = Told(subjects=(">",))
    made, _ = inbound(told)
    assert await made.handle(message(**more))
    ((_, why),) = told.dead
    assert reason in why
    assert told.events == []
    assert made.counts.dead == 1


@in_virtual_time
async def test_what_fails_is_tried_again_but_not_for_ever() -> None:
    told = Told(fails=TRIES - 1)
    made, _ = inbound(told)
    assert await made.handle(message())
    assert len(told.events) == 1
    told.fails = TRIES
    assert await made.handle(message(2))
    told.answer = Unpublished("too large")
    assert await made.handle(message(3))
    assert told.dead == [("e2", f"it failed {TRIES} times"), ("e3", "too large")]


@in_virtual_time
async def test_a_dead_letter_that_cannot_be_kept_comes_again() -> None:
    """Without a database for them it is gone, and counted."""
    told = Told(buries=False)
    made, _ = inbound(told)
    assert not await made.handle(message(body=b"\xff"))
    bare, _ = inbound(told, bury=None)
    assert await bare.handle(message(body=b"\xff"))
    assert bare.counts.dead == 1


@in_virtual_time
async def test_what_no_rule_asks_for_any_more() -> None:
    """Queues still have it for a while."""
    told = Told(subjects=("a.c",))
    made, _ = inbound(told)
    assert await made.handle(message())
    assert (told.events, told.dead, made.counts.unmapped) == ([], [], 1)


@in_virtual_time
async def test_it_follows_the_rules_and_the_connection() -> None:
    """It listens anew when either changes."""
    told, hub = Told(), FakeHub()
    async with running(told, hub):
        hub.arriving.put_nowait(message())
        await asyncio.sleep(0.1)
        assert hub.handled == [(message(), True)]
        told.subjects = ("a.b", "c")
        await asyncio.sleep(3)
        told.subjects = ()
        await asyncio.sleep(3)
        told.subjects = ("d",)
        hub.mode = "away"
        await asyncio.sleep(20)
        hub.mode = "up"
        await asyncio.sleep(20)
    assert hub.listened == [("a.>",), ("a.b", "c"), ("d",), ("d",)]


@in_virtual_time
async def test_a_hub_that_hands_nothing_on() -> None:
    """Is asked once, until there are other subjects."""
    told, hub = Told(), FakeHub()
    asked = []

    async def refuse(subjects: Any, group: str, handle: Any) -> None:
        asked.append(tuple(subjects))
        raise HubRefused("it hands nothing on")

    hub.listen = refuse  # type: ignore[method-assign]
    async with running(told, hub) as made:
        await asyncio.sleep(10)
        assert made.why_deaf == "it hands nothing on"
        told.subjects = ("b",)
        await asyncio.sleep(10)
    assert asked == [("a.>",), ("b",)]


@pytest.mark.rabbitmq
async def test_each_message_is_told_once_for_all_workers() -> None:
    """By a real broker: two workers share the work, and no message is told twice."""
    name, told = busstory.topic(), Told()
    told.subjects = (f"{name}.>",)
    workers = []
    for _ in range(2):
        link = BusLink(lambda: AmqpHub(URLS["rabbitmq"]))
        made = Inbound(
            link, told.publish, lambda: told.subjects, group=f"g-{name}", bury=told.bury, round_s=0.05
        )
        link.start()
        made.start()
        workers.append((made, link))
    sender = AmqpHub(URLS["rabbitmq"])
    await sender.open()
    try:
        await asyncio.sleep(0.5)
        for number in range(20):
            body = b"\xff" if number == 7 else b"%d" % number
            await sender.send(message(number, topic=f"{name}.x", body=body))
        async with asyncio.timeout(10):
            while len(told.events) + len(told.dead) < 20:  # noqa: ASYNC110 - a broker changes it
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        assert sorted(data for _, _, data, _ in told.events) == [n for n in range(20) if n != 7]
        assert [each for each, _ in told.dead] == ["e7"]
    finally:
        await sender.close()
        for made, link in workers:
            await made.stop()
            await link.stop()
        async with await aio_pika.connect(URLS["rabbitmq"]) as connection:
            await (await connection.channel()).queue_delete(f"g-{name}")
