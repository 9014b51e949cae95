"""Limits and breakers of real gateways with two workers and a Redis of their own: exact, and through its outages."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, connections_to_each_worker, eventually
from tests.support.redisserver import RedisServer
from tests.support.stopwatch import Stopwatch
from tests.support.traffic import Upstream, counted, error, quotas
from tests.support.upstreams import Peer, ScriptedUpstream, response

pytestmark = pytest.mark.timeout(240)
FIXED = {"status": 200, "body": "x"}
WAYS = ("stopped", "hanging", "emptied")
POLICIES = ("local", "allow", "deny")
LIMIT = 5
ENOUGH = 10
LATE = 2
T = TypeVar("T")


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with RedisServer(tmp_path) as running:
        yield running


@asynccontextmanager
async def two_workers(
    site: Site, server: RedisServer, raw: dict[str, Any]
) -> AsyncIterator[tuple[Running, list[RawClient]]]:
    """A gateway, and a connection to each of its workers."""
    site.env["REDIS_URL"] = server.url
    await site.apply(raw)
    async with (
        site.serving("--workers", "2") as running,
        connections_to_each_worker(running) as clients,
    ):
        assert len(clients) == 2
        yield running, clients


async def test_limits_are_exact_whichever_worker_is_asked(site: Site, server: RedisServer) -> None:
    """Of 120 requests over both workers 40 pass; each quota of a step counts only what passed all. Then ISaaS's."""
    entries = (
        {"name": "day", "algorithm": "fixed_window", "limit": 40, "per": "day"},
        {"name": "more", "algorithm": "sliding_window", "limit": 50, "per": "1d", "key": "global"},
        {"name": "isaas", "limit": 10, "per": "1s", "burst": 20},
    )
    raw = {
        **document(
            route("a", path="/a", respond=FIXED, quotas=["day", "more"]),
            route("b", path="/b", respond=FIXED, quotas=["more"]),
            route("c", path="/c", respond=FIXED, quotas=["isaas"]),
        ),
        **quotas(*entries),
    }
    async with two_workers(site, server, raw) as (_, clients):

        async def ask(path: str, count: int) -> dict[int, int]:
            async def one(client: RawClient) -> list[int]:
                return [(await client.get(path)).status for _ in range(count)]

            found = await asyncio.gather(*map(one, clients))
            return counted(status for each in found for status in each)

        async def both() -> tuple[dict[int, int], dict[int, int]]:
            return await ask("/a", 60), await ask("/b", 20)

        assert await undisturbed(clients, server, both) == ({200: 40, 429: 80}, {200: 10, 429: 30})
        assert await undisturbed(clients, server, lambda: too_many(clients))


async def undisturbed(clients: list[RawClient], server: RedisServer, count: Callable[[], Awaitable[T]]) -> T:
    """What was counted while Redis gave every answer in its 50 ms.

    Neighbours can make it miss them. A worker then decides alone, and one request more may pass: it is counted anew.
    """
    while True:
        before = await unanswered(clients[0])
        found = await count()
        if await unanswered(clients[0]) == before:
            return found
        server.ask("FLUSHALL")


async def unanswered(client: RawClient) -> list[str]:
    """What both workers' metrics say of calls to Redis that were not answered."""
    lines = (await client.get("/metrics")).body.decode().splitlines()
    return [each for each in lines if each.startswith("gateway_redis_calls_total") and '"sent"' not in each]


async def too_many(clients: list[RawClient]) -> bool:
    """Whether, for three seconds, twenty pass at once and ten a second, counted over both."""
    passed: list[tuple[float, float]] = []

    async def ask(client: RawClient, until: float) -> None:
        while (began := time.monotonic()) < until:
            if (await client.get("/c")).status == 200:
                passed.append((began, time.monotonic()))
            await asyncio.sleep(0.005)

    until = time.monotonic() + 3.0
    await asyncio.gather(*(ask(client, until) for client in clients))
    ended = time.monotonic()
    passed.sort()
    first, last = passed[0], passed[-1]
    least, most = 20 + 10 * (last[0] - first[1]) - 1, 20 + 10 * (ended - first[0])
    return least <= len(passed) <= most


async def test_breaker_counts_over_workers(site: Site, server: RedisServer, stopwatch: Stopwatch) -> None:
    """Three failures at one worker and two at the other open it for both within 100 ms, and it closes for both."""
    breaker = {"failure_threshold": 5, "recovery_timeout": "1s"}
    async with Upstream(always=500) as upstream:
        services = {"s": {"targets": [{"url": upstream.url}], "breaker": breaker}}
        raw = document(route(service="s"), services=services)
        async with two_workers(site, server, raw) as (_, (one, other)):
            for client in (one, one, one, other, other):
                assert (await client.get("/")).status == 500
            opened = time.time()
            seen = [await _is_open(client) for client in (one, other)]
            upstream.then()
            asked = len(upstream.requests)
            trial = await eventually(lambda: _answered(one))
            after = [(await client.get("/")).status for client in (other, one, other)]
    assert max(stopwatch.between(opened, at) for at in seen) < 0.1
    assert asked <= 5 + 3  # what came before the news did
    assert (trial, after) == (200, [200, 200, 200])


