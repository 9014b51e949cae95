"""Copies of requests on real sockets: the original never notices."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.recording import Recording
from tests.support.upstreams import Peer, ScriptedUpstream, response


class Copies:
    """The mirror: keeps what arrives."""

    def __init__(self, answer: bytes | None = response(b"x" * 300_000)) -> None:
        self.requests: asyncio.Queue[Any] = asyncio.Queue()
        self._answer = answer

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.requests.put_nowait(await peer.request())
            if self._answer is None:
                await peer.until_closed()
                return
            await peer.send(self._answer)

    async def next(self) -> Any:
        return await asyncio.wait_for(self.requests.get(), 10)


@asynccontextmanager
async def mirrored(
    copies: Any, main: Any = None, **keys: Any
) -> AsyncIterator[tuple[DataPlane, RawClient, Recording]]:
    recording = main or Recording(response(b"main"))
    async with ScriptedUpstream(recording) as one, ScriptedUpstream(copies) as other:
        mirror = {"service": "other", **keys.pop("mirror", {})}
        raw = document(
            route(service="one", mirror=mirror, **keys), services={"one": one.url, "other": other.url}
        )
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            yield plane, client, recording


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_copy_is_what_the_service_got(method: str) -> None:
    """Method, path and query, fields, body, and what the route changes; its answer is thrown away."""
    copies = Copies()
    body = b"b" * 2000 if method == "POST" else b""
    keys = {"rewrite": {"strip_prefix": True}, "path": "/api", "request_headers": {"set": {"x-route": "1"}}}
    async with mirrored(copies, **keys) as (_plane, client, main):
        answer = await client.get("/api/x%20y?q=1", "X-Mine: 2", method=method, body=body)
        copy = await copies.next()

    assert (answer.status, answer.body) == (200, b"main")
    assert (copy.method, copy.target, copy.body) == (method, b"/x%20y?q=1", body)
    assert copy.values("x-mine") == [b"2"]
    assert copy.values("x-route") == [b"1"]
    assert copy.values("x-request-id") == main.last.values("x-request-id")
    assert sorted(name.lower() for name, _ in copy.headers) == sorted(
        name.lower() for name, _ in main.last.headers
    )


async def test_a_mirror_that_hangs_or_is_gone_slows_and_fails_nobody() -> None:
    """Requests go on beside copies that are stuck."""
    copies = Copies(None)
    async with mirrored(copies) as (plane, client, _main):
        for _ in range(3):
            assert (await client.get("/")).status == 200
            await copies.next()
        finished = await plane.until_finished(3)

    assert {each.status for each in finished} == {200}


async def test_a_body_that_is_too_long_is_not_copied() -> None:
    """It passes as ever; the next, shorter one is copied."""
    copies = Copies()
    async with mirrored(copies, mirror={"max_body": "1KB"}) as (_plane, client, main):
        answer = await client.get("/long", method="POST", body=b"b" * 1025)
        long = main.last.body
        await client.get("/short", method="POST", body=b"b" * 1024)
        copy = await copies.next()

    assert (answer.status, len(long)) == (200, 1025)
    assert copy.target == b"/short"
    assert copies.requests.empty()


async def test_a_request_without_an_answer_is_not_copied() -> None:
    """Only what was answered says anything about the other service."""

    async def broken(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    copies = Copies()
    async with mirrored(copies, broken) as (plane, client, _main):
        assert (await client.get("/", method="POST", body=b"x")).status == 502
        mirrors = plane.mirrors

    assert copies.requests.empty()
    assert not mirrors.counts
    assert not mirrors._tasks


async def test_some_percent_are_copied() -> None:
    """The share, by chance."""
    copies = Copies(response(b""))
    async with mirrored(copies, mirror={"percent": 50}) as (_plane, client, _main):
        for _ in range(100):
            await client.get("/")
        await client.get("/last")
    assert 25 <= copies.requests.qsize() <= 76
