"""Real gateways whose Redis is several servers: one that Sentinel names, and a Cluster."""

from pathlib import Path

import pytest

from tests.support.gateway import RawClient, document, route
from tests.support.process import Site, connections_to_each_worker, eventually
from tests.support.redisservers import cluster_in, replicated_in
from tests.support.traffic import counted, quotas

pytestmark = pytest.mark.timeout(240)
LIMIT = 30


async def install(site: Site, url: str) -> None:
    """One route, limited by caller; nobody passes by what a worker counts alone."""
    site.env["REDIS_URL"] = url
    quota = {"name": "q", "limit": LIMIT, "per": "1d", "key": {"header": "X-Who"}, "on_store_failure": "deny"}
    fixed = route(respond={"status": 200, "body": "x"}, quotas=["q"])
    await site.apply({**document(fixed), **quotas(quota)})


async def admitted(clients: list[RawClient], who: str, each: int) -> dict[int, int]:
    """Of so many requests to each worker."""
    answers = [await client.get("/", f"X-Who: {who}") for _ in range(each) for client in clients]
    return counted(answer.status for answer in answers)


async def test_failover_is_survived(site: Site, tmp_path: Path) -> None:
    """Two workers count together before it and after it, and know what was counted; edits go on being heard."""
    with replicated_in(tmp_path) as servers:
        await eventually(servers.is_complete)
        await install(site, servers.url)
        async with site.serving("--workers", "2") as running, connections_to_each_worker(running) as clients:
            assert await admitted(clients, "ada", LIMIT) == {200: LIMIT, 429: LIMIT}
            assert await admitted(clients, "eve", 5) == {200: 10}
            await eventually(
                lambda: b":1" in servers.replica.ask("EXISTS", "{torana:limits}t|q|header:X-Who=eve")
            )
            servers.lose_master()
            await eventually(servers.has_failed_over)
            number = iter(range(1_000_000))

            async def is_shared() -> bool:
                return await admitted(clients, f"new{next(number)}", 2) == {200: 4}

            await eventually(is_shared)
            assert await admitted(clients, "ada", 2) == {429: 4}
            assert await admitted(clients, "bob", LIMIT) == {200: LIMIT, 429: LIMIT}
            assert await admitted(clients, "eve", LIMIT) == {200: LIMIT - 10, 429: LIMIT + 10}
            await site.apply(document(route(respond={"status": 200, "body": "changed"})))
            await running.until("/", b"changed")
            pages = [(await running.get("/admin/login/")).status for _ in range(3)]
            assert max(pages) < 400
        assert "Redis is back" in running.text


async def test_cluster(site: Site, tmp_path: Path) -> None:
    """Two workers count together."""
    with cluster_in(tmp_path) as servers:
        await eventually(servers.is_complete)
        await install(site, servers.url)
        async with site.serving("--workers", "2") as running, connections_to_each_worker(running) as clients:
            assert await admitted(clients, "ada", LIMIT) == {200: LIMIT, 429: LIMIT}
            await site.apply(document(route(respond={"status": 200, "body": "changed"})))
            await running.until("/", b"changed")
        assert "Redis is away" not in running.text


async def test_what_is_wrong_with_the_url_is_told(site: Site) -> None:
    """With the variable's name."""
    done = await site.gateway("check", REDIS_URL="redis+sentinel://:hunter2@127.0.0.1:1")
    assert done.code != 0
    assert "REDIS_URL: Sentinel wants the service's name" in done.err
    assert "hunter2" not in done.err + done.out
