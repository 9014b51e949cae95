"""I: Workers that share their breakers over a real Redis, as tests use them."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

from resilience.breaker import Permit, Refused, State
from resilience.breakers import BreakerEvent, Breakers
from resilience.clock import monotonic
from resilience.guard import Guard, Record
from resilience.policies import BreakerPolicy
from resilience.stores.connection import RedisLink
from resilience.stores.news import RedisNews

_numbers = itertools.count()


USUAL_S = 0.05
"""How long a worker waits for Redis."""


def unique_prefix() -> str:
    """Of keys that no other test has, on a Redis that may be shared."""
    return f"test-{os.getpid()}-{next(_numbers)}:"


class Worker:
    """One worker's breakers, and what they told."""

    def __init__(self, url: str, prefix: str, name: str, timeout_s: float = USUAL_S) -> None:
        self.link = RedisLink(url, rng=Random(1), timeout_s=timeout_s)
        self.breakers = Breakers(worker=name, store=RedisNews(self.link, url), prefix=prefix)
        self.events: list[BreakerEvent] = []
        self.records: list[Record] = []
        self.breakers.on_transition(self.events.append)
        self.breakers.on_record(self.records.append)

    async def start(self) -> None:
        await self.link.start()
        self.breakers.start()

    async def stop(self) -> None:
        await self.breakers.stop()
        await self.link.stop()

    def guard(self, policy: BreakerPolicy, name: str = "shop") -> Guard:
        return self.breakers.of(name, policy)

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """What was to be written down, but for counts."""
        return [(each.before, each.state, each.cause) for each in self.records if each.cause is not None]


async def permit(guard: Guard) -> Permit | Refused:
    """A verdict, awaited if need be."""
    found = guard.permit(monotonic())
    return found if isinstance(found, Permit | Refused) else await found


async def request(guard: Guard, failed: bool | None, why: str = "") -> bool:
    """One request; whether it was let through."""
    found = await permit(guard)
    if isinstance(found, Refused):
        return False
    guard.record(found, failed, monotonic(), why)
    return True


async def until(holds: Callable[[], Any], within_s: float = 10.0) -> float:
    """Seconds until it holds; other workers' news comes over sockets, so there is no single event to wait for."""
    began = monotonic()
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    return monotonic() - began


async def all_are(guards: list[Guard], state: State, within_s: float = 10.0) -> float:
    """Seconds until every worker says so."""
    return await until(lambda: all(guard.state is state for guard in guards), within_s)


@asynccontextmanager
async def workers(
    url: str, number: int, *, prefix: str = "", timeout_s: float = USUAL_S
) -> AsyncIterator[list[Worker]]:
    """Started and connected; they share nothing with other tests. Who waits for Redis longer decides alone."""
    prefix = prefix or unique_prefix()
    async with AsyncExitStack() as stack:
        found = [Worker(url, prefix, f"worker-{each}", timeout_s) for each in range(number)]
        for each in found:
            await each.start()
            stack.push_async_callback(each.stop)
        yield found
