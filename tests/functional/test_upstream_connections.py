"""Connections to upstreams: kept, reused, found stale, waited for."""

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import fetch, limited, until
from tests.support.upstreams import Gate, Peer, ScriptedUpstream, answering, response

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport(sweep_s=0.01)
    yield transport
    await transport.aclose()


async def test_a_connection_that_the_upstream_closed_while_idle_is_not_used(
    transport: Http1Transport,
) -> None:
    """The close is noticed; the next request opens another connection and does not fail."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(response())

    async with ScriptedUpstream(script) as upstream:
        for _ in range(5):
            fetched = await fetch(transport, upstream.url, method="POST")
            await until(lambda: not transport.stats()[upstream.url].open)
            assert not fetched.reused
        assert upstream.accepted == 5


async def test_a_close_that_the_loop_has_not_seen_yet_is_found_in_the_kernel(
    transport: Http1Transport,
) -> None:
    """Just before an idle connection is used again, the socket is asked."""
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        connection = next(iter(transport._pool(httpx.URL(upstream.url))._open))
        await asyncio.sleep(0.01)
        connection.transport.pause_reading()  # the loop is blind now
        upstream.peers[0].close()
        await upstream.peers[0].writer.wait_closed()
        fetched = await fetch(transport, upstream.url)

    assert not fetched.reused


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_reused_connection_that_ends_before_any_byte_is_stale(
    transport: Http1Transport, then: str
) -> None:
    """The classic race has an exception of its own, and a retry with `fresh` gets a new connection."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(response())
        await peer.request()
        if peer.number == 0:
            getattr(peer, then)()
        else:
            await peer.send(response(b"fresh"))
            await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        await fetch(transport, upstream.url)
        with pytest.raises(errors.StaleConnection) as caught:
            await fetch(transport, upstream.url)
        assert errors.progress_of(caught.value) == errors.Progress(
            reused=True, wrote=True, response_started=False
        )
        again = await fetch(transport, upstream.url, fresh=True)

    assert (again.status, again.reused) == (200, False)