async def _is_open(client: RawClient) -> float:
    """When it was seen to be open."""

    async def refused() -> float:
        began = time.time()
        answer = await client.get("/")
        return began if answer.status == 503 and error(answer)["code"] == "CIRCUIT_OPEN" else 0.0

    return await eventually(refused, every_s=0.005)


async def _answered(client: RawClient) -> int:
    return status if (status := (await client.get("/")).status) == 200 else 0


@dataclass
class Load:
    """Asks every route again and again; each phase has callers of its own, so that its buckets are full.

    In the phase `ends` each request has: who is let in by `deny` was counted in Redis.
    """

    phase: str = "begins"
    ends: bool = False
    back: dict[RawClient, int] = field(default_factory=dict)
    """How often in a row that was so, for each worker's connection."""
    found: list[tuple[str, str, int, float, float]] = field(default_factory=list)

    async def run(self, client: RawClient) -> None:
        while not self.ends:
            for path in POLICIES:
                phase, began = self.phase, time.time()
                who = f"ends {began}" if phase == "ends" else phase
                answer = await client.get(f"/{path}", f"X-Who: {who}")
                self.found.append((phase, path, answer.status, began, time.time()))
                if path == "deny":
                    counts = phase == "ends" and answer.status == 200
                    self.back[client] = self.back.get(client, 0) + 1 if counts else 0
                await asyncio.sleep(0.002)

    async def seen(self, count: int) -> None:
        """Waits for so many more answers of each route."""
        wanted = len(self.found) + count * len(POLICIES)
        await eventually(lambda: len(self.found) >= wanted)

    def statuses(self, phase: str, path: str) -> dict[int, int]:
        return counted(status for of, where, status, *_ in self.found if (of, where) == (phase, path))

    def slowest(self, measure: Callable[[float, float], float], *phases: str) -> float:
        """Of the requests that took longest by the wall clock, but for one that this machine kept waiting."""
        times = sorted((ended - began, began, ended) for of, _, _, began, ended in self.found if of in phases)
        return sorted(measure(began, ended) for _, began, ended in times[-20:])[-1 - UNLUCKY]


UNLUCKY = 1
"""Fewer than are under way when Redis goes: both of those would wait if anybody did."""


def begin(way: str, server: RedisServer) -> None:
    assert server.pid
    if way == "hanging":
        os.kill(server.pid, signal.SIGSTOP)
    else:
        server.stop()


def end(way: str, server: RedisServer) -> None:
    if way == "hanging":
        assert server.pid
        os.kill(server.pid, signal.SIGCONT)
    else:
        server.start()


