"""The routes as Traefik reads them: by a real Traefik, where its program is installed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_project.server.ports import keep_port
from tests.support.clients import keyed, staff_of
from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually

pytestmark = pytest.mark.timeout(300)
TRAEFIK = Path(sys.executable).with_name("traefik")
ANSWER = {"status": 200, "body": "here"}
ROUTES = document(
    route("exact", match={"path": "/exact", "path_type": "exact"}, respond=ANSWER),
    route("prefix", path="/prefix", service="orders"),
    route("template", match={"path": "/t/{id}/x", "path_type": "template"}, respond=ANSWER),
    route("regex", match={"path": "/r[0-9]+", "path_type": "regex"}, respond=ANSWER),
    route("ahead", match={"path": "/(?!a)b+", "path_type": "regex", "methods": ["GET"]}, respond=ANSWER),
    route("hosts", match={"hosts": ["a.test", "*.b.test"], "path": "/hosts"}, respond=ANSWER),
    route(
        "asks",
        match={"path": "/asks", "headers": {"x-a": {"regex": "[a-c]+"}}, "query": {"q": 'a`"b'}},
        respond=ANSWER,
    ),
    route("closed", path="/closed", auth={"level": "user"}, respond=ANSWER),
    services={"orders": "http://127.0.0.1:1"},
)


@asynccontextmanager
async def gateway(site: Site) -> AsyncIterator[tuple[Running, str]]:
    """A gateway with every kind of route, and a service account's key."""
    await site.apply(ROUTES)
    async with staff_of(site) as staff:
        key = await staff.do("result = service('traefik')")
    async with site.serving() as running:
        yield running, key


async def test_document_has_traefiks_shape(site: Site) -> None:
    """Routers with a rule, a priority and a service that is there; services with servers."""
    async with gateway(site) as (running, key):
        answer = await running.get("/discovery/traefik", keyed("traefik", key).field)
        http: dict[str, Any] = httpx.Response(answer.status, content=answer.body).json()["http"]
        assert set(http["routers"]) == {each["name"] for each in ROUTES["routes"]}
        for router in http["routers"].values():
            assert set(router) == {"rule", "priority", "service"}
            assert router["service"] in http["services"]
        for service in http["services"].values():
            assert all(server["url"].startswith("http") for server in service["loadBalancer"]["servers"])


@asynccontextmanager
async def traefik(site: Site, gateway_port: int, key: str) -> AsyncIterator[tuple[str, str]]:
    """Where it serves, and its own API."""
    web, api = keep_port(), keep_port()
    log = (site.folder / "traefik.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        TRAEFIK,
        f"--entrypoints.web.address=127.0.0.1:{web}",
        f"--entrypoints.traefik.address=127.0.0.1:{api}",
        "--api.insecure=true",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        f"--providers.http.endpoint=http://127.0.0.1:{gateway_port}/discovery/traefik",
        f"--providers.http.headers.X-API-Key={key}",
        "--providers.http.pollinterval=1s",
        stdout=log,
        stderr=log,
        cwd=site.folder,
    )
    try:
        yield f"http://127.0.0.1:{web}", f"http://127.0.0.1:{api}/api"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        log.close()


if TRAEFIK.exists():

    async def test_a_real_traefik_takes_the_routes(site: Site) -> None:
        """It enables every router and service, and requests find their routes: open ones open, closed ones closed."""
        async with (
            gateway(site) as (running, key),
            traefik(site, running.port, key) as (web, api),
            httpx.AsyncClient(timeout=5) as client,
        ):

            async def routers() -> list[dict[str, Any]]:
                with suppress(httpx.HTTPError, ValueError):  # it is not there, or says so in plain text
                    found = (await client.get(f"{api}/http/routers")).json()
                    return [each for each in found if each["provider"] == "http"]
                return []

            found = await eventually(routers)
            assert {each["name"] for each in found} == {f"{each['name']}@http" for each in ROUTES["routes"]}
            assert {(each["status"], str(each.get("error"))) for each in found} == {("enabled", "None")}
            services = (await client.get(f"{api}/http/services")).json()
            servers = {each["name"]: each["status"] for each in services if each["provider"] == "http"}
            assert servers == {"torana-gateway@http": "enabled", "service-orders@http": "enabled"}

            for path, host, status in (
                ("/exact", "x", 200), ("/exact/more", "x", 404), ("/t/7/x", "x", 200), ("/r12", "x", 200),
                ("/bbb", "x", 200), ("/abb", "x", 404), ("/hosts", "a.test", 200), ("/hosts", "c.b.test", 200),
                ("/hosts", "c.test", 404), ("/prefix", "x", 502), ("/prefixes", "x", 404), ("/closed", "x", 401),
            ):  # fmt: skip
                answer = await client.get(web + path, headers={"host": host})
                assert answer.status_code == status, (path, host, answer.text)
            asks = await client.get(web + "/asks", params={"q": 'a`"b'}, headers={"x-a": "abc"})
            assert asks.status_code == 200
