"""Ten thousand routes from a file to a serving worker, and a change of one of them under load."""

import asyncio
import json
import time

import pytest

from tests.support.configuration import large
from tests.support.gateway import RawClient
from tests.support.process import PATIENCE_S, Running, Site
from tests.support.stopwatch import Stopwatch
from tests.support.upstreams import ScriptedUpstream, answering, response

ROUTES = 10_000
APPLIED_WITHIN_S = 60.0  # 3 s on an idle machine; this only catches what grows with the square
SLOWEST_S = 2.0
CLIENTS = 8


def files(site: Site, upstream_url: str, *texts: str) -> list[str]:
    """A file for each text, with routes to the upstream; one route of the ten thousand adds the text."""
    raw = large(ROUTES, services=2)
    for service in raw["services"]:
        service["targets"] = [{"url": upstream_url}]
    for route in raw["routes"]:
        route["match"]["hosts"] = ["gateway.test"]
    written = []
    for text in texts:
        raw["routes"][77]["response_headers"] = {"set": {"x-said": text}}
        written.append(site.write(json.dumps(raw), f"{text}.json"))
    return written


async def ask(client: RawClient, number: int) -> str | None:
    answer = await client.get(f"/team{number % 100}/thing{number}")
    assert (answer.status, answer.body) == (200, b"upstream")
    return answer.header("x-said")


async def load(running: Running, stop: asyncio.Event) -> list[tuple[float, float]]:
    """Asks for one route after the other until told to stop; when each began and had its answer."""
    took, number = [], 0
    async with RawClient(running.port) as client:
        while not stop.is_set():
            began = time.time()
            await ask(client, number)
            took.append((began, time.time()))
            number = (number + 997) % ROUTES
            await asyncio.sleep(0.005)  # the gateway and the commands share this machine
    return took


@pytest.mark.store
async def test_ten_thousand_routes_change_under_load(site: Site, stopwatch: Stopwatch) -> None:
    """They are applied in seconds; a change of one is live while every request of eight clients is answered."""
    async with ScriptedUpstream(answering(response(b"upstream"))) as upstream:
        none, *changes = files(site, upstream.url, "none", "one", "two")
        began = time.time()
        applied = await site.gateway("apply", none)
        applied_s = stopwatch.since(began)
        assert applied.code == 0, applied.err
        async with site.serving() as running, RawClient(running.port) as witness:
            assert await ask(witness, 77) == "none"
            stop = asyncio.Event()
            clients = [asyncio.create_task(load(running, stop)) for _ in range(CLIENTS)]
            for text, file in zip(("one", "two"), changes, strict=True):
                await site.gateway("apply", file)
                async with asyncio.timeout(PATIENCE_S):
                    while await ask(witness, 77) != text:
                        pass
            stop.set()
            took = [each for times in await asyncio.gather(*clients) for each in times]

    assert applied_s < APPLIED_WITHIN_S
    assert len(took) > 100
    slowest = sorted(took, key=lambda times: times[1] - times[0])[-10:]
    assert max(stopwatch.between(*times) for times in slowest) < SLOWEST_S
