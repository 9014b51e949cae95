"""The database goes away under a running gateway: traffic goes on, what needs rows says so, and all heals by itself."""

from typing import Any

import orjson
import pytest

from tests.support.gateway import document, route
from tests.support.process import Site
from tests.support.storeaway import WAYS, outage


def saying(text: str) -> dict[str, Any]:
    return document(route("said", path="/said", respond={"status": 200, "body": text}))


@pytest.mark.store
@pytest.mark.parametrize("way", WAYS)
async def test_database_that_goes_away_takes_nothing_with_it(way: str, site: Site) -> None:
    """Routes go on, admin answers 503, commands say why, a new worker starts, and the next change is seen."""
    await site.apply(saying("before"))
    async with outage(way, site) as database, site.serving() as running:
        await database.begin()
        answers = [(await running.get("/said")).body for _ in range(20)]
        health = [(await running.get(f"/health{part}")).status for part in ("", "/live", "/ready")]
        if database.gone:
            admin = await running.get("/admin/", "Cookie: torana_admin=abcdefghijklmnopqrstuvwxyz012345")
            refused = await site.gateway("apply", site.write(saying("meanwhile")))
            async with site.serving() as second:
                started_without = (await second.get("/said")).body
                ready = (await second.get("/health/ready")).status
            error = orjson.loads(admin.body)["error"]
            assert (admin.status, error["code"]) == (503, "SERVICE_UNAVAILABLE")
            assert admin.header("retry-after") is not None
            assert "database" in error["message"]
            assert (refused.code, refused.out) == (1, "")
            assert refused.err.startswith("the database cannot be reached: ")
            assert refused.err.count("\n") == 1
            assert (started_without, ready) == (b"before", 200)
        await database.end()
        await site.apply(saying("after"))
        await running.until("/said", b"after")
        assert answers == [b"before"] * 20
        assert health == [200, 200, 200]
