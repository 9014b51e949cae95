"""Requests that are given up, targets that go, transports that are closed: nothing leaks."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from authproxy.upstream import slim
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import Fetched, Pieces, ask, fetch, limited, until
from tests.support.upstreams import Gate, Peer, ScriptedUpstream, answering, response

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport(sweep_s=0.01)
    yield transport
    await transport.aclose()


async def test_a_request_given_up_while_it_waits_for_the_head(transport: Http1Transport) -> None:
    """The upstream sees the connection close at once."""
    gate = Gate()
    async with ScriptedUpstream(gate) as upstream:
        task = asyncio.create_task(fetch(transport, upstream.url))
        peer = await gate.arrived.get()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await peer.until_closed() == b""
        assert transport.stats()[upstream.url].open == 0


async def test_a_request_given_up_while_its_body_is_read(transport: Http1Transport) -> None:
    """aclose() in the middle of a body closes the connection."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK + b"Content-Length: 10\r\n\r\nhello")
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        await got.stream.aclose()  # type: ignore[union-attr]
        await got.stream.aclose()  # type: ignore[union-attr]
        await upstream.until_open(0)
        assert slim.body(got).take() == (b"", True)
        task = asyncio.create_task(fetch(transport, upstream.url))
        await upstream.until_open(1)
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await upstream.until_open(0)


async def test_an_answer_that_is_all_there_when_it_is_given_up_keeps_the_connection(
    transport: Http1Transport,
) -> None:
    """Nothing of it is left on the wire, so the next request may use the connection."""
    async with ScriptedUpstream(answering(response(b"unread"))) as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        await got.stream.aclose()  # type: ignore[union-attr]
        assert (await fetch(transport, upstream.url)).reused


