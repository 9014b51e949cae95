"""Whatever a connection went through, its memory is free when it has ended: no collector has to find it.

What is alive when a revision is published is never looked at by the collector again, so cycles would leak.
"""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from authproxy.exchange import Exchange
from authproxy.upstream.connection import Connection
from gateway_project.server.cycle import RequestCycle
from gateway_project.server.protocol import GatewayProtocol
from gateway_project.server.reader import RequestReader
from tests.support.gateway import RawClient, data_plane, document, route
from tests.support.upstreams import Peer, ScriptedUpstream, response

KINDS = (GatewayProtocol, RequestReader, RequestCycle, Exchange, Connection)


def alive() -> list[Any]:
    # By its type alone: a lazy object would come to life, or raise, if it were asked what it is.
    return [thing for thing in gc.get_objects() if issubclass(type(thing), KINDS)]


@pytest.fixture
def no_collector() -> Iterator[None]:
    """No collector during the test, and what other tests in this process still hold is put out of sight."""
    gc.disable()
    gc.freeze()
    try:
        assert alive() == []
        yield
    finally:
        gc.unfreeze()
        gc.enable()


async def good(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b"ok"))


async def reset(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def broken(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhe")
    peer.close()


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.until_closed()


async def endless(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
    await peer.until_closed()


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
LONG_UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000


@pytest.mark.parametrize(
    ("script", "request_bytes"),
    [
        (good, GET),
        (good, GET * 3),
        (good, GET[:9]),
        (good, b"\r\n" + GET.replace(b"\r\n\r\n", b"\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n")),
        (good, b"garbage\r\n\r\n"),
        (good, UPLOAD),
        (good, UPLOAD + b"garbage\r\n"),
        (reset, GET),
        (broken, GET),
        (endless, GET),
        (silent, GET),
        (silent, UPLOAD),
        (silent, LONG_UPLOAD),
    ],
)
@pytest.mark.usefixtures("no_collector")
async def test_an_ended_connection_is_free(script: Any, request_bytes: bytes) -> None:
    """Client and upstream side alike, whether it ended well, badly, or by departure."""
    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane:
            async with RawClient(plane.port) as client:
                await client.send(request_bytes)
                await asyncio.sleep(0.05)
            await plane.upstreams.aclose()
            async with asyncio.timeout(5):
                while alive():
                    plane.finished.clear()
                    await asyncio.sleep(0.01)
            assert alive() == []
