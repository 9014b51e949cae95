"""Documents over HTTP from servers that may be anything."""

import pytest

from authproxy.fetching import DocumentFetcher
from authproxy.keyset import FetchFailed
from tests.support.upstreams import Peer, ReceivedRequest, ScriptedUpstream, response

KEYS = b'{"keys":[]}'


async def test_document_and_how_long_it_counts() -> None:
    """One plain GET on a connection of its own."""
    asked: list[ReceivedRequest] = []

    async def script(peer: Peer) -> None:
        asked.append(await peer.request())
        await peer.send(response(KEYS, headers=[("Cache-Control", "max-age=60"), ("Age", "3")]))
        await peer.until_closed()

    async with ScriptedUpstream(script) as server:
        fetched = await DocumentFetcher()(f"{server.url}/keys?v=1")
        await server.until_open(0)

    assert fetched == (KEYS, "max-age=60", "3")
    assert (asked[0].method, asked[0].target) == ("GET", b"/keys?v=1")
    assert asked[0].values("authorization") == asked[0].values("cookie") == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (response(status="404 Not Found"), "status 404"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (response(status="302 Found", headers=[("Location", "http://127.0.0.1:1/")]), "status 302"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nless", "RemoteProtocolError"),
        (b"rubbish\r\n\r\n", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
        (response(b"none", headers=[("Content-Encoding", "gzip")]), "came encoded"),
        (response(b"x" * 3000), "more than 2000 bytes"),
    ],
)
async def test_failures_say_why(answer: bytes, why: str) -> None:
    """Redirects are not followed: an address that was checked is the address that is asked."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        peer.close()

    async with ScriptedUpstream(script) as server:
        with pytest.raises(FetchFailed, match=why):
            await DocumentFetcher(longest=2000)(server.url)


async def test_silent_server_is_left() -> None:
    """After the timeout, which is for the whole exchange."""

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    async with ScriptedUpstream(script) as server:
        with pytest.raises(FetchFailed, match=r"no answer within 0\.5 s"):
            await DocumentFetcher(timeout_s=0.5)(server.url)
        await server.until_open(0)


async def test_dripping_server_is_left() -> None:
    """Bytes that keep coming prolong nothing."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.drip(response(b"x" * 100_000))

    async with ScriptedUpstream(script) as server:
        with pytest.raises(FetchFailed, match=r"no answer within 0\.5 s"):
            await DocumentFetcher(timeout_s=0.5)(server.url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "", "ftp://h/", "http://", "http://[::1"])
async def test_addresses_that_lead_nowhere(url: str) -> None:
    """Nothing there, or no address at all."""
    with pytest.raises(FetchFailed):
        await DocumentFetcher()(url)
