"""Detailed health of a worker: what it asks, and that it never hangs with it."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from django.conf import settings

from authproxy.exchange import SCOPE_IDENTITY
from authproxy.identity import Identity
from gateway_project.detailing import Detailing, redis_check
from observability.components import Check, Seen
from resilience.stores.connection import RedisLink
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.redisserver import RedisServer

STAFF = Identity(method="jwt", is_staff=True)


def detailing(
    *, has_database: bool = False, redis: RedisLink | None = None, bus: Check | None = None, **config: Any
) -> Detailing:
    return Detailing(
        replace(settings.CONFIG, **config),
        version="1",
        role="all",
        has_database=has_database,
        redis=redis,
        decided_alone=lambda: 7,
        revision=lambda: 3,
        unready=lambda: None,
        services=dict,
        bus=bus,
        realtime=lambda: {"connections": 3},
    )


async def gone() -> Seen:
    return Seen("cannot be reached")


async def report(worker: Detailing) -> dict[str, Any]:
    send = Recorder()
    await worker.application({**http_scope(path="/health/detailed"), SCOPE_IDENTITY: STAFF}, playback(), send)
    found: dict[str, Any] = orjson.loads(send.body)
    return {**found, "code": send.status}


async def test_a_worker_that_leans_on_nothing() -> None:
    """With a file and no Redis; a bus is only there if the settings name one."""
    found = await report(detailing())
    realtime = found["components"].pop("realtime")
    assert found["components"] == {"database": {"status": "disabled"}, "redis": {"status": "disabled"}}
    assert (realtime["status"], realtime["connections"]) == ("healthy", 3)
    assert (found["status"], found["code"], found["workers"]) == ("healthy", 200, None)
    assert found["worker"]["revision"] == 3
    found = await report(detailing(bus=gone))
    assert found["components"]["bus"]["reason"] == "cannot be reached"
    assert (found["status"], found["code"]) == ("degraded", 200)


@pytest.mark.store
@pytest.mark.django_db(transaction=True)
async def test_the_database_is_asked() -> None:
    """And who reports to it."""
    worker = detailing(has_database=True)
    try:
        found = await report(worker)
        assert found["components"]["database"]["status"] == "healthy"
        assert found["workers"] == []
    finally:
        await worker.stop()


async def test_redis_that_goes_and_comes_back(tmp_path: Path) -> None:
    """By the connection that requests use: while it is away nobody waits for it."""
    with RedisServer(tmp_path) as server:
        link = RedisLink(server.url, rng=Random(1), timeout_s=1.0)
        assert await redis_check(link, lambda: 7) == Seen("does not answer", counts={"decided_alone": 7})
        await link.start()
        try:
            assert await redis_check(link, lambda: 0) == Seen(counts={"decided_alone": 0})
            found = await report(detailing(redis=link))
            assert found["components"]["redis"]["latency_ms"] > 0
            assert found["components"]["redis"]["decided_alone"] == 7
            server.stop()
            found = await report(detailing(redis=link))
            assert (found["status"], found["code"]) == ("degraded", 200)
        finally:
            await link.stop()
