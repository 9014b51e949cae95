"""I: Hubs of several workers on one Redis, and sinks that keep what they get."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from realtime.events import Event
from realtime.hub.hub import Hub
from realtime.hub.stream import RedisStream

TOPIC = "generation.7"


class Listener:
    """A sink that keeps what it gets: data of events, and "gap"."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.heard: list[str] = []

    def deliver(self, event: Event) -> None:
        self.got.append(event.data)
        self.heard.append(event.id)

    def gap(self, _topic: str) -> None:
        self.got.append("gap")

    async def room(self) -> None:
        await asyncio.sleep(0)

    async def until(self, holds: Callable[[list[Any]], bool], *, within_s: float = 10.0) -> list[Any]:
        """Waits until it holds of what came."""
        async with asyncio.timeout(within_s):
            while not holds(self.got):  # noqa: ASYNC110 - sinks do not wake anybody
                await asyncio.sleep(0.002)
        return self.got


async def publish(hub: Hub, data: Any, topic: str = TOPIC, **more: str) -> Event:
    """An event that was taken."""
    event = await hub.publish(topic, "progress", data, **more)
    assert isinstance(event, Event)
    return event


@asynccontextmanager
async def workers(url: str, *names: str, key: str = "test:events") -> AsyncIterator[list[Hub]]:
    """One hub for each name, started."""
    hubs = [Hub(node=name, stream=RedisStream(url, key=key, rng=Random(1))) for name in names]
    for hub in hubs:
        await hub.start()
    try:
        yield hubs
    finally:
        for hub in hubs:
            await hub.stop()


async def until(holds: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)
