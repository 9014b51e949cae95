"""A lease in a real Redis: one holds it, and it moves."""

import asyncio
from pathlib import Path
from random import Random

from resilience.leader import Leader
from resilience.stores.leases import RedisLease
from tests.support.breakers import unique_prefix, until
from tests.support.redislink import link_to
from tests.support.redisserver import RedisServer


async def test_one_holds_it_until_it_gives_it_back(redis_url: str) -> None:
    """Renewing is taking; only the holder gives it back."""
    async with link_to(redis_url) as link:
        lease = RedisLease(link, "probing", prefix=unique_prefix())
        assert await lease.take("a", 30.0) is True
        assert await lease.take("a", 30.0) is True
        assert await lease.take("b", 30.0) is False
        await lease.release("b")
        assert await lease.take("b", 30.0) is False
        await lease.release("a")
        assert await lease.take("b", 30.0) is True


async def test_leases_of_other_names_are_others(redis_url: str) -> None:
    """And so are those of other gateways on the same Redis."""
    async with link_to(redis_url) as link:
        prefix = unique_prefix()
        assert await RedisLease(link, "one", prefix=prefix).take("a", 30.0)
        assert await RedisLease(link, "other", prefix=prefix).take("b", 30.0)
        assert await RedisLease(link, "one", prefix=unique_prefix()).take("c", 30.0)


async def test_it_ends_with_its_holder(redis_url: str) -> None:
    """The server's clock decides."""
    async with link_to(redis_url) as link:
        lease = RedisLease(link, "probing", prefix=unique_prefix())
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await lease.take("dies", 0.2)
        while not await lease.take("waits", 30.0):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert loop.time() - began >= 0.19


async def test_the_lead_moves_between_workers(redis_url: str) -> None:
    """When the holder dies without a word, and when it says goodbye; never are there two."""
    async with link_to(redis_url) as one, link_to(redis_url) as two:
        prefix = unique_prefix()
        first, second = (
            Leader(RedisLease(link, "probing", prefix=prefix), holder=name, rng=Random(1), ttl_s=1.0)
            for link, name in ((one, "first"), (two, "second"))
        )
        await first.start()
        await second.start()
        assert (first.leads, second.leads) == (True, False)
        assert first._task is not None
        first._task.cancel()
        await until(lambda: second.leads and not first.leads)
        await first.start()
        await second.stop()
        await until(lambda: first.leads)
        assert not second.leads
        await first.stop()


async def test_an_outage_is_told(tmp_path: Path) -> None:
    """Nobody can be asked: that is neither yes nor no."""
    with RedisServer(tmp_path) as server:
        async with link_to(server.url) as link:
            lease = RedisLease(link, "probing")
            assert await lease.take("a", 30.0)
            server.stop()
            assert await lease.take("a", 30.0) is None
            await lease.release("a")
