"""Traffic, then a draft, then the replay of what was kept of that traffic: by command, beside a gateway that runs."""

from collections import Counter
from typing import Any

import pytest

from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually

pytestmark = [pytest.mark.store, pytest.mark.timeout(120)]  # seconds; processes start one after another
SAID = {"respond": {"status": 200, "body": "x"}}
NOW = document(
    route("said", path="/said", **SAID),
    route("open", path="/open", **SAID),
    {**route("staff", path="/staff", **SAID), "auth": {"level": "user", "scopes": ["read"]}},
    route("moved", path="/moved", redirect={"path": "/said"}),
)
THEN = document(
    route("said", path="/said", **SAID),
    {**route("open", path="/open", **SAID), "auth": {"level": "user", "scopes": ["read"]}},
    {**route("staff", path="/staff", **SAID), "auth": {"level": "user", "scopes": ["write"]}},
    route("moved", path="/moved", redirect={"path": "/open"}),
    route("late", path="/late", **SAID),
)


async def kept(site: Site, count: int) -> bool:
    """Once a second they are written."""

    async def look() -> bool:
        ran = await site.gateway("requests", "list", "--limit", "100", "--json")
        return len(ran.data) >= count

    return await eventually(look, every_s=0.3)


async def replayed(site: Site, *arguments: str) -> Any:
    ran = await site.gateway("replay", "--json", *arguments)
    assert (ran.code, ran.err) == (3, "")
    return ran.data


async def asked(running: Running, field: str) -> list[int]:
    answers = [
        await running.get("/said?token=s3cret"),
        await running.get("/open"),
        await running.get("/open", field),
        await running.get("/open", "X-API-Key: tk_nobody"),
        await running.get("/staff", field),
        await running.get("/staff"),
        await running.get("/moved"),
        await running.get("/late"),
        await running.get("/never"),
    ]
    return [answer.status for answer in answers]


async def test_traffic_then_a_draft_then_what_would_become_of_it(site: Site) -> None:
    """Each kind, with its reason; and publishing the draft then does just that."""
    await site.apply(NOW)
    await site.gateway("consumer", "create", "robot", "--kind", "service", "--scope", "read")
    made = await site.gateway("apikey", "create", "key", "--consumer", "robot")
    field = f"X-API-Key: {made.out.strip().splitlines()[-1]}"
    async with site.serving(REQUEST_LOG_SAMPLES_PER_SECOND="1000") as running:
        before = await asked(running, field)
        assert before == [200, 200, 200, 200, 200, 401, 301, 404, 404]
        await kept(site, len(before))
        await site.apply(THEN, "--draft", "--prune")
        found = await replayed(site)
        assert found["counts"] == {
            "same": 4, "elsewhere": 1, "refused": 3, "admitted": 1, "refused_otherwise": 0, "unknown": 0
        }  # fmt: skip
        said = Counter((each["kind"], each["url"], each["after"]["code"]) for each in found["requests"])
        assert said == {
            ("refused", "/open", "AUTH_ERROR"): 2,
            ("refused", "/staff", "FORBIDDEN"): 1,
            ("elsewhere", "/moved", None): 1,
            ("admitted", "/late", None): 1,
        }
        published = await site.gateway("publish", "-m", "as replayed")
        assert published.code == 0, published.err
        await running.until("/late", 200)
        after = await asked(running, field)
    assert after == [200, 401, 200, 401, 403, 401, 301, 200, 404]
