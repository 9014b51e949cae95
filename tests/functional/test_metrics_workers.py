"""`/metrics` of whole gateways: one answer for all workers, whatever happens to them."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, connections_to_each_worker, eventually
from tests.support.redisserver import RedisServer

pytestmark = pytest.mark.timeout(180)  # seconds; processes start one after another
DOCUMENT = document(route("hi", path="/hi", respond={"status": 200, "body": "hi"}))


async def scraped(client: RawClient) -> tuple[float, float]:
    """Requests to the route, and workers."""
    answer = await client.get("/metrics")
    assert answer.status == 200
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
        if sample.labels.get("route", "hi") == "hi"
    }
    return found.get("gateway_requests_total", 0), found["gateway_workers"]


async def fresh(running: Running) -> tuple[float, float]:
    async with RawClient(running.port) as client:
        return await scraped(client)


async def test_counts_of_all_workers_through_death_and_renewal(site: Site, tmp_path: Path) -> None:
    """Whoever is asked: all of them, never less than before; who was killed and who was replaced stay counted."""
    with RedisServer(tmp_path) as server:
        arguments = ("--workers", "2", "--role", "data", "--revision", site.write(DOCUMENT))
        async with site.serving(*arguments, REDIS_URL=server.url) as running:
            async with connections_to_each_worker(running) as clients:
                for client, number in zip(clients, (3, 4), strict=True):
                    for _ in range(number):
                        await client.get("/hi")
                    await scraped(client)
                assert [await scraped(client) for client in clients] == [(7, 2), (7, 2)]

            os.kill(running.workers()[0], signal.SIGKILL)
            assert await eventually(lambda: _again(running)) == (7, 2)

            before = running.workers()
            running.process.send_signal(signal.SIGHUP)
            await eventually(lambda: not set(before) & set(running.workers()) or None)
            assert await eventually(lambda: _again(running)) == (7, 2)
            folder = [path.name for path in (site.var_dir / "metrics").glob("*/*.lock")]
            assert len(folder) == 3

            await asyncio.gather(*(running.get("/hi") for _ in range(20)))
            assert await eventually(lambda: _again(running, 27)) == (27, 2)


async def _again(running: Running, number: int = 7) -> tuple[float, float] | None:
    """Once there are two workers and so many counts; there are never fewer than the seven."""
    found = await fresh(running)
    assert found[0] >= 7
    return found if found == (number, 2) else None