@pytest.mark.parametrize("way", WAYS)
async def test_redis_away_under_load(way: str, site: Site, server: RedisServer, stopwatch: Stopwatch) -> None:
    """No error and no wait of 100 ms; each quota as it says; all counts together again when Redis is back."""
    entries = [
        {
            "name": way_out,
            "limit": LIMIT,
            "per": "1d",
            "key": {"header": "X-Who"},
            "on_store_failure": way_out,
        }
        for way_out in POLICIES
    ]
    routes = [route(name, path=f"/{name}", respond=FIXED, quotas=[name]) for name in POLICIES]
    load = Load()
    async with two_workers(site, server, {**document(*routes), **quotas(*entries)}) as (running, clients):
        asking = [asyncio.create_task(load.run(client)) for client in clients]
        await load.seen(20)
        load.phase = "usual"
        await load.seen(60)
        load.phase = "begins"
        begin(way, server)
        if way != "emptied":
            await load.seen(150)
            load.phase = "away"
            await load.seen(100)
        load.phase = "ends"
        end(way, server)
        await eventually(lambda: min(load.back.values()) >= ENOUGH)
        load.phase = "after"
        await load.seen(60)
        load.ends = True
        await asyncio.gather(*asking)
        said = running.text
    assert {status for _, _, status, *_ in load.found} == {200, 429}
    for phase in ("usual", "after"):
        for path in POLICIES:  # this machine may be busy: an answer of Redis that is late decides nothing
            assert abs(load.statuses(phase, path)[200] - LIMIT) <= LATE, (phase, path)
    if way != "emptied":
        assert load.statuses("away", "local")[200] == 2 * -(-LIMIT // 2)  # each worker admits its share
        assert set(load.statuses("away", "allow")) == {200}
        assert set(load.statuses("away", "deny")) == {429}
        assert said.count("Redis is back") >= 2  # more often where this machine was busy
    usual_s = load.slowest(stopwatch.between, "usual")
    assert load.slowest(stopwatch.between, "begins", "away", "ends", "after") < usual_s + 0.1


async def test_service_goes_on_without_redis(site: Site, server: RedisServer) -> None:
    """Breakers decide alone in each worker, and a gateway starts while Redis is away."""
    breaker = {"failure_threshold": 5, "recovery_timeout": "300s"}
    server.stop()
    async with Upstream() as upstream:
        services = {"s": {"targets": [{"url": upstream.url}], "breaker": breaker, "retries": {"attempts": 1}}}
        raw = document(route(service="s"), services=services)
        async with two_workers(site, server, raw) as (_, (one, other)):
            good = [(await client.get("/")).status for client in (one, other) for _ in range(5)]
            upstream.then(always=500)
            for _ in range(5):
                await one.get("/")
            opened = await one.get("/")
            upstream.then()
            alone = await other.get("/")
            server.start()
            told = await _is_open(other)
    assert good == [200] * 10
    assert (opened.status, error(opened)["code"], alone.status) == (503, "CIRCUIT_OPEN", 200)
    assert told


async def test_settings_of_the_environment(site: Site, server: RedisServer) -> None:
    """Limits and breakers of routes and services that name none; a section of their own wins."""
    site.env |= {
        "RATE_LIMIT_REQUESTS": "9",
        "RATE_LIMIT_WINDOW_SECONDS": "3600",
        "RATE_LIMIT_DEFAULT": "12",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "6",
        "LOAD_BALANCING_STRATEGY": "consistent_hash",
    }
    async with Upstream() as one, Upstream() as other:
        targets = [{"url": one.url}, {"url": other.url}]
        raw = {
            **document(
                route("fixed", path="/fixed", respond=FIXED),
                route("own", path="/own", service="s", quotas=["own"]),
                services={"s": {"targets": targets}},
            ),
            **quotas({"name": "own", "limit": 20, "per": "1d"}),
        }
        async with two_workers(site, server, raw) as (_, (client, _other)):
            fixed = [await client.get("/fixed") for _ in range(15)]
            well = [(await client.get("/own")).status for _ in range(8)]
            shares = sorted(len(each.requests) for each in (one, other))
            for each in (one, other):
                each.then(always=500)
            broken = [(await client.get("/own")).status for _ in range(14)]
    assert counted(answer.status for answer in fixed) == {200: 9, 429: 6}
    assert fixed[0].header("ratelimit-policy") == '"per minute";q=12;w=60, "per window";q=9;w=3600'
    assert (well, shares) == ([200] * 8, [0, 8])
    assert broken == [500] * 6 + [503] * 6 + [429] * 2


async def test_checks_of_targets(site: Site, server: RedisServer) -> None:
    """A target that says it is not well gets nothing at either worker, though it answers; then it does again."""
    health = {
        "path": "/health",
        "interval": "200ms",
        "timeout": "1s",
        "unhealthy_after": 2,
        "healthy_after": 1,
    }
    async with Checked("a") as one, Checked("b") as other:
        services = {"s": {"targets": [{"url": one.url}, {"url": other.url}], "health": health}}
        raw = document(route(service="s"), services=services)
        async with two_workers(site, server, raw) as (_, clients):

            async def are(*wanted: bytes) -> bool:
                return {(await client.get("/")).body for client in clients for _ in range(4)} == {*wanted}

            await eventually(lambda: are(b"a", b"b"))
            one.is_well = False
            await eventually(lambda: are(b"b"))
            other.is_well = False
            await eventually(lambda: _unavailable(clients))
            server.stop()
            one.is_well = True
            assert await eventually(lambda: are(b"a"))
            other.is_well = True
            await eventually(lambda: are(b"a", b"b"))


async def _unavailable(clients: list[RawClient]) -> bool:
    answers = [await client.get("/") for client in clients]
    return all(answer.status == 503 and error(answer)["code"] == "SERVICE_UNAVAILABLE" for answer in answers)


class Checked(ScriptedUpstream):
    """Serves whatever it is asked, and says at /health whether it is well."""

    def __init__(self, name: str) -> None:
        super().__init__(self._serve_peer)
        self._name = name.encode()
        self.is_well = True

    async def _serve_peer(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            is_ill = request.target == b"/health" and not self.is_well
            await peer.send(response(self._name, status="503 Ill" if is_ill else "200 OK"))
