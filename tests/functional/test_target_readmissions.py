"""An operator puts targets back on every worker of real gateways, with Redis and without, and pages say who is out."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import Caller, post, signed_in, staff_of
from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, connections_to_each_worker, eventually
from tests.support.redisserver import RedisServer
from tests.support.stopwatch import Stopwatch
from tests.support.traffic import Upstream
from tests.support.upstreams import Peer, ScriptedUpstream, response

pytestmark = [pytest.mark.store, pytest.mark.timeout(240)]
SOON_S = 1.0
EJECTION = {"consecutive_errors": 2, "for": "300s"}
HEALTH = {"interval": "300s", "timeout": "1s", "unhealthy_after": 1}
OPERATOR = (
    "from django.contrib.auth.models import Permission\n"
    "account('anna', staff=True)\n"
    "user('anna').user_permissions.add(Permission.objects.get(codename='operate'))\n"
)


class Checked(ScriptedUpstream):
    """Serves with its name, and says at /health whether it is well."""

    def __init__(self, name: str, *, is_well: bool = True) -> None:
        super().__init__(self._serve_peer)
        self._name = name.encode()
        self.is_well = is_well

    async def _serve_peer(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            is_ill = request.target == b"/health" and not self.is_well
            await peer.send(response(self._name, status="503 Ill" if is_ill else "200 OK"))


@asynccontextmanager
async def workers(site: Site, way: str, folder: Path) -> AsyncIterator[tuple[Running, list[RawClient]]]:
    """A gateway, and a connection to each of two workers: of one node over Redis, or of two nodes without any."""
    if way == "redis":
        with RedisServer(folder) as server:
            site.env["REDIS_URL"] = server.url
            async with (
                site.serving("--workers", "2") as running,
                connections_to_each_worker(running) as found,
            ):
                yield running, found
    else:
        async with (
            site.serving() as one,
            site.serving() as other,
            connections_to_each_worker(one) as found,
            connections_to_each_worker(other) as more,
        ):
            yield one, [*found, *more]


async def operator(site: Site, running: Running) -> Caller:
    async with staff_of(site) as staff:
        await staff.do(OPERATOR)
    return await signed_in(running, "anna")


def configured(*upstreams: ScriptedUpstream, **more: Any) -> dict[str, Any]:
    service = {"targets": [{"url": each.url} for each in upstreams], "retries": {"attempts": 0}, **more}
    return document(route(service="s"), services={"s": service})


async def out(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await site.gateway("target", "list", "--out", "--json")).data
    return found


async def served(client: RawClient) -> set[bytes]:
    return {(await client.get("/")).body for _ in range(4)}


@pytest.mark.parametrize("way", ["redis", "none"])
async def test_ejected_target_is_back_everywhere(
    site: Site, tmp_path: Path, way: str, stopwatch: Stopwatch
) -> None:
    """Each worker has ejected it for minutes; one word at the API, and each sends to it within a second."""
    async with Upstream(name="bad", always=500) as bad, Upstream(name="good") as good:
        await site.apply(configured(bad, good, ejection=EJECTION))
        async with workers(site, way, tmp_path) as (running, clients):
            anna = await operator(site, running)
            for client in clients:
                while await served(client) != {b"good"}:
                    pass
            assert [each["state"] for each in await eventually(lambda: _seen(site, 2))] == ["ejected"]
            bad.then()
            order = {"url": bad.url, "reason": "mended"}
            began = time.time()
            answer = await post(running, "/control/v1/services/s/targets/readmit", order, anna.field)
            assert answer.status == 200, answer.body
            at = [await eventually(lambda client=client: _is_back(client)) for client in clients]
            assert max(stopwatch.between(began, moment) for moment in at) < SOON_S
            assert await out(site) == []
        history = "SELECT target, by, reason FROM resilience_targetreadmission"
        assert site.sql(history.replace(" by,", ' "by",')) == [(bad.url, "anna", "mended")]


async def _seen(site: Site, workers: int) -> list[dict[str, Any]]:
    """Once so many workers have written down that they leave it out."""
    found = await out(site)
    return found if found and found[0]["ejected_at_workers"] == workers else []


async def _is_back(client: RawClient) -> float:
    began = time.time()
    return began if b"bad" in await served(client) else 0.0


@pytest.mark.parametrize("way", ["redis", "none"])
async def test_unhealthy_target_is_back_everywhere(
    site: Site, tmp_path: Path, way: str, stopwatch: Stopwatch
) -> None:
    """Its next check would come in minutes; the command line puts it back, and its checks say that it is well."""
    async with Checked("bad", is_well=False) as ill, Checked("good") as well:
        await site.apply(configured(ill, well, health=HEALTH))
        async with workers(site, way, tmp_path) as (_, clients):
            for client in clients:
                await eventually(lambda client=client: _without(client))
            assert [each["state"] for each in await eventually(lambda: out(site))] == ["unhealthy"]
            ill.is_well = True
            ran = await site.gateway("target", "readmit", "s", ill.url, "--reason", "mended")
            done = time.time()
            assert ran.code == 0, ran.err
            at = [await eventually(lambda client=client: _is_back(client)) for client in clients]
            assert max(stopwatch.between(done, moment) for moment in at) < SOON_S
            listed = (await site.gateway("target", "list", "--json")).data
            assert {each["state"] for each in listed} <= {"healthy", "unchecked"}


async def _without(client: RawClient) -> bool:
    return await served(client) == {b"good"}


async def test_target_that_still_fails_goes_again(site: Site) -> None:
    """An operator's word is no promise: it is ejected anew, and the worker that ends leaves no row behind."""
    async with Upstream(name="bad", always=500) as bad, Upstream(name="good") as good:
        await site.apply(configured(bad, good, ejection=EJECTION))
        async with site.serving() as running, RawClient(running.port) as client:
            for _ in range(2):
                while await served(client) != {b"good"}:
                    pass
                await eventually(lambda: _seen(site, 1))
                asked = len(bad.requests)
                assert (await site.gateway("target", "readmit", "s", bad.url)).code == 0
                await eventually(lambda asked=asked: _asked(client, bad, asked))
            while await served(client) != {b"good"}:
                pass
            await eventually(lambda: _seen(site, 1))
            running.interrupt()
            await running.ended()
        assert await out(site) == []


async def _asked(client: RawClient, upstream: Upstream, before: int) -> bool:
    await served(client)
    return len(upstream.requests) > before
