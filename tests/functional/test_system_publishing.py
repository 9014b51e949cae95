"""From `gateway apply` in one process to every worker of another: how a change becomes live, and what never does."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import pytest

from tests.support.gateway import RawClient, document, route
from tests.support.process import Site, connections_to_each_worker, eventually
from tests.support.stopwatch import Stopwatch

LIVE_WITHIN_S = 1.0


def saying(text: str) -> dict[str, Any]:
    """A configuration that answers /said with the text."""
    return document(route("said", path="/said", respond={"status": 200, "body": text}))


async def first_seen(client: RawClient, text: bytes) -> float:
    """When this worker first answered with the text, by the wall clock."""

    async def says_it() -> bool:
        return (await client.get("/said")).body == text

    await eventually(says_it, every_s=0.005)
    return time.time()


@pytest.mark.parametrize(
    ("told_by", "workers"),
    [
        ("redis", "2"),
        ("embedded", "2"),
        pytest.param("none", "1", marks=pytest.mark.store),  # NOTIFY on PostgreSQL
    ],
)
async def test_change_is_live_on_every_worker_within_a_second(
    told_by: str, workers: str, site: Site, redis_url: str, stopwatch: Stopwatch
) -> None:
    """Told over a Redis, over the embedded one, or finding out by polling alone; the first change is seen as well."""
    site.env["REDIS_URL"] = {"redis": redis_url, "embedded": "", "none": "none"}[told_by]
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(site.serving("--workers", workers))
        clients = await stack.enter_async_context(connections_to_each_worker(running))
        unready = await running.get("/health/ready")
        seen = []
        for text in ("one", "two"):
            waiting = [asyncio.create_task(first_seen(client, text.encode())) for client in clients]
            await site.apply(saying(text))
            seen.append(max(await asyncio.gather(*waiting)))
        ready = await running.get("/health/ready")
    revisions = (await site.gateway("revisions", "--json")).data

    # The number is given before the commit, so this is a little more than from commit to live.
    numbered = [datetime.fromisoformat(each["created_at"]).timestamp() for each in reversed(revisions)]
    assert len(clients) == int(workers)
    for at, live in zip(numbered, seen, strict=True):
        assert stopwatch.between(at, live) < LIVE_WITHIN_S
    assert (unready.status, ready.status) == (503, 200)


async def test_revision_that_does_not_compile_never_replaces_the_live_one(site: Site) -> None:
    """Put straight into the table, it is refused by the worker, whose row says why; the next good one is served."""
    await site.apply(saying("good"))
    async with site.serving() as running:
        columns = "number, created_at, author, message, source, digest, document, changes, parent"
        site.sql(
            f"INSERT INTO routing_revision ({columns}) "
            "SELECT 2, created_at, author, message, source, 'other', ?, changes, 1 FROM routing_revision",
            '{"version": 1, "routes": [{"name": "bad", "match": {"path": "/said"}, "service": "nobody"}]}',
        )
        await running.said("revision 2 does not compile here: ")
        still = await running.get("/said")
        rows = await eventually(
            lambda: site.sql("SELECT revision, error FROM routing_node WHERE error <> ''")
        )
        kept = (site.var_dir / "last-revision.json").read_text()
        await site.apply(saying("better"))
        await running.until("/said", b"better")
        healed = site.sql("SELECT revision, error FROM routing_node")

    assert still.body == b"good"
    assert rows[0][0] == 1
    assert 'no service named "nobody"' in rows[0][1]
    assert '"number":1' in kept
    assert healed in ([(3, "")], rows)
