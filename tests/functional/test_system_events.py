"""Security events of a gateway that runs: rows and log lines, few however many requests there are, and none lost."""

import asyncio
from collections import Counter
from typing import Any

import orjson
import pytest

from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, eventually
from tests.support.storeaway import WAYS, outage

CLOSED = document(
    *(
        route(name, path=path, auth={"level": "user"}, respond={"status": 204})
        for name, path in (("closed", "/closed"), ("during", "/closed/during"))
    )
)
FORGED = "tor_AAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBcccccccccc"
ATTEMPTS = 200
QUERY = "SELECT count, address, details FROM authproxy_securityevent WHERE kind = ? ORDER BY id"


async def guess(running: Running, times: int, *, path: str = "/closed") -> None:
    """Requests with a key that nobody made."""
    async with RawClient(running.port) as client:
        for _ in range(times):
            assert (await client.get(path, f"X-API-Key: {FORGED}")).status == 401


async def rows(site: Site) -> list[tuple[int, str, dict[str, Any]]]:
    """Count, address and details of each row about a refused credential."""
    # In a thread: the proxy that may stand before the database runs on this loop.
    found = await asyncio.to_thread(site.sql, QUERY, "auth_failed")
    return [
        (count, address, details if isinstance(details, dict) else orjson.loads(details))
        for count, address, details in found
    ]


async def test_guessing_is_few_rows_and_few_lines(site: Site) -> None:
    """All attempts are counted, where they came from and at which route; what was guessed is nowhere."""
    await site.apply(CLOSED)
    async with site.serving() as running:
        await guess(running, ATTEMPTS)
        await eventually(lambda: rows(site))
        running.process.terminate()
        await running.ended()
    kept = await rows(site)
    assert sum(row[0] for row in kept) == ATTEMPTS
    assert len(kept) <= 2, "one in each minute"
    assert kept[0][1:] == ("127.0.0.1", {"route": "closed", "reason": "invalid"})
    lines = [line for line in running.lines if " torana.security: auth_failed {" in line]
    told = [orjson.loads(line.partition("auth_failed ")[2]) for line in lines]
    assert sum(each.get("count", 1) for each in told) == ATTEMPTS
    assert len(lines) <= 12, "one in each ten seconds"
    assert FORGED[:17] not in running.text


@pytest.mark.store
@pytest.mark.parametrize("way", WAYS)
async def test_events_of_an_outage_are_kept_when_it_is_over(way: str, site: Site) -> None:
    """Log lines do not wait for the database; rows do, and none is lost or counted twice."""
    await site.apply(CLOSED)

    async def all_are_kept() -> bool:
        found: Counter[str] = Counter()
        for count, _, details in await rows(site):
            found[details["route"]] += count
        return found == {"closed": 1, "during": 3}

    async with outage(way, site) as database, site.serving() as running:
        await guess(running, 1)
        await eventually(lambda: rows(site))
        await database.begin()
        await guess(running, 3, path="/closed/during")
        await running.said("auth_failed .*during")
        await database.end()
        await eventually(all_are_kept)
        assert FORGED[:17] not in running.text
