"""How long upstreams may take: to answer, between bytes, and over all."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors, slim
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import ask, fetch, read
from tests.support.upstreams import Gate, Peer, ScriptedUpstream, answering, response

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport(sweep_s=0.01)
    yield transport
    await transport.aclose()


async def test_an_upstream_that_says_nothing_times_out(transport: Http1Transport) -> None:
    """The read timeout, before any byte of the answer."""
    async with ScriptedUpstream(Gate()) as upstream:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await fetch(transport, upstream.url, timeout={"read": 0.1})
        assert not isinstance(caught.value, errors.BodyTimeout)
        await upstream.until_open(1)  # the script waits at its gate; our side is closed
        assert transport.stats()[upstream.url].open == 0


async def test_a_body_that_stops_times_out(transport: Http1Transport) -> None:
    """The read timeout, inside the body."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK + b"Content-Length: 10\r\n\r\nhello")
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.BodyTimeout):
            await fetch(transport, upstream.url, timeout={"read": 0.1})


async def test_an_answer_that_drips_does_not_time_out(transport: Http1Transport) -> None:
    """The read timeout is the gap between bytes, in the head and in the body."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.drip(response(b"slowly but surely"), pause_s=0.01)
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        fetched = await fetch(transport, upstream.url, timeout={"read": 0.15})

    assert fetched.body == b"slowly but surely"


async def test_a_head_that_drips_meets_the_deadline(transport: Http1Transport) -> None:
    """The deadline is for the whole head; the body may take longer."""
    loop = asyncio.get_running_loop()

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.drip(OK + b"X-A: " + b"a" * 1000, pause_s=0.01)
        else:
            await peer.send(OK + b"Content-Length: 20\r\n\r\n")
            await peer.drip(b"x" * 20, pause_s=0.01)
            await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.DeadlineExceeded):
            await fetch(transport, upstream.url, timeout={"read": 5}, deadline=loop.time() + 0.1)
        fetched = await fetch(transport, upstream.url, deadline=loop.time() + 0.1)

    assert len(fetched.body) == 20


async def test_a_deadline_in_the_past_sends_nothing(transport: Http1Transport) -> None:
    """Not even with an idle connection at hand."""
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        with pytest.raises(errors.DeadlineExceeded) as caught:
            await fetch(transport, upstream.url, deadline=asyncio.get_running_loop().time())
        assert transport.stats()[upstream.url].idle == 1

    assert errors.progress_of(caught.value) == errors.NOTHING_SENT


async def test_a_slow_reader_is_no_slow_upstream(transport: Http1Transport) -> None:
    """While the client does not take what has come, the read timeout does not run."""
    size = 5_000_000
    async with ScriptedUpstream(answering(response(b"x" * size))) as upstream:
        got = await transport.handle_async_request(ask(upstream.url, timeout={"read": 0.5}))
        body = slim.body(got)
        await body.next()
        await asyncio.sleep(0.7)
        fetched = await read(got)

    assert fetched.status == 200
