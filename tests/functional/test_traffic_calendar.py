"""Quotas of a day and of a month outlive what counts them: Redis, and the process."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually
from tests.support.redisserver import RedisServer
from tests.support.stopwatch import Stopwatch
from tests.support.traffic import counted, quotas

pytestmark = pytest.mark.timeout(240)
LIMIT = 40
FEW_S = 6.0
ADA = "X-Who: ada"


async def install(site: Site, per: str) -> None:
    """One route with a calendar quota by caller."""
    quota = {
        "name": "free",
        "algorithm": "fixed_window",
        "limit": LIMIT,
        "per": per,
        "key": {"header": "X-Who"},
    }
    fixed = route(respond={"status": 200, "body": "x"}, quotas=["free"])
    await site.apply({**document(fixed), **quotas(quota)})


async def statuses(running: Running, count: int, who: str = ADA) -> dict[int, int]:
    return counted([(await running.get("/", who)).status for _ in range(count)])


def recorded(site: Site) -> list[int]:
    return [count for (count,) in site.sql("SELECT count FROM resilience_quotacount ORDER BY count DESC")]


@pytest.mark.parametrize("way", ["emptied", "restarted"])
async def test_month_outlives_redis(way: str, site: Site, tmp_path: Path, stopwatch: Stopwatch) -> None:
    """Who used it up is refused again within seconds, under traffic, at both workers; others go on as before."""
    with RedisServer(tmp_path) as server:
        site.env["REDIS_URL"] = server.url
        await install(site, "month")
        async with site.serving("--workers", "2") as running:
            assert await statuses(running, LIMIT + 5) == {200: LIMIT, 429: 5}
            assert await statuses(running, 10, "X-Who: eve") == {200: 10}
            await eventually(lambda: recorded(site) == [LIMIT, 10])
            if way == "emptied":
                server.ask("FLUSHALL")
            else:
                server.stop()
                server.start()
            lost = time.time()

            async def is_refused() -> bool:
                return await statuses(running, 1) == {429: 1}

            await eventually(is_refused, every_s=FEW_S / LIMIT)  # too slow to use it up anew in that time
            assert stopwatch.since(lost) < FEW_S
            assert await statuses(running, 8) == {429: 8}
            assert await statuses(running, LIMIT, "X-Who: eve") == {200: LIMIT - 10, 429: 10}


@pytest.mark.store
@pytest.mark.parametrize("store", ["none", "redis"])
async def test_day_outlives_a_restart(store: str, site: Site, tmp_path: Path) -> None:
    """Also where the gateway's memory is all there is, and where Redis begins empty, too; to the last request."""
    with RedisServer(tmp_path) as server:
        if store == "redis":
            site.env["REDIS_URL"] = server.url
        await install(site, "day")
        async with site.serving("--grace", "0") as running:
            assert await statuses(running, LIMIT - 10) == {200: LIMIT - 10}
            running.process.terminate()
            assert await running.ended() == 0
        server.stop()
        server.start()
        async with site.serving() as running:
            assert await statuses(running, 15) == {200: 10, 429: 5}


async def test_month_is_used_up_while_redis_is_away(site: Site, tmp_path: Path) -> None:
    """Nobody begins anew in the workers' own memory, and a worker that starts then knows what was recorded."""
    with RedisServer(tmp_path) as server:
        site.env["REDIS_URL"] = server.url
        await install(site, "month")
        async with site.serving("--workers", "2") as running:
            assert await statuses(running, LIMIT + 1) == {200: LIMIT, 429: 1}
            await eventually(lambda: recorded(site) == [LIMIT])
        server.stop()
        async with site.serving("--workers", "2") as running:
            found = await asyncio.gather(*(statuses(running, 5) for _ in range(4)))
            assert found == [{429: 5}] * 4
            fresh = await statuses(running, 3 * LIMIT, "X-Who: eve")
            assert fresh[200] <= LIMIT


@pytest.mark.store
@pytest.mark.parametrize("way", ["redis", "none"])
async def test_support_resets_a_count(site: Site, tmp_path: Path, way: str, stopwatch: Stopwatch) -> None:
    """Who used up the month has all of it again within a second, at each worker; others go on as they were."""
    async with AsyncExitStack() as stack:
        workers: tuple[str, ...] = ()
        if way == "redis":
            server = stack.enter_context(RedisServer(tmp_path))
            site.env["REDIS_URL"], workers = server.url, ("--workers", "2")
        await install(site, "month")
        running = await stack.enter_async_context(site.serving(*workers))
        assert await statuses(running, LIMIT + 5) == {200: LIMIT, 429: 5}
        assert await statuses(running, 10, "X-Who: eve") == {200: 10}
        await eventually(lambda: recorded(site) == [LIMIT, 10])
        listed = (await site.gateway("quota", "list", "--json")).data
        assert [(each["used"], each["limit"], each["left"]) for each in listed] == [
            (LIMIT, LIMIT, 0),
            (10, LIMIT, LIMIT - 10),
        ]
        ran = await site.gateway("quota", "reset", "free", listed[0]["key"], "--reason", "sorry")
        done = time.time()
        assert ran.code == 0, ran.err

        async def is_let_in() -> float:
            began = time.time()
            return began if await statuses(running, 1) == {200: 1} else 0.0

        assert stopwatch.between(done, await eventually(is_let_in, every_s=0.01)) < 1.0
        assert await statuses(running, LIMIT) == {200: LIMIT - 1, 429: 1}
        assert await statuses(running, LIMIT, "X-Who: eve") == {200: LIMIT - 10, 429: 10}
        await eventually(lambda: recorded(site) == [LIMIT, LIMIT])
