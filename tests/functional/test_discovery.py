"""Services register with whole gateways: from one request to ten thousand leases, side by side, and through outages."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from tests.support.clerk import Clerk
from tests.support.clients import FORM, JSON, Caller, keyed, post, refusal, staff_of
from tests.support.gateway import Answer, RawClient, document, route
from tests.support.process import Running, Site, eventually
from tests.support.stopwatch import Stopwatch
from tests.support.storeaway import WAYS, outage
from tests.support.traffic import Upstream

pytestmark = pytest.mark.timeout(300)  # seconds; processes start one after another
REGISTER, SERVICES = "/discovery/register", "/discovery/services"
SENT = {"service_name": "orders", "host": "orders.test", "port": 8001}
AUTO = {"DISCOVERY_APPROVAL": "auto"}
CONFIGURED = document(route("orders", service="orders"), services={"orders": "http://127.0.0.1:1"})


def body(answer: Answer) -> Any:
    return orjson.loads(answer.body)


async def register(running: Running, caller: Caller, **fields: Any) -> dict[str, Any]:
    answer = await post(running, REGISTER, {**SENT, **fields}, caller.field)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = body(answer)
    return found


async def urls(running: Running, caller: Caller, service: str = "orders") -> list[str]:
    """What is discovered of a service."""
    answer = await running.get(f"{SERVICES}?service={service}", caller.field)
    assert answer.status == 200, answer.body
    return [
        target["url"]
        for each in body(answer)["services"]
        for target in each["targets"]
        if target["origin"] == "lease"
    ]


@asynccontextmanager
async def gateway(site: Site, **env: str) -> AsyncIterator[tuple[Running, Clerk, Caller, Caller]]:
    """A gateway, staff, and two service accounts."""
    await site.apply(CONFIGURED)
    async with staff_of(site) as staff:
        keys = await staff.do("result = [service('robot'), service('other')]")
        async with site.serving(**{**AUTO, **env}) as running:
            yield running, staff, keyed("robot", keys[0]), keyed("other", keys[1])


@pytest.mark.store
async def test_a_services_life(site: Site) -> None:
    """It registers, is listed, renews, is let go of when it does not, and registers anew; a new one is published."""
    async with gateway(site) as (running, staff, robot, other):
        found = await register(running, robot, ttl=5)
        assert (found["state"], found["service"]) == ("approved", "known")
        assert await urls(running, other) == ["http://orders.test:8001"]
        path = f"/discovery/lease/{found['lease_id']}"
        assert (await running.get(path, robot.field, method="PUT")).status == 200
        assert (await running.get(path, other.field, method="PUT")).status == 404

        await staff.do(
            "from routing.models import Lease; from django.db.models import F; from datetime import timedelta"
        )
        await staff.do("Lease.objects.update(expires_at=F('expires_at') - timedelta(seconds=60))")
        ended = await staff.do("from routing import leases; result = leases.expire(in_contact_s=60.0)")
        assert ended == 1
        assert await urls(running, robot) == []
        assert (await running.get(path, robot.field, method="PUT")).status == 404

        again = await register(running, robot, ttl=5)
        assert again["lease_id"] != found["lease_id"]
        path = f"/discovery/lease/{again['lease_id']}"
        assert (await running.get(path, robot.field, method="DELETE")).status == 204
        assert (await register(running, robot, service_name="brand-new"))["service"] == "created"
        revisions = (await site.gateway("revisions", "--json")).data
        assert (revisions[0]["author"], revisions[0]["source"]) == ("robot", "discovery")
        assert "orders.test" not in (await site.gateway("export")).out


async def test_quarantine_and_the_command_line(site: Site) -> None:
    """Under DISCOVERY_APPROVAL=manual somebody lets it in; the next one of that account needs nobody."""
    async with gateway(site, DISCOVERY_APPROVAL="manual") as (running, _, robot, other):
        assert (await register(running, robot))["state"] == "pending"
        assert (await site.gateway("discovery", "approve", "orders")).code == 0
        assert (await register(running, robot))["state"] == "approved"
        assert (await register(running, robot, port=8002))["state"] == "approved"
        assert (await register(running, other, port=8003))["state"] == "pending"
        listed = (await site.gateway("discovery", "list", "--json")).data
        assert [each["state"] for each in listed] == ["approved", "approved", "pending"]


@pytest.mark.store
async def test_side_by_side(site: Site) -> None:
    """Of one address there is one lease, of one account, however many ask at once; of many addresses each has one."""
    async with gateway(site) as (running, _, robot, other):
        answers = await asyncio.gather(
            *(post(running, REGISTER, SENT, caller.field) for _ in range(8) for caller in (robot, other))
        )
        assert sorted(answer.status for answer in answers) == [201] * 8 + [403] * 8
        assert len({body(answer)["lease_id"] for answer in answers if answer.status == 201}) == 1
        made = await asyncio.gather(
            *(
                register(running, robot, service_name=f"s{number % 3}", port=9000 + number)
                for number in range(12)
            )
        )
        assert len({each["lease_id"] for each in made}) == 12
        assert {each["service"] for each in made} <= {"created", "known"}
        assert len(await urls(running, robot, "s0")) == 4


BODIES = [
    b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"[" * 10_000,
    b'{"service_name": {}, "host": [], "port": {}}',
    b'{"service_name": "orders", "host": "orders", "port": "8001"}',
    b'{"service_name": "orders", "host": "orders", "port": 1e400}',
    b'{"service_name": "orders", "host": "orders", "port": 99999999999999999999}',
    b'{"service_name": "\\u0000", "host": "\\ud800", "port": 1}',
    b'{"service_name": "../../admin", "host": "orders", "port": 1}',
    b'{"service_name": "orders", "host": "orders/../admin", "port": 1}',
    b'{"service_name": "orders", "host": "u:p@orders", "port": 1}',
    b'{"service_name": "orders", "host": "gopher://orders", "port": 1}',
    b'{"service_name": "orders", "host": "169.254.169.254", "port": 80}',
    b'{"service_name": "orders", "host": "[::ffff:169.254.169.254]", "port": 80}',
    b'{"service_name": "orders", "host": "0xa9fea9fe", "port": 80}',
    b'{"service_name": "orders", "host": "0.0.0.0", "port": 80}',
    b'{"service_name": "orders", "host": "orders", "port": 1, "ttl": -1}',
    b'{"service_name": "orders", "host": "orders", "port": 1, "check_endpoint": "/\\r\\nX: y"}',
    b'{"service_name": "orders", "host": "orders", "port": 1, "admin": true}',
]  # fmt: skip


async def test_nonsense(site: Site) -> None:
    """Whatever is sent is a refusal in the envelope, and nothing is made of it; so is the gateway's own address."""
    async with gateway(site) as (running, _, robot, _):
        async with RawClient(running.port) as client:
            for text, header in itertools.product(BODIES, (JSON, FORM)):
                answer = await client.get(REGISTER, header, robot.field, method="POST", body=text)
                wanted = {(400, "VALIDATION_ERROR"), (400, "INVALID_REQUEST")}
                if header == FORM and text:
                    wanted = {(415, "UNSUPPORTED_MEDIA_TYPE")}
                assert refusal(answer)[:2] in wanted, (text[:60], answer.body)
        for host in ("127.0.0.1", "localhost", "[::1]", "127.7.7.7"):
            answer = await post(running, REGISTER, {**SENT, "host": host, "port": running.port}, robot.field)
            assert answer.status == 400
            assert body(answer)["error"]["details"]["host"][0].startswith("itself: ")
        assert await urls(running, robot) == []


