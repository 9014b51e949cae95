"""Connections to upstreams: kept, reused, found stale, waited for, timed, cancelled; and nothing leaks."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from authproxy.upstream import errors, slim
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.pool import PoolLimits
from tests.support.fetching import Fetched, Pieces, ask, fetch, read, until
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport(sweep_s=0.01)
    yield transport
    await transport.aclose()


def limited(**limits: float) -> Http1Transport:
    return Http1Transport(limits=PoolLimits(**limits), sweep_s=0.01)  # type: ignore[arg-type]


class Gate:
    """A script that answers each request when the test lets it."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Peer] = asyncio.Queue()
        self.may_answer = asyncio.Semaphore(0)

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.request()
            self.arrived.put_nowait(peer)
            await self.may_answer.acquire()
            await peer.send(response(b"%d" % peer.number))


# Stale connections


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


# Limits


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
    await transport.aclose()


# Timeouts


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
        got = await transport.handle_async_request(ask(upstream.url, timeout={"read": 0.1}))
        body = slim.body(got)
        await body.next()
        await asyncio.sleep(0.3)
        fetched = await read(got)

    assert fetched.status == 200


# Leaving


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


# The end


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
