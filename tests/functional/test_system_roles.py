"""Each way to serve: a data node, a control node, a file without any database, and Django's own runserver."""

import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.gateway import Answer, document, route
from tests.support.process import Running, Site
from tests.support.upstreams import ScriptedUpstream, answering, response

NO_DATABASE = "postgres://nobody@127.0.0.1:1/nothing"


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, orjson.loads(answer.body)["error"]["code"]


@pytest.fixture
async def configuration() -> AsyncIterator[dict[str, Any]]:
    """Routes to an upstream that answers `upstream`."""
    async with ScriptedUpstream(answering(response(b"upstream"))) as upstream:
        routes = (
            route("api", path="/api", service="u"),
            route("all", path="/", respond={"status": 200, "body": "all"}),
        )
        yield document(*routes, services={"u": upstream.url})


async def test_data_node_serves_routes_and_health(site: Site, configuration: dict[str, Any]) -> None:
    """Everything else that is built in is not there, and a catch-all does not shadow it."""
    await site.apply(configuration)
    async with site.serving("--role", "data") as running:
        assert (await running.get("/api/x")).body == b"upstream"
        assert (await running.get("/anything")).body == b"all"
        for path in ("/health", "/health/live", "/health/ready", "/api/v1/health"):
            assert (await running.get(path)).status == 200
        for path in ("/admin/", "/admin", "/accounts/login/", "/control/v1/routes", "/docs"):
            assert code(await running.get(path)) == (404, "NOT_FOUND")
        assert site.sql("SELECT role, revision FROM routing_node") == [("data", 1)]


async def test_control_node_serves_no_route(site: Site, configuration: dict[str, Any]) -> None:
    """Admin and health are there; what routes claim is not found."""
    await site.apply(configuration)
    async with site.serving("--role", "control") as running:
        for path in ("/api/x", "/anything"):
            assert code(await running.get(path)) == (404, "NOT_FOUND")
        assert (await running.get("/admin/")).header("location") == "/admin/login/?next=/admin/"
        assert (await running.get("/accounts/login/")).status == 200
        assert (await running.get("/health/ready")).status == 200


@pytest.mark.parametrize("name", ["exported.yaml", "exported.json"])
async def test_file_is_served_without_a_database(
    name: str, tmp_path: Path, configuration: dict[str, Any]
) -> None:
    """The database could not even be reached: nobody asks it. What needs it is not there, and says so."""
    site = Site(tmp_path, {"DATABASE_URL": NO_DATABASE})
    text = orjson.dumps(configuration).decode() if name.endswith("json") else configuration
    async with site.serving("--revision", site.write(text, name)) as running:
        assert (await running.get("/api/x")).body == b"upstream"
        assert (await running.get("/health/ready")).status == 200
        assert code(await running.get("/accounts/login/")) == (404, "NOT_FOUND")
        assert "database" not in running.text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (document(route("a", service="ordrs")), 'routes[0].service: no service named "ordrs"'),
        ("version: 1\nroutes: [", "line 3"),
        ({"version": 1, "rutes": []}, 'did you mean "routes"?'),
        (None, "No such file or directory"),
    ],
)  # fmt: skip
async def test_file_that_cannot_be_served_is_refused(content: Any, complaint: str, tmp_path: Path) -> None:
    """Exit 1 before anything listens, with the place in the document."""
    site = Site(tmp_path, {"DATABASE_URL": NO_DATABASE})
    file = site.write(content) if content else "missing.yaml"
    done = await site.gateway("serve", "--revision", file)
    assert (done.code, done.out) == (1, "")
    assert complaint in done.err


async def test_control_node_of_a_file_makes_no_sense(tmp_path: Path) -> None:
    """A control node is there for the database."""
    site = Site(tmp_path, {"DATABASE_URL": NO_DATABASE})
    done = await site.gateway("serve", "--revision", site.write({"version": 1}), "--role", "control")
    assert (done.code, done.out) == (1, "")
    assert "--role control" in done.err


async def test_runserver_serves_the_same(site: Site, configuration: dict[str, Any]) -> None:
    """Daphne in development: routes, admin with its assets, health, and changes as they come."""
    await site.apply(configuration)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    async with site.running("runserver", "--noreload", f"127.0.0.1:{port}") as running:
        await running.said(r"Listening on TCP address 127\.0\.0\.1:\d+")
        running.port = port
        await serves_everything(running)
        changed = route("all", path="/", respond={"status": 200, "body": "changed"})
        await site.apply(document(changed))
        assert (await running.until("/anything", b"changed")).status == 200


async def serves_everything(running: Running) -> None:
    assert (await running.get("/api/x")).body == b"upstream"
    posted = await running.get("/api/x", method="POST", body=b"{}")
    assert (posted.status, posted.body) == (200, b"upstream")
    assert (await running.get("/anything")).body == b"all"
    assert (await running.get("/health")).status == 200
    assert (await running.get("/health/ready")).status == 200
    assert (await running.get("/accounts/login/")).status == 200
    assert (await running.get("/admin/static/admin/css/base.css")).status == 200
    assert code(await running.get("/control/v1/nothing")) == (404, "NOT_FOUND")
