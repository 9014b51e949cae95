"""What is left in Redis, as somebody sees it who does not count."""

import asyncio
from math import inf
from pathlib import Path
from random import Random
from struct import pack
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from gateway_project.server.ports import keep_port
from resilience.limiter import SECOND_US
from resilience.policies import QuotaPolicy
from resilience.stores.address import address_of
from resilience.stores.base import Charge, Decision, Verdict
from resilience.stores.connection import Away, RedisLink
from resilience.stores.memory import MemoryStore
from resilience.stores.peeking import TIMEOUT_S, peek
from resilience.stores.redis import RedisStore
from tests.support.redisservers import cluster_in, replicated_in, wait_until
from tests.support.tcpproxy import TcpProxy

BUCKET = QuotaPolicy("bucket", 3, 3600.0)
QUOTAS = (
    BUCKET,
    QuotaPolicy("sliding", 3, 3600.0, algorithm="sliding_window"),
    QuotaPolicy("fixed", 3, 3600.0, algorithm="fixed_window"),
    QuotaPolicy("monthly", 3, 31 * 86_400.0, algorithm="fixed_window", calendar="month"),
)
CHARGES = tuple(Charge(quota, "consumer:ada") for quota in QUOTAS)


def a_prefix() -> str:
    return f"{{test:{uuid4().hex}}}"


async def take(url: str, prefix: str, times: int) -> None:
    """So many requests through a worker's store."""
    link = RedisLink(url, rng=Random(1))
    await link.start()
    store = RedisStore(link, prefix=prefix)
    try:
        for _ in range(times):
            taken = store.take(CHARGES)
            assert not (taken if isinstance(taken, Verdict) else await taken).degraded
    finally:
        await store.stop()
        await link.stop()


def seen(url: str, prefix: str) -> tuple[Decision, ...]:
    found = peek(address_of(url), CHARGES, prefix=prefix)
    assert not isinstance(found, Away), found
    return found


async def test_what_workers_count_is_seen_and_nothing_is_taken(redis_url: str) -> None:
    """By every algorithm, however often one looks."""
    prefix = a_prefix()
    assert [each.remaining for each in seen(redis_url, prefix)] == [3, 3, 3, 3]
    assert {each.reset_s for each in seen(redis_url, prefix)} == {0.0}
    await take(redis_url, prefix, 1)
    for _ in range(5):
        assert [each.remaining for each in seen(redis_url, prefix)] == [2, 2, 2, 2]
    await take(redis_url, prefix, 2)
    found = seen(redis_url, prefix)
    assert [(each.remaining, each.allowed) for each in found] == [(0, False)] * 4
    assert all(each.retry_after_s > 0 and each.reset_s > 0 for each in found)
    assert found[0].reset_s == pytest.approx(3600.0, abs=60.0)


async def test_no_key_is_made_or_kept_longer(redis_url: str) -> None:
    """Looking leaves no trace."""
    prefix = a_prefix()
    with Redis.from_url(redis_url) as client:
        seen(redis_url, prefix)
        assert client.keys(f"{prefix}*") == []
        await take(redis_url, prefix, 1)
        keys = sorted(client.keys(f"{prefix}*"))
        values = client.mget(keys)
        seen(redis_url, prefix)
        assert (sorted(client.keys(f"{prefix}*")), client.mget(keys)) == (keys, values)


async def test_memory_says_the_same() -> None:
    """And counts nothing either."""
    store = MemoryStore(now_us=lambda: 1_700_000_000 * SECOND_US)
    assert [each.remaining for each in store.peek(CHARGES)] == [3, 3, 3, 3]
    for left in (2, 1, 0):
        store.take(CHARGES)
        for _ in range(3):
            assert [each.remaining for each in store.peek(CHARGES)] == [left] * 4
    assert [each.allowed for each in store.peek(CHARGES)] == [False] * 4
    assert len(store) == 4
    assert [each.remaining for each in store.peek([Charge(BUCKET, "consumer:bob")])] == [3]


async def test_a_redis_that_is_gone_or_hangs_is_told_apart_from_an_empty_one(redis_url: str) -> None:
    """And nobody waits for it for long."""
    gone = peek(address_of(f"redis://127.0.0.1:{keep_port()}/0"), CHARGES, prefix="x")
    assert isinstance(gone, Away)
    assert peek(address_of(f"redis://127.0.0.1:{keep_port()}/0"), (), prefix="x") == ()
    parts = urlsplit(redis_url)
    if parts.scheme != "redis":
        return
    proxy = TcpProxy(parts.hostname or "", parts.port or 6379)
    await proxy.start()
    try:
        proxy.freeze()
        async with asyncio.timeout(20 * TIMEOUT_S):
            address = address_of(f"redis://127.0.0.1:{proxy.port}/0")
            hanging = await asyncio.to_thread(peek, address, CHARGES, prefix="x")
        assert isinstance(hanging, Away)
    finally:
        proxy.thaw()
        await proxy.stop()


@pytest.mark.parametrize(
    ("kept", "left"), [(b"seven", 3), (b"\0" * 24, 3), (pack("<ddd", inf, inf, inf), None)]
)
def test_nonsense_in_a_bucket(kept: bytes, left: int | None, redis_url: str) -> None:
    """What workers take for nothing is nothing here; what is no number is no answer."""
    prefix = a_prefix()
    with Redis.from_url(redis_url) as client:
        client.set(f"{prefix}t|bucket|consumer:ada", kept, ex=5)
        found = peek(address_of(redis_url), CHARGES[:1], prefix=prefix)
    assert (None if isinstance(found, Away) else found[0].remaining) == left


@given(
    steps=st.lists(st.tuples(st.sampled_from(CHARGES), st.integers(0, 5000)), max_size=40),
)
def test_what_is_foretold_comes_true(steps: list[tuple[Charge, int]]) -> None:
    """The next request is allowed, or refused for as long, as was said before; one less is left then."""
    now = [1_700_000_000 * SECOND_US]
    store = MemoryStore(now_us=lambda: now[0])
    for charge, wait_s in steps:
        now[0] += wait_s * SECOND_US
        (told,) = store.peek([charge])
        (came,) = store.take([charge]).decisions
        assert (told.allowed, told.retry_after_s) == (came.allowed, came.retry_after_s)
        assert came.remaining == told.remaining - told.allowed
        assert told.allowed is (told.remaining > 0)


async def test_a_cluster_is_asked_like_one_server(tmp_path: Path) -> None:
    """All buckets are in one slot of it."""
    with cluster_in(tmp_path) as cluster:
        wait_until(cluster.is_complete)
        prefix = a_prefix()
        await take(cluster.url, prefix, 2)
        assert [each.remaining for each in await asyncio.to_thread(seen, cluster.url, prefix)] == [1, 1, 1, 1]


async def test_what_sentinel_names_is_asked(tmp_path: Path) -> None:
    """Its master, which counts."""
    with replicated_in(tmp_path) as replicated:
        wait_until(replicated.is_complete)
        prefix = a_prefix()
        await take(replicated.url, prefix, 2)
        found = await asyncio.to_thread(seen, replicated.url, prefix)
        assert [each.remaining for each in found] == [1, 1, 1, 1]
