"""Aggregates on real sockets: one answer of several services, whatever they do."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from resilience.outcomes import Outcome
from tests.support.gateway import DataPlane, RawClient, data_plane, document, leave, route
from tests.support.recording import Recording
from tests.support.upstreams import Gate, Peer, ScriptedUpstream, response

PROFILE = response(b'{"id": 7, "name": "ada"}', headers=[("Content-Type", "application/json")])
HISTORY = response(b'{"items": [1, 2, 3]}')


@asynccontextmanager
async def aggregating(
    parts: dict[str, Any], keys: dict[str, Any] | None = None, **scripts: Any
) -> AsyncIterator[tuple[DataPlane, RawClient]]:
    """A route `/all/{id}` over these parts; a part's service has the name of the part unless it says so."""
    async with AsyncExitStack() as stack:
        services: dict[str, Any] = {}
        for name, script in scripts.items():
            upstream = await stack.enter_async_context(ScriptedUpstream(script))
            services[name] = {"targets": [{"url": upstream.url}], "retries": {"attempts": 0}}
        asked = {name: {"service": name, **part} for name, part in parts.items()}
        raw = document(
            {
                **route(aggregate={"timeout": "20s", "parts": asked}, **(keys or {})),
                "match": {"path": "/all/{id}", "path_type": "template"},
            },
            services=services,
        )
        plane = await stack.enter_async_context(data_plane(raw))
        yield plane, await stack.enter_async_context(RawClient(plane.port))


async def test_all_parts_are_asked_at_the_same_time() -> None:
    """Nobody waits for anybody: each service answers only when all have been asked."""
    asked: set[str] = set()
    all_there = asyncio.Event()

    def together(name: str, answer: bytes) -> Any:
        async def script(peer: Peer) -> None:
            await peer.request()
            asked.add(name)
            if len(asked) == 3:
                all_there.set()
            await all_there.wait()
            await peer.send(answer)

        return script

    scripts = {name: together(name, PROFILE) for name in "abc"}
    async with aggregating({name: {"path": "/"} for name in "abc"}, **scripts) as (_plane, client):
        answer = await client.get("/all/1")

    assert answer.status == 200
    assert json.loads(answer.body) == {name: {"id": 7, "name": "ada"} for name in "abc"}
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") is None


async def test_parts_take_from_the_request_and_from_each_other() -> None:
    """Values are percent-encoded; the client's fields go along, what it said of its own body or the answer does not."""
    profile, history = Recording(PROFILE), Recording(HISTORY)
    parts = {
        "history": {"path": "/h/${parts.profile.id}?page=${request.query.page}", "pick": "items[:2]"},
        "profile": {"path": "/users/${path.id}", "required": True},
    }
    async with aggregating(parts, profile=profile, history=history) as (_plane, client):
        fields = ("X-Privacy-Level: strict", "Accept-Encoding: gzip", "If-None-Match: *", "Range: bytes=0-1")
        answer = await client.get("/all/a%20b?page=%26", *fields)

    assert json.loads(answer.body) == {"history": [1, 2], "profile": {"id": 7, "name": "ada"}}
    assert profile.last.target == b"/users/a%20b"
    assert history.last.target == b"/h/7?page=%26"
    assert history.last.values("x-privacy-level") == [b"strict"]
    assert history.last.values("accept-encoding") == [b"identity"]
    assert history.last.values("if-none-match") == history.last.values("range") == []
    assert history.last.values("x-request-id") == profile.last.values("x-request-id")


async def test_parts_get_the_body_as_it_came() -> None:
    """With what is said of it; those that are not about a body say nothing. One that has none says so."""
    one, other = Recording(PROFILE), Recording(PROFILE)
    parts = {"one": {"path": "/", "method": "POST"}, "other": {"path": "/"}}
    async with aggregating(parts, one=one, other=other) as (_plane, client):
        said = ("Content-Type: a/b", "Content-Encoding: gzip")
        await client.get("/all/1", *said, method="POST", body=b"body")
        await client.get("/all/1")

    names = ("content-length", "content-type", "content-encoding")
    assert [[each.values(name) for name in names] for each in one.requests] == [
        [[b"4"], [b"a/b"], [b"gzip"]],
        [[b"0"], [], []],
    ]
    assert [[each.values(name) for name in names] for each in other.requests] == [[[], [], []]] * 2


