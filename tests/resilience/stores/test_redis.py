"""Limits through Redis: exact, the same as in memory, and decided as operators chose while Redis is away."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from resilience.limiter import SECOND_US, Meters
from resilience.policies import Algorithm, QuotaPolicy
from resilience.stores import buckets, redis
from resilience.stores.base import Charge, Verdict
from resilience.stores.batch import Batch, verdicts
from resilience.stores.connection import FAILURES, RedisLink
from resilience.stores.memory import MemoryStore
from resilience.stores.redis import SCRIPT, RedisStore
from tests.support.fetching import until
from tests.support.limits import admitted_exactly
from tests.support.redisserver import RedisServer
from tests.support.stopwatch import Stopwatch
from tests.support.tcpproxy import TcpProxy

BUSY_S = 0.3  # a late machine, on top of the link's own limit
TWO = QuotaPolicy("two", 2, 60.0)
MANY = QuotaPolicy("many", 1000, 60.0)


def a_prefix() -> str:
    return f"{{test:{uuid4().hex}}}"


@asynccontextmanager
async def storing(url: str, **options: object) -> AsyncIterator[tuple[RedisStore, RedisLink]]:
    link = RedisLink(url, rng=Random(1))
    await link.start()
    store = RedisStore(link, **{"prefix": a_prefix(), **options})  # type: ignore[arg-type]
    try:
        yield store, link
    finally:
        await store.stop()
        await link.stop()


async def take(store: RedisStore, *charges: Charge) -> Verdict:
    taken = store.take(charges)
    return taken if isinstance(taken, Verdict) else await taken


async def test_stores_share_what_they_count(redis_url: str) -> None:
    """Two workers, one bucket; nothing is consumed when one quota refuses."""
    prefix = a_prefix()
    async with storing(redis_url, prefix=prefix) as (one, _), storing(redis_url, prefix=prefix) as (other, _):
        charges = Charge(TWO, "a"), Charge(MANY, "a")
        found = [await take(store, *charges) for store in (one, other, one, other)]

    assert [verdict.allowed for verdict in found] == [True, True, False, False]
    assert [verdict.decisions[1].remaining for verdict in found] == [999, 998, 998, 998]
    assert not any(verdict.degraded for verdict in found)
    assert 0 < found[2].decisions[0].retry_after_s <= 30


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window", "token_bucket"])
async def test_counts_of_older_versions_go_on(algorithm: Algorithm, redis_url: str) -> None:
    """Nodes of two versions count in the same buckets while they are replaced one by one: this is what is kept of
    seven requests. Who changes it says *stop all nodes* in the changelog."""
    prefix, hour_us = a_prefix(), 3600 * SECOND_US
    with Redis.from_url(redis_url) as asked:
        seconds, micros = asked.time()
        now = seconds * SECOND_US + micros
        ends = now - now % hour_us + hour_us
        kept = {
            "fixed_window": (7, ends, 0),
            "sliding_window": (7, ends + hour_us, 0),
            "token_bucket": (0, now + 7 * hour_us // 20, 0),
        }
        name = f"{prefix}{algorithm[0]}|hour|ip:192.0.2.1"
        asked.set(name, struct.pack("<ddd", *kept[algorithm]), px=hour_us // 1000)
    async with storing(redis_url, prefix=prefix) as (store, _):
        quota = QuotaPolicy("hour", 20, 3600.0, algorithm=algorithm)
        found = await take(store, Charge(quota, "ip:192.0.2.1"))

    assert (found.allowed, found.decisions[0].remaining) == (True, 12)


async def test_callers_of_one_turn_go_in_one_call(redis_url: str) -> None:
    """And those who come while it is under way in the next; each gets its own answer."""
    async with storing(redis_url) as (store, _):
        await take(store, Charge(MANY, "first"))
        calls = store.tally.calls
        early = [store.take([Charge(MANY, f"{number % 7}")]) for number in range(100)]
        await asyncio.sleep(0)
        late = [store.take([Charge(TWO, "late"), Charge(MANY, "late")]) for _ in range(3)]
        found = await asyncio.gather(*early, *late)  # type: ignore[arg-type]

        assert store.tally.calls - calls == 2
        assert [verdict.allowed for verdict in found] == [True] * 102 + [False]
        assert [verdict.decisions[0].remaining for verdict in found[:15:7]] == [999, 998, 997]


async def test_crowd_goes_in_several_calls(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call keeps Redis busy for a millisecond at most."""
    monkeypatch.setattr(redis, "MOST_TOGETHER", 10)
    async with storing(redis_url) as (store, _):
        found = await asyncio.gather(*(take(store, Charge(MANY, "a")) for _ in range(35)))

        assert store.tally.calls == 4
        assert sorted(verdict.decisions[0].remaining for verdict in found) == list(range(965, 1000))


