"""One server, a Cluster and what Sentinel names: each answers through the same two methods."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from resilience.policies import QuotaPolicy
from resilience.stores.address import address_of
from resilience.stores.base import Charge, Verdict
from resilience.stores.clients import client_of
from resilience.stores.connection import RedisLink
from resilience.stores.redis import RedisStore
from tests.support.fetching import until
from tests.support.redisserver import RedisServer
from tests.support.redisservers import PATIENCE_S, Cluster, Replicated, cluster_in, replicated_in


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with cluster_in(tmp_path) as servers:
        yield servers


async def decided(url: str, prefix: str) -> tuple[list[bool], RedisLink]:
    """What a quota of two says to three requests, through a link to the URL."""
    link = RedisLink(url, rng=Random(1), timeout_s=PATIENCE_S)
    await link.start()
    store = RedisStore(link, prefix=prefix)
    found = []
    for _ in range(3):
        taken = store.take([Charge(QuotaPolicy("q", 2, 60.0), "a"), Charge(QuotaPolicy("r", 9, 60.0), "b")])
        verdict = taken if isinstance(taken, Verdict) else await taken
        found.append(verdict.allowed and not verdict.degraded)
    await store.stop()
    await link.stop()
    return found, link


@pytest.mark.parametrize("prefix", ["{a}", "{b}", "{torana:limits}"])
async def test_cluster_decides_where_the_hash_tag_leads(cluster: Cluster, prefix: str) -> None:
    """One node is asked first; the buckets of a request are together on one of the two."""
    first, second = cluster
    await until(cluster.is_complete, within_s=PATIENCE_S)

    found, _ = await decided(f"redis+cluster://127.0.0.1:{first.port}", prefix)

    assert found == [True, True, False]
    assert sorted((first.ask("DBSIZE"), second.ask("DBSIZE")))[1] in (b":2\r\n", b":3\r\n")


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Replicated]:
    with replicated_in(tmp_path) as servers:
        yield servers


async def test_failover_is_followed_without_a_restart(replicated: Replicated) -> None:
    """The master dies: the link is away, then writes to what Sentinel names next, which is given the script."""
    await until(replicated.is_complete, within_s=PATIENCE_S)
    link = RedisLink(replicated.url, rng=Random(1), timeout_s=5.0)
    await link.start()
    store = RedisStore(link)
    charges = [Charge(QuotaPolicy("q", 100, 60.0), "a")]

    async def taken() -> Verdict:
        verdict = store.take(charges)
        return verdict if isinstance(verdict, Verdict) else await verdict

    assert link.is_up, link.why
    assert not (await taken()).degraded
    replicated.lose_master()
    for _ in range(4):
        assert (await taken()).allowed
    assert not link.is_up
    await until(lambda: link.is_up, within_s=PATIENCE_S)

    assert not (await taken()).degraded
    assert replicated.has_failed_over()
    await store.stop()
    await link.stop()


async def test_single_server_needs_the_password(tmp_path: Path) -> None:
    """A user's name and password are the URL's."""
    with RedisServer(tmp_path, "--requirepass", "secret") as server:
        client = client_of(address_of(f"redis://:secret@127.0.0.1:{server.port}/0"))
        assert await client.execute_command("GET", "nothing") is None
        await client.aclose()
