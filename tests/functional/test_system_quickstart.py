"""What `make run` starts, as a new user meets it: printed lines work, a second start is plain, Ctrl-C ends all."""

import contextlib
import os
import re
import shlex
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.gateway import document, route
from tests.support.process import Running, Site, children, eventually, gone

USUAL_PORTS = (9101, 9102, 9103)


@pytest.fixture
def taken_ports() -> Iterator[None]:
    """Somebody else listens where the demo's upstreams usually do."""
    with contextlib.ExitStack() as stack:
        for port in USUAL_PORTS:
            with contextlib.suppress(OSError):  # taken already
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


async def started(running: Running) -> str:
    """Its URL, once all that it has to say has been said."""
    await running.said("Ctrl-C stops it")
    url = (await running.said(r"Torana is at (http://\S+)"))[1]
    running.port = int(url.rpartition(":")[2])
    return url


async def curl(line: str) -> httpx.Response:
    """Runs a printed line; it is made of -i, a URL and perhaps -d."""
    words = shlex.split(line)
    assert words[:2] == ["curl", "-i"]
    body = words[words.index("-d") + 1] if "-d" in words else None
    async with httpx.AsyncClient() as client:
        return await client.request("POST" if body else "GET", words[2], content=body)


async def sign_in(url: str, password: str) -> httpx.Response:
    """Signs in to admin as a browser does; the page that it ends on."""
    async with httpx.AsyncClient(base_url=url, follow_redirects=True) as client:
        form = await client.get("/admin/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        assert token
        fields = {
            "login": "admin",
            "password": password,
            "csrfmiddlewaretoken": token[1],
            "next": "/admin/",
        }
        return await client.post(form.url, data=fields, headers={"referer": str(form.url)})


def name_of(pid: int) -> str:
    """As ps shows it."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def printed_lines(running: Running) -> list[str]:
    return [line.strip() for line in running.lines if line.strip().startswith("curl ")]


@pytest.mark.store
@pytest.mark.usefixtures("taken_ports")
async def test_first_start_and_second_start(tmp_path: Path, database_url: str) -> None:
    """Empty database and VAR_DIR: tables, demo and account are made, once; everything that was started is ended."""
    site = Site(tmp_path, {"DATABASE_URL": database_url, "REDIS_URL": ""})
    async with site.running("quickstart") as running:
        url = await started(running)
        answers = [await curl(line) for line in printed_lines(running)]
        password = (await running.said(r"name admin, password (\S+)"))[1]
        admin = await sign_in(url, password)
        refused = await sign_in(url, "wrong")
        started_too = children(running.process.pid)
        names = [*map(name_of, started_too)]
        running.interrupt()
        status = await running.ended()
        await gone(started_too)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "orders" in answers[0].json()
    assert (answers[1].json()["path"], answers[1].json()["body"]) == ("/anything", "hello")
    assert answers[2].text == "Hello from Torana.\n"
    assert (admin.url.path, "Log out" in admin.text) == ("/admin/", True)
    assert refused.url.path == "/accounts/login/"
    assert sorted(names) == ["echo", "orders-a", "orders-b", "torana-worker", "valkey-server"]
    assert status == 0

    await site.apply(document(route("mine", path="/mine", respond={"body": "mine"})), "--prune")
    async with site.running("quickstart") as running:
        url = await started(running)
        mine = await running.get("/mine")
        demo = await running.get("/api/hello")
        admin = await sign_in(url, password)
        running.process.kill()  # and now it cannot tidy up
        await running.ended()

    assert "password" not in running.text
    assert printed_lines(running) == []
    assert (mine.body, demo.status) == (b"mine", 404)
    assert admin.url.path == "/admin/"


async def test_killed_quickstart_leaves_nothing_behind(site: Site) -> None:
    """kill -9: upstreams, store and worker end by themselves."""
    site.env["REDIS_URL"] = ""
    async with site.running("quickstart") as running:
        await started(running)
        processes = children(running.process.pid)
        running.process.kill()
        await running.ended()
        await gone(processes)
    assert len(processes) == 5


async def test_first_worker_is_replaced_as_any_other(site: Site) -> None:
    """After it was killed, and on SIGHUP; the demo's services stay."""
    async with site.running("quickstart") as running:
        await started(running)
        others = children(running.process.pid)
        (first,) = (pid for pid in others if name_of(pid) == "torana-worker")
        os.kill(first, signal.SIGKILL)
        (second,) = await eventually(running.workers)
        await running.until("/api/orders", 200)
        running.process.send_signal(signal.SIGHUP)
        await eventually(lambda: running.workers() and second not in running.workers())
        answer = await running.get("/api/orders")
        left = {*others} - {first} <= {*children(running.process.pid)}
    assert (answer.status, left) == (200, True)


async def test_port_in_use_is_said(tmp_path: Path) -> None:
    """In one sentence, with exit 1; the password of the account that was made is not lost."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await Site(tmp_path).manage("quickstart", GATEWAY_PORT=port)
    assert done.code == 1
    assert f"port {port} on 127.0.0.1 is in use" in done.err
    assert "name admin, password " in done.out


async def test_unreachable_database_is_said(tmp_path: Path) -> None:
    """In one sentence, with exit 1."""
    site = Site(tmp_path, {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"})
    done = await site.manage("quickstart")
    assert (done.code, done.out) == (1, "")
    assert "the database cannot be reached: " in done.err
