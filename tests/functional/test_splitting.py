"""Traffic that is shared among services, on real sockets: counted, remembered, forced, and never handed over."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.callers import Callers, gatekeeper
from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.recording import Recording
from tests.support.upstreams import ScriptedUpstream, response

AWAY = "http://127.0.0.1:1"
BACKENDS = [{"service": "old", "weight": 3}, {"service": "new", "weight": 1}]


@asynccontextmanager
async def shared(
    keys: dict[str, Any], *, new: str = "", **more: Any
) -> AsyncIterator[tuple[DataPlane, RawClient, Recording]]:
    """A route with two services, each of which says its name; the new one may be somewhere else."""
    olds = Recording(response(b"old", headers=[("Set-Cookie", "own=1")]))
    news = Recording(response(b"new"))
    async with ScriptedUpstream(olds) as first, ScriptedUpstream(news) as second:
        services = {"old": first.url, "new": new or second.url}
        raw = document(route(path="/shop", **{"backends": BACKENDS, **keys}), services=services)
        async with data_plane(raw, **more) as plane, RawClient(plane.port) as client:
            yield plane, client, news


async def test_requests_are_shared_by_weight() -> None:
    """The random numbers are fixed, so the count is."""
    async with shared({}) as (_plane, client, _):
        found = Counter([(await client.get("/shop")).body for _ in range(400)])

    assert found.keys() == {b"old", b"new"}
    assert 0.7 < found[b"old"] / 400 < 0.8


async def test_a_browser_stays_with_its_service() -> None:
    """Beside what the service sets itself; and after the weights changed, while there is a share."""
    async with shared({"sticky": {"cookie": "variant"}}) as (plane, client, _):
        first = await client.get("/shop")
        [cookie] = [value for value in first.values("set-cookie") if value.startswith("variant=")]
        name = cookie.partition(";")[0]
        again = [await client.get("/shop", f"Cookie: a=b; {name}") for _ in range(20)]
        raw = dict(plane._current().routes["r"].source)
        services = {key: service.targets[0].url for key, service in plane._current().services.items()}
        for other, weight in (("old", 1), ("new", 99)):
            raw["backends"] = [
                {"service": each, "weight": weight if each == other else 100 - weight} for each in services
            ]
            plane.publish(document(raw, services=services))
            assert (await client.get("/shop", f"Cookie: {name}")).body == first.body
        gone = {
            "backends": [{"service": each, "weight": int(each != first.body.decode())} for each in services]
        }
        plane.publish(document({**raw, **gone}, services=services))
        moved = await client.get("/shop", f"Cookie: {name}")

    assert ("own=1" in first.values("set-cookie")) == (first.body == b"old")
    assert "HttpOnly; SameSite=Lax" in cookie
    assert "Path=/shop" in cookie
    assert "Secure" not in cookie
    assert {answer.body for answer in again} == {first.body}
    assert all("variant=" not in value for answer in again for value in answer.values("set-cookie"))
    assert moved.body != first.body
    assert any(value.startswith("variant=") for value in moved.values("set-cookie"))


async def test_cookies_are_secure_where_the_client_came_by_https() -> None:
    """As a trusted proxy says."""
    keys = {"sticky": {"cookie": "variant"}}
    async with shared(keys, trusted_proxies=("127.0.0.1",)) as (_plane, client, _):
        answer = await client.get("/shop", "X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.1")

    assert any(value.endswith("; Secure") for value in answer.values("set-cookie"))


async def test_a_service_without_a_share_is_had_by_name() -> None:
    """And by nobody else."""
    backends = [{"service": "old"}, {"service": "new", "weight": 0}]
    async with shared({"backends": backends, "force": {"header": "X-Variant"}}) as (_plane, client, _):
        forced = [(await client.get("/shop", "X-Variant: new")).body for _ in range(5)]
        others = [(await client.get("/shop")).body for _ in range(50)]
        unknown = await client.get("/shop", "X-Variant: elsewhere")

    assert set(forced) == {b"new"}
    assert set(others) == {b"old"}
    assert unknown.body == b"old"


async def test_nobody_stands_in_for_a_service_that_is_away() -> None:
    """That would hide it, and send its traffic to one that may not bear it."""
    keys = {"force": {"header": "X-Variant"}}
    async with shared(keys, new=AWAY) as (_plane, client, _):
        refused = await client.get("/shop", "X-Variant: new")
        well = await client.get("/shop", "X-Variant: old")

    assert (refused.status, well.status) == (502, 200)
    assert b'"service": "new"' in refused.body or b'"service":"new"' in refused.body


async def test_each_service_gets_a_token_of_its_own() -> None:
    """Made out to it alone."""
    callers = Callers()
    callers.token("t")
    keys = {"auth": {"level": "user"}, "forward_identity": "token", "force": {"header": "X-Variant"}}
    async with shared(keys, keeper=gatekeeper(callers)) as (_plane, client, news):
        await client.get("/shop", "Authorization: Bearer t", "X-Variant: new")

    assert news.last.values("authorization") == [b"Bearer ada-for-new"]


async def test_a_changed_service_is_the_one_that_is_asked() -> None:
    """A route is made anew with any of its services."""
    async with shared({"force": {"header": "X-Variant"}}) as (plane, client, _):
        current = plane._current()
        async with ScriptedUpstream(Recording(response(b"moved"))) as moved:
            services = {"old": current.services["old"].targets[0].url, "new": moved.url}
            plane.publish(document(dict(current.routes["r"].source), services=services))
            answer = await client.get("/shop", "X-Variant: new")

    assert answer.body == b"moved"