async def test_a_reused_connection_that_ends_within_the_head_is_lost(transport: Http1Transport) -> None:
    """Once a byte of the answer has come, the upstream did work on the request: not stale."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(response())
        await peer.request()
        await peer.send(OK)

    async with ScriptedUpstream(script) as upstream:
        await fetch(transport, upstream.url)
        with pytest.raises(errors.ConnectionLost) as caught:
            await fetch(transport, upstream.url)

    assert errors.progress_of(caught.value) == errors.Progress(reused=True, wrote=True, response_started=True)


async def test_fresh_leaves_idle_connections_alone(transport: Http1Transport) -> None:
    """With room left, a fresh connection is opened beside the idle one."""
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        assert not (await fetch(transport, upstream.url, fresh=True)).reused
        assert transport.stats()[upstream.url].idle == 2


async def test_an_upstream_that_closes_early_is_learnt_from(transport: Http1Transport) -> None:
    """After closes at 20 ms idle, connections are not used any more when they are nearly that old."""
    patience_s = 0.02

    async def script(peer: Peer) -> None:
        while True:
            async with asyncio.timeout(patience_s):
                await peer.request()
            await peer.send(response())

    async def quietly(peer: Peer) -> None:
        try:
            await script(peer)
        except TimeoutError:
            peer.close()

    failures = 0
    rng = random.Random(7)
    async with ScriptedUpstream(quietly) as upstream:
        for number in range(60):
            try:
                await fetch(transport, upstream.url, method="POST")
            except errors.StaleConnection:
                failures += number > 3
            await asyncio.sleep(rng.uniform(0, 2 * patience_s))

    assert failures == 0


async def test_the_upstreams_own_word_is_taken(transport: Http1Transport) -> None:
    """Keep-Alive: timeout=0 means that nothing is kept for long."""
    async with ScriptedUpstream(answering(response(headers=[("Keep-Alive", "timeout=0")]))) as upstream:
        await fetch(transport, upstream.url)
        await upstream.until_open(0)
        assert not (await fetch(transport, upstream.url)).reused


async def test_an_idle_connection_expires() -> None:
    """After idle_s it is closed by us."""
    transport = limited(idle_s=0.05)
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        assert transport.stats()[upstream.url].idle == 1
        await upstream.until_open(0)
    await transport.aclose()


async def test_an_old_connection_takes_no_new_request() -> None:
    """After max_age_s a connection is closed when its request is over."""
    transport = limited(max_age_s=0)
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        assert not (await fetch(transport, upstream.url)).reused
    await transport.aclose()


async def test_whoever_finds_all_connections_busy_waits_in_order() -> None:
    """First come, first served, on the connection that comes free."""
    transport, gate = limited(max_connections=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        served: list[int] = []

        async def one(number: int) -> None:
            await fetch(transport, upstream.url, timeout={"pool": 5})
            served.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(5)]
        await gate.arrived.get()
        assert transport.stats()[upstream.url].waiting == 4
        for _ in tasks:
            gate.may_answer.release()
        await asyncio.gather(*tasks)

        assert served == [0, 1, 2, 3, 4]
        assert upstream.accepted == 1
    await transport.aclose()


async def test_a_place_in_the_queue_runs_out() -> None:
    """After the pool timeout: PoolTimeout, and the request that is under way is not disturbed."""
    transport, gate = limited(max_connections=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        first = asyncio.create_task(fetch(transport, upstream.url))
        await gate.arrived.get()
        with pytest.raises(httpx.PoolTimeout) as caught:
            await fetch(transport, upstream.url, timeout={"pool": 0.05})
        assert errors.progress_of(caught.value) == errors.NOTHING_SENT
        loop = asyncio.get_running_loop()
        with pytest.raises(errors.DeadlineExceeded):
            await fetch(transport, upstream.url, timeout={"pool": 5}, deadline=loop.time() + 0.05)
        assert transport.stats()[upstream.url].waiting == 0
        gate.may_answer.release()
        assert (await first).status == 200
    await transport.aclose()


async def test_the_queue_is_bounded() -> None:
    """One more than max_waiting is refused at once."""
    transport, gate = limited(max_connections=1, max_waiting=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        tasks = [asyncio.create_task(fetch(transport, upstream.url)) for _ in range(2)]
        await gate.arrived.get()
        with pytest.raises(httpx.PoolTimeout):
            await fetch(transport, upstream.url)
        gate.may_answer.release()
        gate.may_answer.release()
        await asyncio.gather(*tasks)
    await transport.aclose()


async def test_a_failed_connection_gives_its_place_to_the_next() -> None:
    """Slots of broken connections go to those who wait."""
    transport = limited(max_connections=1)

    async def script(peer: Peer) -> None:
        if peer.number < 2:
            await peer.request()
            peer.reset()
        else:
            await answering(response())(peer)

    async with ScriptedUpstream(script) as upstream:
        tasks = [asyncio.create_task(fetch(transport, upstream.url)) for _ in range(4)]
        results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result).__name__ for result in results] == [
        "ConnectionLost",
        "ConnectionLost",
        "Fetched",
        "Fetched",
    ]
    await transport.aclose()


async def test_fresh_at_the_limit_replaces_an_idle_connection_or_waits() -> None:
    """A retry must not meet a second stale connection, even in a full pool."""
    transport, gate = limited(max_connections=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        gate.may_answer.release()
        await fetch(transport, upstream.url)
        gate.may_answer.release()
        assert not (await fetch(transport, upstream.url, fresh=True)).reused
        busy = asyncio.create_task(fetch(transport, upstream.url))
        waiting = asyncio.create_task(fetch(transport, upstream.url, fresh=True))
        await asyncio.sleep(0.02)
        gate.may_answer.release()
        gate.may_answer.release()
        assert (await busy).reused
        assert not (await waiting).reused
    await transport.aclose()


async def test_max_idle_bounds_what_is_kept() -> None:
    """More connections than max_idle are closed when they come free."""
    transport, gate = limited(max_idle=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        tasks = [asyncio.create_task(fetch(transport, upstream.url)) for _ in range(3)]
        for _ in tasks:
            await gate.arrived.get()
        for _ in tasks:
            gate.may_answer.release()
        await asyncio.gather(*tasks)
        await upstream.until_open(1)
        assert transport.stats()[upstream.url].idle == 1
    await transport.aclose()
