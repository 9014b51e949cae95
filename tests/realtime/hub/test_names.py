"""Names of connections on a real Redis."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from realtime.hub.names import Names
from resilience.stores.connection import RedisLink
from tests.support.clientsockets import endpoint, heard
from tests.support.redisserver import RedisServer


@pytest.fixture
async def names(tmp_path: Path) -> AsyncIterator[Names]:
    with RedisServer(tmp_path) as server:
        link = RedisLink(server.url, rng=Random(1), timeout_s=2.0)
        await link.start()
        yield Names(link, prefix="t:")
        await link.stop()


async def test_a_name_is_one_users(names: Names) -> None:
    assert await names.hold("c1", "ada")
    assert await names.hold("c1", "ada")
    assert not await names.hold("c1", "bob")
    assert await names.hold("c2", "bob")


async def test_a_name_is_kept_while_it_is_used(names: Names) -> None:
    await names.hold("c1", "ada")
    await names._link.call("PEXPIRE", "t:c1", 100)
    await names.keep(["c1", "c2"])

    assert await names._link.call("PTTL", "t:c1") > 1000
    assert await names._link.call("EXISTS", "t:c2") == 0


async def test_without_redis_nobody_is_stopped() -> None:
    link = RedisLink("redis://127.0.0.1:1/0", rng=Random(1))

    assert await Names(link, prefix="t:").hold("c1", "ada")


async def test_workers_know_of_each_other(names: Names) -> None:
    """Another user's name is not to be had on another worker."""
    async with endpoint(names=names) as here, endpoint(names=names) as there:
        async with (
            here.client("?connection_id=c1") as ada,
            there.client("?connection_id=c1", token="bob") as bob,
        ):
            assert (await heard(ada, "connected"))["connection_id"] == "c1"
            assert (await heard(bob, "connected"))["connection_id"] != "c1"
        async with there.client("?connection_id=c1") as again:
            assert (await heard(again, "connected"))["connection_id"] == "c1"