@pytest.mark.parametrize("down", ["error", "garbage", "cut", "too large", "needs what is not there"])
async def test_an_optional_part_that_fails_is_named(down: str) -> None:
    """Its fallback stands in, the rest is there, and nobody keeps the answer."""
    part: dict[str, Any] = {"path": "/", "fallback": []}
    answers = {
        "error": response(b"{}", status="500 Oops"),
        "garbage": b"nonsense\r\n\r\n",
        "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
        "too large": response(b'"' + b"a" * 2000 + b'"'),
    }
    if down == "too large":
        part["max_body"] = "1KB"
    elif down == "needs what is not there":
        part["path"] = "/${parts.profile.none}"

    async def failing(peer: Peer) -> None:
        await peer.request()
        await peer.send(answers.get(down, HISTORY))

    parts = {"profile": {"path": "/", "required": True}, "history": part}
    async with aggregating(parts, profile=Recording(PROFILE), history=failing) as (_plane, client):
        answer = await client.get("/all/1")
    found = json.loads(answer.body)

    assert answer.status == 200
    assert (found["profile"]["name"], found["history"]) == ("ada", [])
    assert list(found["errors"]) == ["history"]
    assert found["errors"]["history"]["code"] in ("BAD_GATEWAY", "UPSTREAM_TIMEOUT")
    assert found["errors"]["history"]["message"]
    assert answer.header("cache-control") == "no-store"


async def test_a_required_part_that_fails_ends_the_others() -> None:
    """Its failure is the answer; who is still being asked is let go."""
    gone = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.until_closed()
        gone.set()

    parts = {"profile": {"path": "/", "required": True}, "history": {"path": "/"}}
    refused = Recording(response(b"{}", status="404 Not Found"))
    async with aggregating(parts, profile=refused, history=slow) as (plane, client):
        answer = await client.get("/all/1")
        await asyncio.wait_for(gone.wait(), 10)
    error = json.loads(answer.body)["error"]

    assert (answer.status, error["code"]) == (502, "BAD_GATEWAY")
    assert error["details"] == {"part": "profile", "service": "profile", "code": "BAD_GATEWAY", "status": 404}
    assert plane.finished[0].outcome is Outcome.UPSTREAM_ERROR


@pytest.mark.parametrize(("required", "status"), [(True, 504), (False, 200)])
async def test_a_part_that_is_late(required: bool, status: int) -> None:
    """Whether its head or its body does not come."""
    gates = {"head": Gate(), "body": Gate()}

    async def stalled(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
        await peer.until_closed()

    parts = {
        "head": {"path": "/", "timeout": "100ms"},
        "body": {"path": "/", "timeout": "100ms", "required": required},
    }
    async with aggregating(parts, head=gates["head"], body=stalled) as (_plane, client):
        answer = await client.get("/all/1")
    found = json.loads(answer.body)

    assert answer.status == status
    if required:
        assert found["error"]["code"] == "UPSTREAM_TIMEOUT"
        assert found["error"]["details"]["part"] == "body"
    else:
        assert {name: each["code"] for name, each in found["errors"].items()} == {
            "head": "UPSTREAM_TIMEOUT",
            "body": "UPSTREAM_TIMEOUT",
        }


async def test_a_client_that_leaves_ends_all_parts() -> None:
    """No service works for somebody who is gone."""
    gone = [asyncio.Event(), asyncio.Event()]
    asked = [asyncio.Event(), asyncio.Event()]

    def waiting(number: int) -> Any:
        async def script(peer: Peer) -> None:
            await peer.request()
            asked[number].set()
            await peer.until_closed()
            gone[number].set()

        return script

    parts = {"a": {"path": "/"}, "b": {"path": "/"}}
    async with aggregating(parts, a=waiting(0), b=waiting(1)) as (plane, client):
        await client.send(b"GET /all/1 HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
        await asyncio.wait_for(asyncio.gather(*(each.wait() for each in asked)), 10)
        leave(client)
        await asyncio.wait_for(asyncio.gather(*(each.wait() for each in gone)), 10)
        finished = await plane.until_finished(1)

    assert finished[0].outcome is Outcome.CLIENT_GONE


async def test_values_need_no_service() -> None:
    """And other parts may take from them; parts that send take the client's body."""
    made = Recording(HISTORY)
    parts = {
        "me": {"service": None, "value": {"id": "${path.id}", "name": "${user.name}"}},
        "made": {"path": "/${parts.me.id}", "method": "POST"},
    }
    async with aggregating(parts, made=made) as (_plane, client):
        answer = await client.get("/all/9", "Content-Type: text/plain", method="POST", body=b"said")

    assert json.loads(answer.body)["me"] == {"id": "9", "name": None}
    assert (made.last.method, made.last.target, made.last.body) == ("POST", b"/9", b"said")
    assert made.last.values("content-type") == [b"text/plain"]


async def test_the_part_that_failed_is_told() -> None:
    """Not another one, which has to end because of it."""
    silent = Gate()

    async def failing(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}", status="500 No"))

    parts = {"a": {"path": "/", "required": True}, "b": {"path": "/", "required": True}}
    async with aggregating(parts, a=silent, b=failing) as (_plane, client):
        answer = await client.get("/all/1")

    assert (answer.status, json.loads(answer.body)["error"]["details"]["part"]) == (502, "b")