async def test_a_request_given_up_in_the_queue_leaves_no_gap() -> None:
    """Whoever waits behind it gets its turn."""
    transport, gate = limited(max_connections=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        first = asyncio.create_task(fetch(transport, upstream.url))
        await gate.arrived.get()
        quitter, patient = (asyncio.create_task(fetch(transport, upstream.url)) for _ in range(2))
        await asyncio.sleep(0)
        quitter.cancel()
        gate.may_answer.release()
        gate.may_answer.release()
        assert (await first).status == (await patient).status == 200
        assert quitter.cancelled()
    await transport.aclose()


async def test_a_request_given_up_while_it_uploads(transport: Http1Transport) -> None:
    """The caller's stream is let go before the cancellation comes out."""
    let_go = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal let_go
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            let_go = True

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        task = asyncio.create_task(
            fetch(
                transport, upstream.url, headers=[(b"transfer-encoding", b"chunked")], body=Pieces(endless())
            )
        )
        await upstream.until_open(1)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert let_go
        await upstream.until_open(0)


class Chaos:
    """Upstream, bodies and requests that behave at random."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    async def script(self, peer: Peer) -> None:
        """Answers of three sizes, in pieces, sooner or later; now and then the connection breaks after one."""
        while True:
            await peer.request()
            answer = response(b"x" * self.rng.choice([0, 10, 300_000]))
            await asyncio.sleep(self.rng.choice([0, 0.001, 0.003]))
            for start in range(0, len(answer), 100_000):
                await peer.send(answer[start : start + 100_000])
            if self.rng.random() < 0.1:
                self.rng.choice([peer.close, peer.reset])()

    async def body(self) -> AsyncIterator[bytes]:
        for _ in range(self.rng.randrange(4)):
            await asyncio.sleep(0)
            yield b"x" * 1000

    async def request(self, transport: Http1Transport, url: str) -> None:
        options: dict[str, object] = {}
        if self.rng.random() < 0.3:
            options = {"headers": [(b"transfer-encoding", b"chunked")], "body": Pieces(self.body())}
        if self.rng.random() < 0.2:
            options["fresh"] = True
        await fetch(transport, url, timeout={"pool": 1}, **options)


@pytest.mark.parametrize("seed", range(4))
async def test_requests_given_up_at_random_moments_leak_nothing(seed: int) -> None:
    """Whatever is cancelled when: in the end the pool is empty or idle, and works."""
    transport, chaos = limited(max_connections=4, max_waiting=100), Chaos(seed)
    rng = chaos.rng
    async with ScriptedUpstream(chaos.script) as upstream:
        for _ in range(40):
            tasks = [asyncio.create_task(chaos.request(transport, upstream.url)) for _ in range(8)]
            await asyncio.sleep(rng.choice([0, 0.0005, 0.002, 0.005]))
            for task in rng.sample(tasks, 5):
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError | httpx.TransportError)
            stats = transport.stats()[upstream.url]
            assert (stats.connecting, stats.waiting, stats.open - stats.idle) == (0, 0, 0)
        assert (await _eventually(lambda: fetch(transport, upstream.url, fresh=True))).status == 200
        transport.retire()
        await upstream.until_open(0)
    await transport.aclose()


async def _eventually(attempt: Callable[[], Awaitable[Fetched]]) -> Fetched:
    while True:
        try:
            return await attempt()
        except httpx.TransportError:
            continue


async def test_a_target_that_is_gone_loses_its_idle_connections(transport: Http1Transport) -> None:
    """keep_only closes idle connections to other targets, and busy ones after their request."""
    gate = Gate()
    async with ScriptedUpstream(gate) as gone, ScriptedUpstream(answering(response())) as kept:
        kept_url = httpx.URL(kept.url)
        await fetch(transport, kept_url)
        gate.may_answer.release()
        await fetch(transport, gone.url)
        busy = asyncio.create_task(fetch(transport, gone.url))
        other = asyncio.create_task(fetch(transport, gone.url))
        await gate.arrived.get()
        await gate.arrived.get()
        await gate.arrived.get()
        gate.may_answer.release()
        await asyncio.wait([busy, other], return_when=asyncio.FIRST_COMPLETED)
        transport.keep_only([kept_url])
        await gone.until_open(1)
        gate.may_answer.release()
        await asyncio.gather(busy, other)
        await gone.until_open(0)

        assert list(transport.stats()) == [kept.url]
        assert (await fetch(transport, kept_url)).reused


async def test_requests_of_an_older_snapshot_are_still_served(transport: Http1Transport) -> None:
    """After retire() a request goes through, and its connection is not kept."""
    async with ScriptedUpstream(answering(response())) as upstream:
        transport.retire()
        assert (await fetch(transport, upstream.url)).status == 200
        await upstream.until_open(0)
        await until(lambda: not transport.stats())


async def test_closing_waits_for_requests_under_way() -> None:
    """Within the grace time they end well, with what is queued behind them."""
    transport, gate = limited(max_connections=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        tasks = [asyncio.create_task(fetch(transport, upstream.url)) for _ in range(2)]
        await gate.arrived.get()
        closing = asyncio.create_task(transport.aclose(grace_s=5))
        gate.may_answer.release()
        gate.may_answer.release()
        results = await asyncio.gather(*tasks)
        await closing
        await upstream.until_open(0)

    assert [result.status for result in results] == [200, 200]


async def test_closing_fails_what_is_left() -> None:
    """After the grace time, busy requests, queued ones and those that connect all end."""
    transport, gate = limited(max_connections=1), Gate()
    async with ScriptedUpstream(gate) as upstream:
        tasks = [asyncio.create_task(fetch(transport, upstream.url)) for _ in range(2)]
        await gate.arrived.get()
        await transport.aclose(grace_s=0.05)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        connecting = asyncio.create_task(fetch(transport, upstream.url))
        await asyncio.sleep(0)
        await transport.aclose()
        with pytest.raises(httpx.ConnectError):
            await connecting

    assert [type(result) for result in results] == [httpx.ReadError, httpx.PoolTimeout]
    assert transport.stats() == {}


async def test_closing_an_unused_transport_is_nothing() -> None:
    """Also twice, and outside of any request."""
    transport = Http1Transport()
    await transport.aclose()
    await transport.aclose()

    assert transport.stats() == {}
