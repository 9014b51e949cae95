"""Explaining beside a gateway that runs: what is left of quotas, asked from another process, and who registered."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.clients import post, signed_in, staff_of
from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually
from tests.support.redisserver import RedisServer

pytestmark = [pytest.mark.store, pytest.mark.timeout(180)]  # seconds; processes start one after another
QUOTAS = [
    {"name": "all", "limit": 7, "per": "1h", "key": "global"},
    {"name": "each", "limit": 9, "per": "1h", "key": "ip", "algorithm": "sliding_window"},
]
LIMITED = {
    **document(
        route("said", path="/said", respond={"status": 200, "body": "x"}, quotas=["all", "each"]),
        route("orders", path="/orders", service="orders"),
        services={"orders": "http://127.0.0.1:1"},
    ),
    "quotas": QUOTAS,
}


def remaining(explanation: dict[str, Any]) -> list[Any]:
    return [note["details"]["remaining"] for note in explanation["policies"] if note["name"] == "quotas"]


async def by_command(site: Site, **env: str) -> dict[str, Any]:
    ran = await site.gateway("explain", "GET", "/said", "--from", "127.0.0.1", "--json", **env)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.data
    return found


async def by_api(running: Running, field: str, url: str = "/said") -> dict[str, Any]:
    answer = await post(running, "/control/v1/explain", {"url": url, "address": "127.0.0.1"}, field)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


async def test_what_all_workers_counted_together(site: Site, tmp_path: Path) -> None:
    """The command and the control API say the same, count nothing, and say so when Redis is away."""
    await site.apply(LIMITED)
    with RedisServer(tmp_path) as server:
        site.env["REDIS_URL"] = server.url
        async with staff_of(site) as staff, site.serving("--workers", "2") as running:
            await staff.do("accounts.create('root', password='correct-horse-battery', is_staff=True)")
            await staff.do("User.objects.filter(username='root').update(is_superuser=True)")
            root = (await signed_in(running, "root")).field
            assert remaining(await by_command(site)) == [7, 9]
            for _ in range(4):
                assert (await running.get("/said")).status == 200
            for _ in range(2):
                assert remaining(await by_command(site)) == [3, 5]
                assert remaining(await by_api(running, root)) == [3, 5]
            assert [(await running.get("/said")).status for _ in range(4)] == [200, 200, 200, 429]
            found = await by_command(site)
            assert (remaining(found), found["refusal"]["code"]) == ([0, 2], "RATE_LIMIT")
            server.stop()
            assert remaining(await by_command(site)) == ["unknown", "unknown"]


async def test_without_a_redis_only_the_worker_knows(site: Site) -> None:
    """Its own API tells; the command says that each worker counts for itself."""
    await site.apply(LIMITED)
    async with staff_of(site) as staff, site.serving() as running:
        await staff.do("accounts.create('root', password='correct-horse-battery', is_staff=True)")
        await staff.do("User.objects.filter(username='root').update(is_superuser=True)")
        root = (await signed_in(running, "root")).field
        assert (await running.get("/said")).status == 200
        found = await by_api(running, root)
        assert remaining(found) == [6, 8]
        assert found["policies"][1]["details"]["counted_by"] == "this worker alone"
        assert remaining(await by_command(site)) == ["unknown", "unknown"]
        assert "each worker counts for itself" in (await site.gateway("explain", "GET", "/said")).out


async def test_the_embedded_one_is_found_by_commands(site: Site) -> None:
    """While the gateway runs; they use its VAR_DIR."""
    site.env["REDIS_URL"] = ""
    await site.apply(LIMITED)
    async with site.serving() as running:
        assert (await running.get("/said")).status == 200
        assert remaining(await by_command(site)) == [6, 8]
    assert remaining(await by_command(site)) == ["unknown", "unknown"]


async def test_targets_that_registered_themselves(site: Site) -> None:
    """Wait for approval, are candidates, and drain when they have left; the worker that serves says the same."""
    await site.apply(LIMITED)
    async with staff_of(site) as staff, site.serving(DISCOVERY_APPROVAL="manual") as running:
        key = await staff.do("result = service('robot')")
        sent = {"service_name": "orders", "host": "orders.test", "port": 8001}
        made = await post(running, "/discovery/register", sent, f"X-API-Key: {key}")
        assert made.status == 201, made.body

        async def states() -> list[tuple[str, str | None]]:
            ran = await site.gateway("explain", "GET", "/orders", "--json")
            return [(each["origin"], each.get("state")) for each in ran.data["targets"]]

        assert await states() == [("configuration", None), ("lease", "quarantined")]
        assert (await site.gateway("discovery", "approve", "orders")).code == 0
        assert (await states())[1][1] in ("unchecked", "healthy", "unhealthy")
        path = f"/discovery/lease/{orjson.loads(made.body)['lease_id']}"
        assert (await running.get(path, f"X-API-Key: {key}", method="DELETE")).status == 204
        assert await states() == [("configuration", None), ("lease", "draining")]


async def test_where_the_gateway_counts_is_where_it_is_looked(site: Site, tmp_path: Path) -> None:
    """Installations that share a Redis are told apart by their names, here as there."""
    await site.apply(LIMITED)
    with RedisServer(tmp_path) as server:
        site.env |= {"REDIS_URL": server.url, "SERVICE_NAME": "shop"}
        async with site.serving() as running:
            assert (await running.get("/said")).status == 200
            assert remaining(await by_command(site)) == [6, 8]
            assert remaining(await by_command(site, SERVICE_NAME="other")) == [7, 9]
            assert await eventually(lambda: b"{shop:limits}" in server.ask("KEYS", "*"))
