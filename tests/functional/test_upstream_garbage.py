"""Answers that are not one well-formed response: refused, and never taken for anything else."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import fetch
from tests.support.upstreams import Peer, ScriptedUpstream, once, response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport()
    yield transport
    await transport.aclose()


GARBAGE = {
    "both lengths": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
    "both lengths, other way round": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "a negative length": OK + b"Content-Length: -3\r\n\r\nabc",
    "a length with a sign": OK + b"Content-Length: +3\r\n\r\nabc",
    "a length without end": OK + b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "another transfer coding": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "two transfer codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded field": OK + b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "a space before a colon": OK + b"Content-Length : 3\r\n\r\nabc",
    "a field without a colon": OK + b"nonsense\r\nContent-Length: 0\r\n\r\n",
    "a field without a name": OK + b": 1\r\nContent-Length: 0\r\n\r\n",
    "a NUL": OK + b"X-A: \0\r\nContent-Length: 0\r\n\r\n",
    "a control byte": OK + b"X-A: \x07\r\nContent-Length: 0\r\n\r\n",
    "a bare CR": OK + b"X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n",
    "bare LFs": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/0.9": b"<html>hello</html>",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.7": b"HTTP/1.7 200 OK\r\nContent-Length: 0\r\n\r\n",
    "another protocol that looks alike": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x16",
    "a blank line first": b"\r\n" + response(),
    "a status below 100": b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
    "a status above 599": b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a 101 nobody asked for": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a head without end": OK + b"X-A: " + b"a" * 70_000,
    "too long a head": OK + b"X-A: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "too many fields": OK + b"X-A: 1\r\n" * 201 + b"Content-Length: 0\r\n\r\n",
    "1xx without end": b"HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n" * 2500,
    "a bad chunk size": CHUNKED + b"xyz\r\n",
    "a hexadecimal prefix": CHUNKED + b"0x2\r\nhe\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nhello\r\n0\r\n\r\n",
    "a chunk size without end": CHUNKED + b"fffffffffffffffff\r\nhello",
    "a length in the trailers": CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n",
    "too many trailers": CHUNKED + b"0\r\n" + b"X-A: 1\r\n" * 201 + b"\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_is_refused_and_its_connection_closed(transport: Http1Transport, name: str) -> None:
    """No answer that could be read in two ways gets through."""
    async with once(GARBAGE[name]) as upstream:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await fetch(transport, upstream.url)
        await upstream.until_open(0)

    assert errors.progress_of(caught.value) == errors.Progress(
        reused=False, wrote=True, response_started=True
    )
    assert caught.value.request.method == "GET"
    assert transport.stats()[upstream.url].open == 0


JUNK = {
    "a second answer": response(b"smuggled"),
    "garbage": b"garbage\r\n",
    "a line break": b"\r\n",
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", JUNK)
async def test_junk_after_an_answer_never_becomes_the_next_answer(
    transport: Http1Transport, name: str, method: str
) -> None:
    """The answer stands; what follows it, in the same packet or later, costs the connection."""

    async def script(peer: Peer) -> None:
        await peer.request()
        first = b"" if method == "HEAD" else b"first"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        await peer.send(head + first + JUNK[name] * (peer.number % 2))
        if not peer.number % 2:
            await received.wait()
            await peer.send(JUNK[name])
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        for _ in range(4):
            received = asyncio.Event()
            fetched = await fetch(transport, upstream.url, method=method)
            assert fetched.body == (b"" if method == "HEAD" else b"first")
            assert not fetched.reused
            received.set()
            if name == "a line break" and upstream.accepted % 2 == 0:
                transport.retire()  # a line break in the same packet is not noticed, and does no harm
            await upstream.until_open(0)


async def test_bytes_on_a_fresh_idle_connection_never_answer_a_request(transport: Http1Transport) -> None:
    """An upstream that speaks between two requests loses the connection at once."""
    spoken = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"first"))
        await spoken.wait()
        await peer.send(response(b"unasked"))
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        await fetch(transport, upstream.url)
        spoken.set()
        await upstream.until_open(0)
        assert transport.stats()[upstream.url].open == 0