async def test_protected_without_authentication(site: Site) -> None:
    """ENABLE_AUTHENTICATION=false opens routes, not discovery."""
    async with gateway(site, ENABLE_AUTHENTICATION="false") as (running, _, robot, _):
        assert (await post(running, REGISTER, SENT)).status == 401
        for path in (SERVICES, "/discovery/health", "/discovery/traefik"):
            assert (await running.get(path)).status == 401
            assert (await running.get(path, robot.field)).status == 200
        await register(running, robot)


WAYS_OUT = {
    "disabled": "consumers.set_enabled(Consumer.objects.filter(name='robot'), False, by='ada')",
    "deleted": "consumers.delete(consumer('robot'))",
}


@pytest.mark.store
@pytest.mark.parametrize("way", WAYS_OUT)
async def test_a_service_that_is_shut_out(site: Site, way: str, stopwatch: Stopwatch) -> None:
    """Within a second its targets take no new traffic; those of others do, and nothing brings its own back."""
    async with Upstream(name="gone") as gone, Upstream(name="stays") as stays, gateway(site) as found:
        running, staff, robot, other = found
        for caller, upstream in ((robot, gone), (other, stays)):
            port = int(upstream.url.rpartition(":")[2])
            await register(running, caller, service_name="fresh", host="127.0.0.1", port=port)
        raw = document(route("fresh", path="/fresh", service="fresh"), services={"fresh": {"targets": []}})
        await site.apply(raw)
        async with RawClient(running.port) as client:

            async def are(*wanted: bytes) -> float:
                began = time.time()
                return began if {(await client.get("/fresh")).body for _ in range(4)} == {*wanted} else 0.0

            await eventually(lambda: are(b"gone", b"stays"))
            began = time.time()
            await staff.do(WAYS_OUT[way])
            assert stopwatch.between(began, await eventually(lambda: are(b"stays"), every_s=0.01)) < 1.0

            async def is_nobody() -> bool:
                refused = (await post(running, REGISTER, SENT, robot.field)).status
                assert refused in (
                    401,
                    403,
                )  # by its account at once, by its token as soon as the worker knows
                return refused == 401

            await eventually(is_nobody)
            if way == "disabled":
                await staff.do("consumers.set_enabled(Consumer.objects.filter(name='robot'), True, by='ada')")
            assert len(await urls(running, other, "fresh")) == 1
            assert await are(b"stays")
        ended = site.sql("SELECT consumer, state FROM routing_lease ORDER BY consumer")
        assert ended == [("other", "approved"), ("robot", "ended")]


