"""Canaries on real gateways of several workers: what fails goes back by itself, what is well takes everything."""

from pathlib import Path
from typing import Any

import pytest

from tests.functional.test_target_readmissions import operator, workers
from tests.support.clients import post
from tests.support.gateway import RawClient, document, route
from tests.support.process import Site, eventually
from tests.support.traffic import Upstream

pytestmark = [pytest.mark.store, pytest.mark.timeout(240)]
CANARY = {"steps": [50, 100], "every": "1s", "min_requests": 10}
WAITING = {**CANARY, "every": "300s"}


def configured(old: Upstream, new: Upstream, canary: dict[str, Any] = CANARY) -> dict[str, Any]:
    services = {
        name: {"targets": [{"url": each.url}], "retries": {"attempts": 0}}
        for name, each in (("old", old), ("new", new))
    }
    backends = [{"service": "old"}, {"service": "new"}]
    return document(route(backends=backends, canary=canary), services=services)


async def shown(site: Site) -> dict[str, Any]:
    found: list[dict[str, Any]] = (await site.gateway("canary", "list", "--json")).data
    return found[0] if found else {}


async def served(client: RawClient) -> set[bytes]:
    return {(await client.get("/")).body for _ in range(16)}


async def reached(site: Site, clients: list[RawClient], state: str, percent: float) -> dict[str, Any]:
    """Goes on asking until it stands so."""

    async def looks() -> dict[str, Any]:
        for client in clients:
            await served(client)
        found = await shown(site)
        return found if (found.get("state"), found.get("percent")) == (state, percent) else {}

    return await eventually(looks)


async def only(client: RawClient, body: bytes) -> bool:
    return await served(client) == {body}


@pytest.mark.parametrize("way", ["redis", "none"])
async def test_a_canary_that_fails_goes_back_on_every_worker(site: Site, tmp_path: Path, way: str) -> None:
    """With who, why and figures in its history; and begins again when an operator says so."""
    async with Upstream(name="old") as old, Upstream(name="new", always=500) as new:
        await site.apply(configured(old, new, WAITING))
        async with workers(site, way, tmp_path) as (running, clients):
            row = await reached(site, clients, "rolled_back", 0.0)
            assert row["by"] == "system"
            assert "requests failed" in row["reason"]
            for client in clients:
                await eventually(lambda client=client: only(client, b"old"))
            anna = await operator(site, running)
            new.then()
            word = {"word": "restart", "reason": "mended"}
            answer = await post(running, "/control/v1/canaries/r", word, anna.field)
            assert answer.status == 200, answer.body
            for client in clients:
                await eventually(lambda client=client: _both(client))
            again = await shown(site)
            assert (again["state"], again["step"], again["by"]) == ("running", 1, "anna")


async def _both(client: RawClient) -> bool:
    return len(await served(client)) == 2


async def _is_running(site: Site) -> bool:
    return bool((await shown(site))["state"] == "running")


async def test_a_canary_that_is_well_takes_everything(site: Site, tmp_path: Path) -> None:
    """Step by step, each once, whichever worker comes first."""
    async with Upstream(name="old") as old, Upstream(name="new") as new:
        await site.apply(configured(old, new))
        async with workers(site, "none", tmp_path) as (_, clients):
            await reached(site, clients, "promoted", 100.0)
            for client in clients:
                await eventually(lambda client=client: only(client, b"new"))
        events = site.sql('SELECT stage, percent, "by" FROM resilience_canaryevent ORDER BY id')
        assert events == [
            ("running", 50.0, "system"),
            ("running", 100.0, "system"),
            ("promoted", 100.0, "system"),
        ]


async def test_a_step_outlives_restarts_and_other_changes(site: Site) -> None:
    """And not a changed schedule, which is another canary."""
    async with Upstream(name="old") as old, Upstream(name="new") as new:
        await site.apply(configured(old, new, WAITING))
        async with site.serving() as running, RawClient(running.port) as client:
            await eventually(lambda: _both(client))
            assert (await site.gateway("canary", "rollback", "r", "--reason", "not yet")).code == 0
            await eventually(lambda: only(client, b"old"))
            running.interrupt()
            await running.ended()
        async with site.serving() as running, RawClient(running.port) as client:
            assert await only(client, b"old")
            assert (await site.gateway("canary", "pause", "r")).code != 0
            assert (await site.gateway("canary", "promote", "r")).code == 0
            await eventually(lambda: only(client, b"new"))
            await site.apply(configured(old, new, {**WAITING, "min_requests": 11}))
            await eventually(lambda: _both(client))
            await eventually(lambda: _is_running(site))  # who asks may be sooner than the worker's note of it


async def test_a_step_in_the_middle_goes_on_after_a_restart(site: Site) -> None:
    """Where it was and since when it was; an operator's `restart` takes it from there to the first step."""
    canary = {"steps": [50, 75, 100], "every": "1s", "min_requests": 40}  # it waits where nobody asks

    def stands() -> list[Any]:
        return site.sql("SELECT stage, step, since FROM resilience_canarystate")

    async def is_at(client: RawClient, step: int) -> list[Any]:
        await served(client)
        return [row for row in stands() if row[1] == step]

    async with Upstream(name="old") as old, Upstream(name="new") as new:
        await site.apply(configured(old, new, canary))
        async with site.serving() as running, RawClient(running.port) as client:
            before = await eventually(lambda: is_at(client, 1))
            running.interrupt()
            await running.ended()
        async with site.serving() as running, RawClient(running.port) as client:
            await eventually(lambda: _both(client))
            assert stands() == before
            await eventually(lambda: is_at(client, 2))
            assert (await site.gateway("canary", "restart", "r", "--as", "anna")).code == 0
            await eventually(lambda: _both(client))
        events = site.sql('SELECT stage, percent, "by" FROM resilience_canaryevent ORDER BY id')
        assert events == [
            ("running", 50.0, "system"),
            ("running", 75.0, "system"),
            ("running", 100.0, "system"),
            ("running", 50.0, "anna"),
        ]
