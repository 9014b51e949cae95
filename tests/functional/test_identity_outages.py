"""The database of accounts is away: how long callers wait, and what is made up for afterwards."""

import asyncio
import signal
import time

import pytest

from tests.support.clients import Caller, keyed, staff_of
from tests.support.gateway import document, route
from tests.support.process import Running, Site
from tests.support.stopwatch import Stopwatch
from tests.support.storeaway import WAYS, outage

CLOSED = document(route("closed", path="/closed", auth={"level": "user"}, respond={"status": 204}))
FIRST_S = 3.0
OTHERS_S = 1.0


async def ask(running: Running, caller: Caller, stopwatch: Stopwatch) -> tuple[int, float]:
    """The answer's status, and how long it took."""
    began = time.time()
    answer = await running.get("/closed", caller.field)
    return answer.status, stopwatch.since(began)


@pytest.mark.store
@pytest.mark.parametrize("way", WAYS)
async def test_nobody_waits_long_for_a_database_that_is_away(
    way: str, site: Site, stopwatch: Stopwatch
) -> None:
    """Who is known does not wait at all; of the others, the first waits a second, and then nobody does.

    What was used meanwhile is written once the database is back.
    """
    await site.apply(CLOSED)
    async with staff_of(site) as staff:
        secrets = await staff.do("result = [service(f's{n}') for n in range(5)]")
    known, *others = (keyed(f"s{number}", secret) for number, secret in enumerate(secrets))
    async with outage(way, site) as database, site.serving() as running:
        assert (await ask(running, known, stopwatch))[0] == 204
        await database.begin()
        if database.gone:
            status, seconds = await ask(running, others[0], stopwatch)
            assert (status, seconds < FIRST_S) == (503, True), seconds
            found = await asyncio.gather(*(ask(running, each, stopwatch) for each in [*others, known]))
            assert [status for status, _ in found] == [503] * len(others) + [204]
            assert max(seconds for _, seconds in found) < FIRST_S
            for _ in range(5):
                status, seconds = await ask(running, known, stopwatch)
                assert (status, seconds < OTHERS_S) == (204, True), seconds
        await database.end()
        await running.get("/closed", known.field)
        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == 0
        asked = "SELECT count(*) FROM authproxy_apikey WHERE last_used_at IS NOT NULL"
        [(used,)] = await asyncio.to_thread(
            site.sql, asked
        )  # the proxy before the database runs in this loop
        assert used >= 1
