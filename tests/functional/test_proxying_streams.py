"""Event streams of services through the whole data plane, on real sockets: nothing is held back or cut short."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from resilience.outcomes import Outcome
from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.upstreams import Peer, ScriptedUpstream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = HEAD + b"\r\n"
Script = Callable[[Peer], Awaitable[None]]


def event(number: int) -> bytes:
    return b"id: %d\ndata: {}\n\n" % number


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@asynccontextmanager
async def streaming(
    script: Script, times: dict[str, str] | None = None, **keys: Any
) -> AsyncIterator[tuple[DataPlane, RawClient]]:
    """A client that has asked for the stream."""
    async with ScriptedUpstream(script) as upstream:
        service = {"targets": [{"url": upstream.url}], "timeout": times or {}}
        raw = document(route(service="s", **keys), services={"s": service})
        async with data_plane(raw) as plane, RawClient(plane.port) as client, asyncio.timeout(10):
            await client.send(b"GET /x HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br, zstd\r\n\r\n")
            yield plane, client


async def piece(client: RawClient) -> bytes:
    size = int(await client.reader.readline(), 16)
    data = await client.reader.readexactly(size)
    await client.reader.readline()
    return data


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"response_headers": {"set": {"x-route": "${route.name}"}, "remove": ["cache-control"]}},
        {"compress": True},
        {"envelope": True},
        {"transform": {"response": "{wrapped: @}"}},
        {"status_map": {"200": 203}},
        {"cache": {"ttl": "1m"}},
    ],
    ids=lambda keys: "".join(keys) or "plain",
)
@pytest.mark.parametrize("head", [CHUNKED, UNTIL_CLOSED], ids=["chunked", "until closed"])
async def test_each_event_arrives_before_the_next_is_sent(head: bytes, keys: dict[str, Any]) -> None:
    """Whatever the route makes of other answers: the service goes on only when the client has what came before."""
    heard = [asyncio.Event() for _ in range(3)]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        for number, has_it in enumerate(heard):
            await peer.send(chunk(event(number)) if head is CHUNKED else event(number))
            await has_it.wait()
        if head is CHUNKED:
            await peer.send(b"0\r\n\r\n")
        peer.close()

    async with streaming(script, **keys) as (_plane, client):
        answer = await client.head()
        for number, has_it in enumerate(heard):
            assert await piece(client) == event(number)
            has_it.set()
        assert await client.reader.readline() == b"0\r\n"
    assert answer.header("content-type") == "text/event-stream"
    assert answer.header("content-encoding") is None
    assert answer.header("content-length") is None


async def test_the_head_does_not_wait_for_the_first_event() -> None:
    """A page learns at once that it is connected."""
    has_head = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        await has_head.wait()
        await peer.send(chunk(event(0)))

    async with streaming(script) as (_plane, client):
        assert (await client.head()).status == 200
        has_head.set()
        assert await piece(client) == event(0)


async def test_a_stream_outlives_the_total_timeout() -> None:
    """It ends with the head of the answer; from then on only silence counts."""
    loop = asyncio.get_running_loop()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for number in range(12):
            await peer.send(chunk(event(number)))
            await asyncio.sleep(0.05)  # the time that passes is what is tested
        await peer.send(b"0\r\n\r\n")

    async with streaming(script, {"total": "200ms", "read": "5s"}, timeout="200ms") as (plane, client):
        await client.head()
        began = loop.time()
        assert [await piece(client) for _ in range(12)] == [event(number) for number in range(12)]
        assert await client.reader.readline() == b"0\r\n"
        assert loop.time() - began > 0.4
        (exchange,) = await plane.until_finished(1)
    assert exchange.outcome is Outcome.OK


async def test_a_silent_stream_is_cut_after_the_read_timeout() -> None:
    """Comments count as life; after the last piece the time runs, and the framing is not completed."""
    loop = asyncio.get_running_loop()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for _ in range(4):
            await peer.send(chunk(b":\n\n"))
            await asyncio.sleep(0.2)
        await peer.reader.read()

    async with streaming(script, {"read": "500ms"}) as (plane, client):
        await client.head()
        assert [await piece(client) for _ in range(4)] == [b":\n\n"] * 4
        began = loop.time()
        assert await client.reader.read() == b""
        assert 0.3 < loop.time() - began < 3
        (exchange,) = await plane.until_finished(1)
    assert exchange.outcome is Outcome.BODY_TIMEOUT


async def test_a_service_hears_that_the_client_has_gone() -> None:
    """At once, though nothing is being sent."""
    has_gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + chunk(event(0)))
        await peer.reader.read()
        has_gone.set()

    async with streaming(script) as (_plane, client):
        await client.head()
        await piece(client)
        client.writer.close()
        await has_gone.wait()
    assert has_gone.is_set()
