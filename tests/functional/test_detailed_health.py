"""Detailed health of whole gateways: with all that it leans on, and while that hangs or is gone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.clients import signed_in, staff_of
from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually
from tests.support.redisserver import RedisServer
from tests.support.storeaway import WAYS, outage

pytestmark = [pytest.mark.store, pytest.mark.timeout(180)]  # seconds; processes start one after another
DETAILED = "/health/detailed"
PUBLIC = {"OPS_ACCESS": "public"}


def config(url: str = "http://127.0.0.1:1") -> dict[str, Any]:
    return document(route("u", path="/u", service="u"), services={"u": url})


async def report(running: Running, *fields: str) -> dict[str, Any]:
    """What it says, and its status code; it never takes long."""
    async with asyncio.timeout(30):
        answer = await running.get(DETAILED, *fields)
    found: dict[str, Any] = orjson.loads(answer.body)
    return {**found, "code": answer.status}


@asynccontextmanager
async def stopped(pid: int) -> AsyncIterator[None]:
    """The process does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_all_is_well(site: Site, tmp_path: Path) -> None:
    """Database, Redis, every worker with its revision, every service with its targets; for staff alone."""
    await site.apply(config())
    with RedisServer(tmp_path) as server:
        site.env["REDIS_URL"] = server.url
        async with staff_of(site) as staff, site.serving("--workers", "2") as running:
            await staff.do("account('vera', staff=True), account('bert')")
            vera = (await signed_in(running, "vera")).field

            async def both() -> dict[str, Any] | None:
                found = await report(running, vera)
                states = [(each["revision"], each["state"]) for each in found["workers"] or ()]
                return found if states == [(1, "current")] * 2 else None

            found = await eventually(both)
            assert (found["code"], found["status"]) == (200, "healthy")
            assert {each["status"] for each in found["components"].values()} == {"healthy"}
            assert all(each["latency_ms"] > 0 for each in found["components"].values())
            assert found["services"]["u"]["targets"][0]["url"] == "http://127.0.0.1:1"
            assert found["worker"]["name"] in {each["name"] for each in found["workers"]}
            assert (await running.get(DETAILED)).status == 401
            bert = (await signed_in(running, "bert")).field
            paths = [DETAILED, "/monitoring/health", "/api/v1/health/detailed"]
            assert [(await running.get(path, bert)).status for path in paths] == [403] * 3
            assert [(await running.get(path, vera)).status for path in paths] == [200] * 3


@pytest.mark.parametrize("way", WAYS)
async def test_a_database_that_goes_away_is_told_and_hangs_nobody(way: str, site: Site) -> None:
    """Degraded, as traffic goes on; well again by itself."""
    await site.apply(config())
    async with outage(way, site) as database, site.serving(**PUBLIC) as running:
        assert (await report(running))["status"] == "healthy"
        await database.begin()
        if database.gone:
            found = await report(running)
            assert (found["code"], found["status"], found["workers"]) == (200, "degraded", None)
            assert found["components"]["database"]["status"] == "unhealthy"
            assert found["worker"]["revision"] == 1
        await database.end()

        async def is_well() -> bool:
            return bool((await report(running))["status"] == "healthy")

        assert await eventually(is_well)


async def test_a_redis_that_hangs_is_told_and_hangs_nobody(site: Site, tmp_path: Path) -> None:
    """As above."""
    await site.apply(config())
    with RedisServer(tmp_path) as server:
        async with site.serving(**PUBLIC, REDIS_URL=server.url) as running:
            assert (await report(running))["components"]["redis"]["status"] == "healthy"
            async with stopped(server.pid):
                found = await report(running)
                assert (found["code"], found["status"]) == (200, "degraded")
                assert found["components"]["redis"]["reason"] == "does not answer"

            async def is_well() -> bool:
                return bool((await report(running))["status"] == "healthy")

            assert await eventually(is_well)


async def test_a_service_whose_targets_are_all_ill(site: Site) -> None:
    """Is down; as nothing can be served then, the gateway is unhealthy."""

    raw = config()
    raw["services"][0] |= {"health": {"interval": "1s", "unhealthy_after": 1}}
    await site.apply(raw)
    async with site.serving(**PUBLIC) as running:

        async def is_down() -> dict[str, Any] | None:
            found = await report(running)
            return found if found["services"]["u"]["status"] == "down" else None

        found = await eventually(is_down)
        assert (found["code"], found["status"]) == (503, "unhealthy")
        assert found["services"]["u"]["targets"][0]["state"] == "unhealthy"


async def test_a_file_s_worker_has_neither_database_nor_workers(site: Site) -> None:
    """And is healthy all the same; OPS_ACCESS=private lets this machine read, and nobody through a stranger's proxy."""
    arguments = ("--role", "data", "--revision", site.write(config()))
    async with site.serving(*arguments, OPS_ACCESS="private", DATABASE_URL="sqlite:////nowhere/x") as running:
        found = await report(running)
        assert (found["code"], found["status"]) == (200, "healthy")
        assert found["components"].pop("realtime")["connections"] == 0
        assert found["components"] == {"database": {"status": "disabled"}, "redis": {"status": "disabled"}}
        assert found["workers"] is None
        assert (await running.get(DETAILED, "X-Forwarded-For: 203.0.113.9")).status == 401
