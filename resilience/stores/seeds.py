"""I: Gives the stores of limits what was recorded of calendar quotas, where they do not know it.

Redis does not know it when it was emptied, which a missing mark tells; it may have lost some of it whenever it was
away, because a replica that takes over lags behind. One of all workers gives it, and the others leave it to that one.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from struct import pack
from typing import Final, Protocol

from resilience.limiter import SECOND_US
from resilience.stores.base import Seed
from resilience.stores.batch import PREFIX
from resilience.stores.connection import RedisLink, Script
from resilience.stores.memory import MemoryStore

SEED: Final = Script.of(Path(__file__).with_name("seeds.lua").read_text())
CLAIM: Final = Script.of(
    "local holder = redis.call('GET', KEYS[1]) "
    "if holder and holder ~= ARGV[1] then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) "
    "return 1"
)
MARK: Final = Script.of(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
    "redis.call('SET', KEYS[2], '1', 'PX', ARGV[2]) "
    "return 1"
)
CLAIM_MS: Final = 10_000
MARK_MS: Final = 31 * 86_400_000
AT_ONCE: Final = 256
"""In one call: it keeps Redis, or the event loop, busy for less than a millisecond."""


class Seeding(Protocol):
    """One per worker, on its event loop. No method raises for what a store does."""

    async def wanted(self) -> bool:
        """Whether a store lacks what was recorded."""

    async def give(self, seeds: Sequence[Seed]) -> None:
        """Gives it; what does not get there is wanted again."""

    async def remember(self, seeds: Sequence[Seed]) -> None:
        """What this worker has counted since, for the store that stands in."""

    async def forget(self, buckets: Sequence[str]) -> None:
        """An operator's word: this worker's own memory counts these anew."""


class OwnSeeds:
    """For a worker whose own memory is the store: it wants them once."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._is_given = False

    async def wanted(self) -> bool:
        """Until they were given."""
        return not self._is_given

    async def give(self, seeds: Sequence[Seed]) -> None:
        """Some at a time, between requests."""
        await _sow(self._store, seeds)
        self._is_given = True

    async def remember(self, seeds: Sequence[Seed]) -> None:
        """The store has counted them itself."""

    async def forget(self, buckets: Sequence[str]) -> None:
        """In the store itself."""
        self._store.reset(buckets)


class SharedSeeds:
    """For Redis, and for the worker's memory that stands in while Redis is away. `worker` is its name among all."""

    def __init__(self, link: RedisLink, local: MemoryStore, *, worker: str, prefix: str = PREFIX) -> None:
        self._link = link
        self._local = OwnSeeds(local)
        self._memory = local
        self._worker = worker
        self._prefix = prefix
        self._claim = f"{prefix}seeding"
        self._mark = f"{prefix}seeded"
        self._outages: int | None = None
        """Of the link, when Redis was last known to have everything."""

    async def wanted(self) -> bool:
        """At the start; later when Redis was away or emptied, if no other worker sees to it."""
        if await self._local.wanted():
            return True
        if not self._link.is_up:
            return False
        outages = self._link.counts.outages
        if self._outages == outages and await self._link.call("EXISTS", self._mark) != 0:
            return False
        claimed = await self._link.run(CLAIM, [self._claim], [self._worker, CLAIM_MS])
        if claimed == 0:
            self._outages = outages
        return bool(claimed == 1)

    async def give(self, seeds: Sequence[Seed]) -> None:
        """The mark is set last, and only if nobody emptied Redis meanwhile: that would have ended the claim, too."""
        await self._local.give(seeds)
        outages = self._link.counts.outages
        if await self._link.run(CLAIM, [self._claim], [self._worker, CLAIM_MS]) != 1:
            return
        for begin in range(0, len(seeds), AT_ONCE):
            chunk = seeds[begin : begin + AT_ONCE]
            keys = [self._prefix + seed.bucket for seed in chunk]
            numbers = [number for _, count, ends_s in chunk for number in (count, ends_s * SECOND_US)]
            if not isinstance(await self._link.run(SEED, keys, [pack(f"<{len(numbers)}d", *numbers)]), int):
                return
        if await self._link.run(MARK, [self._claim, self._mark], [self._worker, MARK_MS]) == 1:
            self._outages = outages

    async def remember(self, seeds: Sequence[Seed]) -> None:
        """So that callers who used up the month do not begin anew while Redis is away."""
        await _sow(self._memory, seeds)

    async def forget(self, buckets: Sequence[str]) -> None:
        """In the memory that stands in; who gives the order has told Redis."""
        self._memory.reset(buckets)


async def _sow(store: MemoryStore, seeds: Sequence[Seed]) -> None:
    for begin in range(0, len(seeds), AT_ONCE):
        store.seed(seeds[begin : begin + AT_ONCE])
        await asyncio.sleep(0)