async def test_caller_who_left_is_not_missed(redis_url: str) -> None:
    """Others of its call get their answers."""
    async with storing(redis_url) as (store, _):
        leaving, staying = (asyncio.ensure_future(take(store, Charge(MANY, "a"))) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()

        assert (await staying).allowed


async def test_buckets_are_leased(redis_url: str) -> None:
    """Redis forgets each when it says no more than none."""
    prefix = a_prefix()
    day = QuotaPolicy("day", 5, 86_400.0, algorithm="fixed_window", calendar="day")
    quick = QuotaPolicy("quick", 1, 0.05)
    async with storing(redis_url, prefix=prefix) as (store, link):
        await take(store, Charge(TWO, "a"), Charge(day, "a"), Charge(quick, "a"))
        assert 29_000 < await link.call("PTTL", f"{prefix}t|two|a") <= 30_000
        assert 0 < await link.call("PTTL", f"{prefix}d|day|a") <= 86_400_000
        await asyncio.sleep(0.1)
        assert await link.call("EXISTS", f"{prefix}t|quick|a") == 0


def test_admitted_is_exact_within_a_hundredth(redis_url: str) -> None:
    """Two processes, four keys, five times the limit. A busy machine may ask too late for what flowed into a bucket."""
    found = admitted_exactly(redis_url, limit=100, keys=4, seconds=3.0, load=5.0, prefix=a_prefix())

    assert found.degraded == 0
    assert found.asked > 3 * found.exact
    assert 0.95 * found.exact < found.admitted < 1.01 * found.exact


policies = st.builds(
    lambda kind, **more: QuotaPolicy("q" + str(more["limit"]), algorithm=kind[0], calendar=kind[1], **more),
    st.sampled_from([("token_bucket", ""), ("sliding_window", ""), ("fixed_window", "")] * 2
                    + [("fixed_window", "day"), ("fixed_window", "month")]),
    limit=st.integers(1, 5),
    per_s=st.sampled_from([0.3, 1.0, 60.0, 86_400.0, 31 * 86_400.0]),
    burst=st.integers(0, 9),
    is_enforced=st.booleans(),
)  # fmt: skip
charges = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab")), max_size=4)
moments = st.integers(0, 3 * SECOND_US) | st.integers(-(10**7), 10**8) | st.integers(-(10**14), 10**14)
turns = st.lists(st.tuples(moments, st.lists(charges, min_size=1, max_size=4)), max_size=12)


@given(known=st.lists(policies, min_size=5, max_size=5), turns=turns, start=st.integers(10**15, 4 * 10**15))
def test_script_agrees_with_memory(
    redis_url: str, known: list[QuotaPolicy], turns: list[tuple[int, list[list[tuple[int, str]]]]], start: int
) -> None:
    """The same charges at the same times get the same verdicts, whatever the clock does."""
    prefix, meters, now = a_prefix(), Meters(), start
    memory = MemoryStore(now_us=lambda: now)
    with Redis.from_url(redis_url) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_LOOKS", 0)  # what is forgotten does not come back with the clock
        for move, requests in turns:
            now = min(max(now + move, 10**14), 8 * 10**15)
            asked = [[Charge(known[number], key) for number, key in charges] for charges in requests]
            if any(asked):
                answer = decided(client, asked, meters, prefix, now)
                assert answer == [memory.take(charges) for charges in asked]


def decided(
    client: "Redis", asked: Sequence[Sequence[Charge]], meters: Meters, prefix: str, now: int
) -> list[Verdict]:
    batch = Batch(meters, prefix=prefix)
    for each in asked:
        batch.add(each)
    keys = batch.keys()
    return verdicts(asked, client.eval(SCRIPT.text, len(keys), *keys, *batch.arguments(), now))  # type: ignore[no-untyped-call]


@pytest.fixture
def server(tmp_path: Path) -> RedisServer:
    return RedisServer(tmp_path)


@pytest.mark.parametrize(
    ("choice", "allowed"),
    [("local", [True, True, False]), ("allow", [True] * 3), ("deny", [False] * 3)],
)
async def test_operators_choose_what_happens_without_redis(
    server: RedisServer, choice: str, allowed: list[bool]
) -> None:
    """From the first request that Redis fails; what is refused may come again in a moment."""
    quota = QuotaPolicy("q", 2, 60.0, on_store_failure=choice)  # type: ignore[arg-type]
    with server:
        async with storing(server.url) as (store, _):
            server.stop()
            found = [await take(store, Charge(quota, "a")) for _ in range(3)]

            assert [verdict.allowed for verdict in found] == allowed
            assert all(verdict.degraded for verdict in found)
            assert store.tally.degraded == 3
            if choice == "deny":
                assert found[0].decisions[0].retry_after_s == 1.0


def mixed(choice: str, *, is_enforced: bool = True) -> Charge:
    return Charge(QuotaPolicy(choice, 2, 60.0, on_store_failure=choice, is_enforced=is_enforced), "a")  # type: ignore[arg-type]


async def test_quotas_of_one_request_may_differ(server: RedisServer) -> None:
    """Those that are local are decided together, and consume nothing when another refuses."""
    async with storing(server.url) as (store, _):
        for _ in range(5):
            denied = await take(store, mixed("local"), mixed("deny"), mixed("allow"))
            assert [each.allowed for each in denied.decisions] == [True, False, True]
            assert not denied.allowed
        found = [
            await take(store, mixed("allow"), mixed("local"), mixed("deny", is_enforced=False))
            for _ in range(3)
        ]

    assert [verdict.allowed for verdict in found] == [True, True, False]
    assert [each.policy.name for each in found[0].decisions] == ["allow", "local", "deny"]
    assert [verdict.decisions[1].remaining for verdict in found] == [1, 0, 0]


async def test_nobody_waits_longer_than_the_time_limit_when_redis_hangs(
    server: RedisServer, stopwatch: Stopwatch
) -> None:
    """Neither those of the call, nor those who came meanwhile; then nobody waits; then Redis decides again."""
    with server:
        proxy = TcpProxy("127.0.0.1", urlsplit(server.url).port or 0)
        await proxy.start()
        async with storing(f"redis://127.0.0.1:{proxy.port}/0") as (store, link):
            await take(store, Charge(MANY, "a"))
            proxy.freeze()
            for _ in range(FAILURES):
                began = time.time()
                first = asyncio.ensure_future(take(store, Charge(MANY, "a")))
                await asyncio.sleep(0.02)
                found = await asyncio.gather(first, *(take(store, Charge(MANY, "a")) for _ in range(50)))
                assert stopwatch.since(began) < 0.05 + BUSY_S
                assert all(verdict.allowed and verdict.degraded for verdict in found)
            assert isinstance(store.take([Charge(MANY, "a")]), Verdict)
            proxy.thaw()
            await until(lambda: link.is_up)
            assert not (await take(store, Charge(MANY, "b"))).degraded
        await proxy.stop()


async def test_server_that_was_restarted_empty_goes_on(server: RedisServer) -> None:
    """It is given the script again."""
    with server:
        async with storing(server.url) as (store, link):
            assert [(await take(store, Charge(TWO, "a"))).allowed for _ in range(3)] == [True, True, False]
            server.stop()
            server.start()
            await take(store, Charge(TWO, "b"))  # finds the connection closed, or opens another
            await until(lambda: link.is_up)
            again = await take(store, Charge(TWO, "a"))
            assert (again.allowed, again.degraded) == (True, False)
            assert link.counts.scripts == 2


async def test_queue_has_a_bound(redis_url: str) -> None:
    """Who finds it full is decided as if Redis were away, and counted."""
    async with storing(redis_url, most_waiting=3) as (store, _):
        found = await asyncio.gather(*(take(store, Charge(MANY, "a")) for _ in range(5)))

        assert [verdict.degraded for verdict in found] == [False] * 3 + [True] * 2
        assert (store.tally.decided, store.tally.dropped, store.tally.degraded) == (3, 2, 2)


async def test_whoever_waits_at_the_end_is_answered(server: RedisServer) -> None:
    """Stopping leaves no request hanging."""
    with server:
        async with storing(server.url) as (store, _):
            waiting = [asyncio.ensure_future(take(store, Charge(MANY, "a"))) for _ in range(3)]
            await asyncio.sleep(0)
            await store.stop()
            await store.stop()

            assert [verdict.degraded for verdict in await asyncio.gather(*waiting)] == [True] * 3


async def test_answer_that_nobody_understands_is_none(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is not ours, or not a server: callers are answered all the same, and it is counted."""
    async with storing(redis_url) as (store, link):

        async def run(*_: object) -> object:
            return [1, 2]

        monkeypatch.setattr(link, "run", run)
        assert (await take(store, Charge(MANY, "a"))).degraded
        assert store.tally.garbled == 1


async def test_memory_that_stands_in_is_the_given_one() -> None:
    """Also while it is empty: one of two workers admits half."""
    link = RedisLink("redis://127.0.0.1:1/0", rng=Random(1))
    store = RedisStore(link, local=MemoryStore(share=2))
    found = [await take(store, Charge(TWO, "a")) for _ in range(2)]

    assert [(verdict.allowed, verdict.degraded) for verdict in found] == [(True, True), (False, True)]
