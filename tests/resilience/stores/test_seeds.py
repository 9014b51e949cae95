"""What was recorded of calendar quotas reaches a store that does not know it, and takes nothing from one that does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from resilience.limiter import DAY_US, SECOND_US
from resilience.policies import QuotaPolicy
from resilience.stores import seeds
from resilience.stores.base import Charge, Seed, Verdict
from resilience.stores.connection import RedisLink, Script
from resilience.stores.memory import MemoryStore, epoch_us
from resilience.stores.redis import RedisStore
from resilience.stores.seeds import OwnSeeds, SharedSeeds
from tests.support.fetching import until
from tests.support.redislink import link_to
from tests.support.redisserver import RedisServer

DAY = QuotaPolicy("q", 10, 86_400.0, algorithm="fixed_window", calendar="day")
ADA = Charge(DAY, "ada")


def midnight() -> int:
    """The next one."""
    return (epoch_us() // DAY_US + 1) * DAY_US // SECOND_US


def seed(counted: int, bucket: str = "d|q|ada", *, days: int = 0) -> Seed:
    return Seed(bucket, counted, midnight() + days * 86_400)


def left(store: MemoryStore) -> int:
    return store.look([ADA])[0].remaining


class Worker:
    """One of those that share a Redis."""

    def __init__(self, link: RedisLink, prefix: str, name: str = "w") -> None:
        self.link = link
        self.local = MemoryStore()
        self.store = RedisStore(link, local=self.local, prefix=prefix)
        self.seeds = SharedSeeds(link, self.local, worker=name, prefix=prefix)

    async def left(self) -> int:
        """After one more request."""
        taken = self.store.take([ADA])
        verdict = taken if isinstance(taken, Verdict) else await taken
        assert not verdict.degraded
        return verdict.decisions[0].remaining


@asynccontextmanager
async def workers(url: str) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two, each with a link of its own."""
    prefix = f"{{test:{uuid4().hex}}}"
    async with link_to(url) as one, link_to(url) as other:
        found = Worker(one, prefix), Worker(other, prefix, "v")
        yield found
        for worker in found:
            await worker.store.stop()


@pytest.mark.parametrize(
    ("counted", "days", "expected"),
    [(7, 0, 3), (2, 0, 6), (4, 0, 6), (10, 0, 0), (7, -1, 6)],
    ids=["more", "less", "same", "all", "past"],
)
def test_memory_takes_what_is_more(counted: int, days: int, expected: int) -> None:
    """Four were counted here; a window that has ended says nothing."""
    store = MemoryStore()
    for _ in range(4):
        store.take([ADA])
    store.seed([seed(counted, days=days)])
    assert left(store) == expected


def test_share_of_what_was_counted() -> None:
    """One of four workers stands in with a quarter, and who had everything gets nothing."""
    store = MemoryStore(share=4)
    store.seed([seed(5)])
    assert left(store) == 1
    store.seed([seed(10)])
    assert not store.take([ADA]).allowed


async def test_own_memory_wants_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start; it has counted by itself what comes later."""
    monkeypatch.setattr(seeds, "AT_ONCE", 2)
    store = MemoryStore()
    own = OwnSeeds(store)
    assert await own.wanted()
    await own.give([seed(1, f"d|q|{number}") for number in range(4)] + [seed(9)])
    assert not await own.wanted()
    assert (left(store), len(store)) == (1, 5)
    await own.remember([seed(10)])
    assert left(store) == 1


async def test_emptied_redis_gets_them_from_one_worker(redis_url: str) -> None:
    """More than there is, in several calls; then all is known, until the mark is gone."""
    async with workers(redis_url) as (one, other):
        assert await one.left() == 9
        for worker in (one, other):
            assert await worker.seeds.wanted()
            await worker.seeds.give([seed(1, f"d|q|{number}") for number in range(600)] + [seed(8)])
            assert not await worker.seeds.wanted()
        assert (await one.left(), await other.left()) == (1, 0)
        await forget(one)
        assert await other.seeds.wanted()
        assert not await one.seeds.wanted(), "the other has claimed it"
        await other.seeds.give([seed(6), seed(3, "d|q|eve", days=-1)])
        assert not await one.seeds.wanted()
        assert await other.left() == 3
        assert await one.link.call("EXISTS", f"{one.store._prefix}d|q|eve") == 0


async def forget(worker: Worker) -> None:
    """All that Redis has of the test."""
    keys = await worker.link.call("KEYS", f"{worker.store._prefix.replace('{', '?')}*")
    await worker.link.call("DEL", *keys)


async def test_redis_keeps_what_is_more(redis_url: str) -> None:
    """What was recorded lags behind; a window of its own clock that is over is replaced."""
    async with workers(redis_url) as (one, _):
        for expected in (9, 8, 7):
            assert await one.left() == expected
        await one.seeds.give([seed(2)])
        assert await one.left() == 6
        await one.seeds.give([seed(8)])
        assert await one.left() == 1


async def test_redis_that_is_emptied_meanwhile_is_not_marked(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are wanted again."""
    async with workers(redis_url) as (one, _):
        run = one.link.run

        async def emptied(script: Script, *rest: Any) -> Any:
            if script is seeds.MARK:
                await forget(one)
            return await run(script, *rest)

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(one.link, "run", emptied)
            await one.seeds.give([seed(8)])
        assert await one.seeds.wanted()
        await one.seeds.give([seed(8)])
        assert not await one.seeds.wanted()
        assert await one.left() == 1


async def test_while_redis_is_away_memory_has_them() -> None:
    """And what this worker counts is remembered for the next time."""
    link = RedisLink("redis://127.0.0.1:1/0", rng=Random(1))
    worker = Worker(link, "{test}")
    assert await worker.seeds.wanted()
    await worker.seeds.give([seed(6)])
    assert not await worker.seeds.wanted()
    await worker.seeds.remember([seed(9)])
    verdict = worker.store.take([ADA])
    assert isinstance(verdict, Verdict)
    assert (verdict.decisions[0].remaining, verdict.degraded) == (0, True)


async def test_redis_that_was_away_gets_them_again(tmp_path: Path) -> None:
    """Restarted empty, or not: each worker's link tells. A call that fails leaves them wanted."""
    with RedisServer(tmp_path) as server:
        async with workers(server.url) as (one, _):
            await one.seeds.give([seed(5)])
            assert not await one.seeds.wanted()
            server.stop()
            await one.seeds.give([seed(8)])
            for _ in range(5):
                one.link.is_up and await one.link.call("GET", "x")
            assert not await one.seeds.wanted(), "nobody could take them"
            server.start()
            await until(lambda: one.link.is_up)
            assert await one.seeds.wanted()
            await one.seeds.give([seed(8)])
            assert await one.left() == 1


async def test_call_that_fails_ends_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the mark."""
    async with workers(redis_url) as (one, _):
        await one.seeds.give([])
        await forget(one)
        monkeypatch.setattr(seeds, "SEED", Script.of("return redis.error_reply('full')"))
        await one.seeds.give([seed(8)])
        assert await one.seeds.wanted()


async def test_an_operator_has_a_bucket_counted_anew() -> None:
    """In the memory that is the store, or stands in for it; what nobody counted is nothing new."""
    memory = MemoryStore()
    own = OwnSeeds(memory)
    await own.give([seed(7), seed(4, "d|q|eve")])
    await own.forget(["d|q|ada", "d|q|nobody"])
    assert left(memory) == 10
    assert memory.look([Charge(DAY, "eve")])[0].remaining == 6
    memory.take([ADA])
    assert left(memory) == 9
    assert len(memory) == 2