@pytest.mark.store
@pytest.mark.parametrize("way", WAYS)
async def test_database_away(way: str, site: Site) -> None:
    """Registrations are told to come again, and then they do."""
    await site.apply(CONFIGURED)
    async with staff_of(site) as staff:
        robot = keyed("robot", await staff.do("result = service('robot')"))
    async with outage(way, site) as database, site.serving(**AUTO) as running:
        found = await register(running, robot, ttl=60)
        await database.begin()
        if database.gone:
            answer = await post(running, REGISTER, {**SENT, "port": 2}, robot.field)
            assert refusal(answer)[:2] == (503, "SERVICE_UNAVAILABLE")
            assert int(answer.header("retry-after") or "0") >= 1
        await database.end()

        async def renews() -> bool:
            path = f"/discovery/lease/{found['lease_id']}"
            return (await running.get(path, robot.field, method="PUT")).status == 200

        await eventually(renews)
        assert await urls(running, robot) == ["http://orders.test:8001"]


MANY = """
from datetime import timedelta
from django.utils import timezone
from routing.models import Lease
now = timezone.now()
Lease.objects.bulk_create([
    Lease(service=f"s{n % 100:02}", url=f"http://10.0.{n // 250}.{n % 250}:80", check_endpoint="/health",
          check_interval_s=30.0, ttl_s=600.0, consumer="other", state="approved", created_at=now, renewed_at=now,
          expires_at=now + timedelta(minutes=10), changed=1)
    for n in range(10_000)
], batch_size=500)
"""


@pytest.mark.store
async def test_ten_thousand(site: Site) -> None:
    """One more is registered, renewed and listed as among none; the whole list is one answer."""
    async with gateway(site) as (running, staff, robot, _):
        await staff.do(MANY)
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await register(running, robot, ttl=60)
        path = f"/discovery/lease/{found['lease_id']}"
        assert (await running.get(path, robot.field, method="PUT")).status == 200
        assert len(await urls(running, robot, "s07")) == 100
        assert loop.time() - began < 2.0
        answer = await running.get(SERVICES, robot.field)
        assert sum(len(each["targets"]) for each in body(answer)["services"]) == 10_002
