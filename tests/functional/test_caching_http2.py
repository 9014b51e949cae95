"""Caching of answers that come over HTTP/2: what is whole is known by the end of its stream."""

import asyncio
from contextlib import AsyncExitStack

from tests.support.gateway import RawClient, data_plane, document, route
from tests.support.http2upstream import Http2Upstream, Stream
from tests.support.origin import kind

FRESH = (b"cache-control", b"max-age=60")


def raw(url: str) -> dict[str, object]:
    service = {"protocol": "h2c", "targets": [{"url": url}], "retries": {"attempts": 0}}
    return document(route(service="s", cache={}), services={"s": service})


async def test_answers_are_stored_when_their_stream_has_ended() -> None:
    """With a length or without; those that are reset are not."""
    asked: list[bytes] = []

    async def handler(stream: Stream) -> None:
        await stream.complete.wait()
        path = dict(stream.headers)[b":path"]
        asked.append(path)
        stream.head(200, FRESH)
        stream.data(b"hel")
        if path == b"/reset":
            stream.reset()
        else:
            stream.data(b"lo", end=True)

    async with Http2Upstream(handler) as upstream, data_plane(raw(upstream.url)) as plane:
        async with RawClient(plane.port) as client:
            answers = [await client.get("/whole") for _ in range(2)]
        for _ in range(2):
            async with RawClient(plane.port) as client:
                await client.send(b"GET /reset HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                await client.reader.read(-1)

    assert [(kind(each), each.body) for each in answers] == [("MISS", b"hello"), ("HIT", b"hello")]
    assert answers[1].header("content-length") == "5"
    assert asked == [b"/whole", b"/reset", b"/reset"]


async def test_a_client_that_leaves_fails_nobody_who_waits() -> None:
    """Its departure does not reset the stream: the rest is read for the others, and what they get is whole."""
    release, begun, asked = asyncio.Event(), asyncio.Event(), []

    async def handler(stream: Stream) -> None:
        asked.append(stream.number)
        stream.head(200, FRESH)
        stream.data(b"hel")
        begun.set()
        await release.wait()
        stream.data(b"lo", end=True)

    async with (
        Http2Upstream(handler) as upstream,
        data_plane(raw(upstream.url)) as plane,
        RawClient(plane.port) as leaving,
        AsyncExitStack() as stack,
    ):
        staying = [await stack.enter_async_context(RawClient(plane.port)) for _ in range(3)]
        await leaving.send(b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
        async with asyncio.timeout(10):
            await leaving.head()
            await begun.wait()
            waiting = [asyncio.create_task(client.get("/x")) for client in staying]
            await asyncio.sleep(0.2)
            leaving.writer.transport.abort()
            await plane.until_finished(1)
            release.set()
            answers = await asyncio.gather(*waiting)

    assert [(kind(each), each.body) for each in answers] == [("HIT", b"hello")] * 3
    assert len(asked) == 1


async def test_a_body_that_is_not_as_long_as_it_says_is_not_stored() -> None:
    """Whatever the transport makes of it."""
    asked = []

    async def handler(stream: Stream) -> None:
        asked.append(stream.number)
        stream.head(200, FRESH, (b"content-length", b"5"))
        stream.data(b"hel", end=True)

    async with Http2Upstream(handler) as upstream, data_plane(raw(upstream.url)) as plane:
        for _ in range(2):
            async with RawClient(plane.port) as client:
                await client.send(b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                await client.reader.read(-1)

    assert len(asked) == 2
