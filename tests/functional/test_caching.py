"""The response cache of real gateways: two workers with a Redis, purges from every door, and Redis away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Answer, RawClient, document, route
from tests.support.origin import Origin, fresh, kind
from tests.support.process import Running, Site, connections_to_each_worker, eventually
from tests.support.redisserver import RedisServer
from tests.support.stopwatch import Stopwatch
from tests.support.upstreams import ScriptedUpstream, response

pytestmark = pytest.mark.timeout(240)
USUAL_S = 0.1
"""What a request may take on a quiet machine, amply; Redis has 50 ms beside that."""

PURGES = (
    (("--route", "shop"), True),
    (("--tag", "product-1"), True),
    (("--url", "/shop/x"), True),
    (("--route", "blog"), False),
    (("--url", "/shop"), False),
)


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with RedisServer(tmp_path) as running:
        yield running


def shop(url: str, **cache: Any) -> dict[str, Any]:
    return document(
        route("shop", path="/shop", service="s", cache=cache),
        route("blog", path="/blog", service="s", cache=cache),
        services={"s": url},
    )


@asynccontextmanager
async def two_workers(
    site: Site, server: RedisServer, origin: Origin, **cache: Any
) -> AsyncIterator[tuple[Running, RawClient, RawClient]]:
    """A gateway, and a connection to each of its workers."""
    site.env["REDIS_URL"] = server.url
    async with ScriptedUpstream(origin) as upstream:
        await site.apply(shop(upstream.url, **cache))
        async with (
            site.serving("--workers", "2") as running,
            connections_to_each_worker(running) as (one, other),
        ):
            yield running, one, other


def stored(server: RedisServer) -> int:
    """How many keys of the cache there are: answers, and by what those of a URL are distinguished."""
    return int(server.ask("EVAL", "return #redis.call('keys', '{*:cache:*')", "0")[1:])


async def until(client: RawClient, path: str, wanted: str, *headers: str) -> Answer:
    """What workers tell each other comes within a second."""

    async def look() -> Answer | None:
        answer = await client.get(path, *headers)
        return answer if kind(answer) == wanted else None

    found = await eventually(look)
    assert found is not None
    return found


async def shared(one: RawClient, other: RawClient, path: str) -> None:
    """An answer that both workers serve; the second one has it from Redis."""
    await one.get(path)
    await until(other, path, "HIT")
    await until(one, path, "HIT")


async def test_workers_share_what_one_has_fetched(site: Site, server: RedisServer) -> None:
    """The service is asked once, whichever worker is asked afterwards; each caller's language is its own."""
    origin = Origin(
        lambda request: fresh(b"".join(request.values("accept-language")), ("Vary", "Accept-Language"))
    )
    async with two_workers(site, server, origin) as (_, one, other):
        for number, language in enumerate(("de", "fr")):
            header = f"Accept-Language: {language}"
            await one.get("/shop", header)
            await eventually(lambda number=number: stored(server) == 2 + number)
            hit = await until(other, "/shop", "HIT", header)
            assert hit.body == language.encode()

    assert origin.count == 2


async def test_purges_are_live_everywhere_within_a_second(
    site: Site, server: RedisServer, stopwatch: Stopwatch
) -> None:
    """By route, tag and URL; what is not meant stays."""
    origin = Origin(fresh(b"old", ("Cache-Tag", "Product-1")))
    async with two_workers(site, server, origin) as (_, one, other):
        for number, (purge, is_meant) in enumerate(PURGES):
            await shared(one, other, "/shop/x")
            origin.reply = fresh(b"%d" % number, ("Cache-Tag", "Product-1"))
            done = await site.gateway("cache", "purge", *purge)
            assert done.code == 0, done.err
            if is_meant:
                ordered = time.time()
                await eventually(lambda number=number: both_say(b"%d" % number, one, other))
                assert stopwatch.between(ordered, time.time()) < 1.0, purge
            else:
                await asyncio.sleep(1.0)
                assert [kind(await each.get("/shop/x")) for each in (one, other)] == ["HIT", "HIT"]


async def both_say(body: bytes, *workers: RawClient) -> bool:
    """Whether every worker has let go of what it had."""
    answers = [await each.get("/shop/x") for each in workers]
    return [answer.body for answer in answers] == [body] * len(workers)


async def test_a_change_is_heard_by_the_other_worker(site: Site, server: RedisServer) -> None:
    """An unsafe request at one ends what the other has in its memory."""
    origin = Origin(fresh(b"old"))
    async with two_workers(site, server, origin) as (_, one, other):
        await shared(one, other, "/shop")
        origin.reply = response(b"done")
        await one.get("/shop", method="PUT", body=b"1")
        origin.reply = fresh(b"new")
        assert (await one.get("/shop")).body == b"new"

        async def is_new() -> bool:
            return (await other.get("/shop")).body == b"new"

        await eventually(is_new)


async def test_redis_that_goes_costs_nobody_anything(
    site: Site, server: RedisServer, stopwatch: Stopwatch
) -> None:
    """Stopped and hanging: each worker caches for itself, no request fails, and none waits for long."""
    origin = Origin()
    async with two_workers(site, server, origin) as (running, one, other):
        await shared(one, other, "/shop")
        os.kill(server.pid, signal.SIGSTOP)
        for number in range(10):
            asked = time.time()
            answer = await one.get(f"/shop/{number}")
            assert (answer.status, kind(answer)) == (200, "MISS")
            assert stopwatch.between(asked, time.time()) < 0.05 + USUAL_S
        assert kind(await one.get("/shop/1")) == "HIT"
        os.kill(server.pid, signal.SIGCONT)
        server.stop()
        answers = [await each.get("/shop/new") for each in (one, other, one, other)]
        assert [each.status for each in answers] == [200] * 4
        assert [kind(each) for each in answers] == ["MISS", "MISS", "HIT", "HIT"]
        server.start()
        await running.said("Redis is back")


async def test_one_process_without_redis_is_purged_as_well(site: Site) -> None:
    """REDIS_URL=none: the order comes by way of the database."""
    origin = Origin()
    async with ScriptedUpstream(origin) as upstream:
        await site.apply(shop(upstream.url))
        async with site.serving() as running, RawClient(running.port) as client:
            await client.get("/shop")
            assert kind(await client.get("/shop")) == "HIT"
            assert (await site.gateway("cache", "purge", "--all")).code == 0
            await until(client, "/shop", "MISS")


async def test_a_change_of_the_cache_policy_ends_what_was_stored(site: Site) -> None:
    """Published, it is another configuration: old answers are not served by it."""
    origin = Origin(fresh(b"old"))
    async with ScriptedUpstream(origin) as upstream:
        await site.apply(shop(upstream.url, ttl="1m"))
        async with site.serving() as running, RawClient(running.port) as client:
            await client.get("/shop")
            assert kind(await client.get("/shop")) == "HIT"
            origin.reply = fresh(b"new")
            await site.apply(shop(upstream.url, ttl="2m"))

            async def is_new() -> bool:
                return (await client.get("/shop")).body == b"new"

            await eventually(is_new)


async def test_explain_says_what_the_cache_would_do(site: Site) -> None:
    """Hit or miss, or why it has no part in it."""
    await site.apply(shop("http://127.0.0.1:1", ttl="1m"))
    for method, words in (("GET", "hit or miss"), ("POST", "bypass: POST is not answered from a cache")):
        explained = await site.gateway("explain", method, "/shop", "--json")
        (note,) = [each for each in explained.data["policies"] if each["name"] == "cache"]
        assert note["details"]["request"].startswith(words)
        assert note["details"]["ttl_s"] == 60.0
