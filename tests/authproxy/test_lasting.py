"""Answers that go on and on end with their callers' credentials; all others go on to their end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from authproxy.changes import Change, Changes
from authproxy.lasting import Lasting, is_endless
from routing.snapshot import Snapshot
from tests.support.callers import NOW, Callers, Clock, gatekeeper
from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.upstreams import Peer, ScriptedUpstream

EVENT = b"data: 1\n\n"
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)


@dataclass
class World:
    plane: DataPlane
    upstream: ScriptedUpstream
    changes: Changes
    lasting: Lasting
    clock: Clock
    more: asyncio.Event
    """Lets the service send the rest."""

    @asynccontextmanager
    async def watching(self, *fields: str) -> AsyncIterator[RawClient]:
        """Somebody who has had the first event."""
        async with RawClient(self.plane.port) as client:
            lines = "".join(f"{each}\r\n" for each in fields)
            await client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
            await client.head()
            assert await client.reader.readexactly(len(CHUNK)) == CHUNK
            yield client

    def revoke(self, subject: str = "user:1") -> None:
        self.changes.note([Change(1, subject, NOW)])


@asynccontextmanager
async def world(content_type: str = "text/event-stream", **known: Any) -> AsyncIterator[World]:
    more = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await peer.send(head.encode() + CHUNK)
        gone = asyncio.ensure_future(peer.until_closed())
        asked = asyncio.ensure_future(more.wait())
        await asyncio.wait((gone, asked), return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            await peer.send(b"0\r\n\r\n")
        for each in (gone, asked):
            each.cancel()

    changes, clock, callers = Changes(), Clock(), Callers()
    callers.token("t", **{"seq": 0, "subjects": ("user:1",), **known})
    lasting = Lasting(changes, clock=clock, grace_s=0.05)
    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="a"), services={"a": upstream.url})
        doors = {"lasting": lasting}
        async with data_plane(raw, keeper=gatekeeper(callers), more_doors=doors) as plane:
            yield World(plane, upstream, changes, lasting, clock, more)


CALLER = "Authorization: Bearer t"


async def cut(client: RawClient) -> bytes:
    """What came until the connection was cut; without the end of its framing."""
    async with asyncio.timeout(5):
        return await client.reader.read(-1)


async def test_what_is_taken_back_ends_it_at_once() -> None:
    """The connection is cut, the service's as well; the log says why, and it is nobody's failure."""
    async with world() as here:
        async with here.watching(CALLER) as client:
            assert len(here.lasting) == 1
            here.revoke("user:2")
            assert len(here.lasting) == 1
            here.revoke()
            assert await cut(client) == b""
        (exchange,) = await here.plane.until_finished(1)
        await here.upstream.until_open(0)
        assert len(here.lasting) == 0
    assert exchange.refusal is not None
    assert (exchange.status, exchange.refusal.code.value, exchange.refusal.message) == (
        200,
        "AUTH_ERROR",
        "The credentials were revoked.",
    )
    assert (exchange.outcome.value, exchange.sent) == ("ok", len(EVENT))


async def test_what_expires_ends_it_a_little_later() -> None:
    """So that what was asked before is still answered."""
    async with world(expires_at=NOW) as here, here.watching(CALLER) as client:
        here.clock.now = NOW + 1
        assert await cut(client) == b""
        (exchange,) = await here.plane.until_finished(1)
    assert exchange.refusal is not None
    assert exchange.refusal.message == "The credentials have expired."


async def test_what_ends_in_time_ends_whole() -> None:
    """And is forgotten, with its timer."""
    async with world(expires_at=NOW + 3600) as here, here.watching(CALLER) as client:
        here.more.set()
        async with asyncio.timeout(5):
            assert await client.reader.readexactly(5) == b"0\r\n\r\n"
        (exchange,) = await here.plane.until_finished(1)
        assert (len(here.lasting), exchange.refusal) == (0, None)


@pytest.mark.parametrize(
    ("content_type", "fields"),
    [("application/octet-stream", (CALLER,)), ("text/event-stream", ())],
    ids=["a download", "nobody known"],
)
async def test_others_go_on(content_type: str, fields: tuple[str, ...]) -> None:
    """What has an end comes to it, and nobody has nothing that could be taken back."""
    async with world(content_type) as here, here.watching(*fields) as client:
        assert len(here.lasting) == 0
        here.revoke()
        here.revoke("all")
        here.more.set()
        async with asyncio.timeout(5):
            assert await client.reader.readexactly(5) == b"0\r\n\r\n"


async def test_a_provider_that_is_gone_vouches_for_nobody() -> None:
    """A new configuration ends those who came by it."""

    class WithoutProviders:
        providers = ()

    async with world(provider="idp") as here, here.watching(CALLER) as client:
        here.lasting.reconcile(WithoutProviders())  # type: ignore[arg-type]
        assert await cut(client) == b""
    assert Snapshot.__annotations__["providers"]


def test_types_without_an_end() -> None:
    """By what they are called, parameters or not."""
    assert is_endless([(b"content-type", b"Text/Event-Stream; charset=utf-8")])
    assert is_endless([(b"content-type", b"multipart/x-mixed-replace;boundary=f")])
    assert not is_endless([(b"content-type", b"text/plain"), (b"x", b"text/event-stream")])
