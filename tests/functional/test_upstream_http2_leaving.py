"""Requests over HTTP/2 that are given up: their streams are reset, and nobody else on the connection notices."""

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import pytest
from h2.errors import ErrorCodes

from authproxy.upstream import slim
from authproxy.upstream.http2 import Http2Transport
from authproxy.upstream.http2pool import CONNECTION_WINDOW
from authproxy.upstream.tls import TlsOptions
from tests.support.fetching import Pieces, ask, fetch, read
from tests.support.gateway import RawClient, document, route
from tests.support.http2upstream import Http2Upstream, Stream
from tests.support.traffic import traffic
from tests.support.upstreams import Certificates

MB = 1 << 20


@pytest.fixture
async def transport() -> AsyncIterator[Http2Transport]:
    transport = Http2Transport()
    yield transport
    await transport.aclose()


class Pouring:
    """Answers every request with as much as its path says, and keeps the streams."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.arrived: asyncio.Queue[Stream] = asyncio.Queue()

    async def __call__(self, stream: Stream) -> None:
        self.streams.append(stream)
        self.arrived.put_nowait(stream)
        size = int(dict(stream.headers)[b":path"][1:])
        stream.head(200)
        await stream.pour(size)


async def leave_midway(transport: Http2Transport, url: str) -> None:
    """Having read a little of a large answer."""
    body = slim.body(await transport.handle_async_request(ask(url, target=b"/%d" % (64 * MB))))
    data, done = await body.next()
    assert data
    assert not done
    await body.aclose()


async def test_an_answer_given_up_in_its_middle_is_reset(transport: Http2Transport) -> None:
    """With CANCEL (RFC 9113 section 5.4.2), many times over the same connection, while another answer goes on."""
    pouring = Pouring()
    async with Http2Upstream(pouring) as upstream, asyncio.timeout(60):
        staying = await transport.handle_async_request(ask(upstream.url, target=b"/%d" % (2 * MB)))
        for _ in range(150):
            await leave_midway(transport, upstream.url)
            await pouring.streams[-1].reset_by_client.wait()
        assert len((await read(staying)).body) == 2 * MB
        assert len((await fetch(transport, upstream.url, target=b"/%d" % MB)).body) == MB
        assert len(upstream.links) == 1

    assert {stream.reset_code for stream in pouring.streams[1:-1]} == {ErrorCodes.CANCEL}
    assert pouring.streams[0].reset_code is pouring.streams[-1].reset_code is None


async def test_many_that_leave_at_once(transport: Http2Transport) -> None:
    """More than the connection's window has room for, in waves; a whole answer comes through after each."""
    pouring = Pouring()
    async with Http2Upstream(pouring) as upstream, asyncio.timeout(60):
        for _ in range(4):
            await asyncio.gather(*[leave_midway(transport, upstream.url) for _ in range(90)])
            assert len((await fetch(transport, upstream.url, target=b"/%d" % MB)).body) == MB
        assert len(upstream.links) == 1


async def test_a_request_given_up_before_its_answer_is_reset(transport: Http2Transport) -> None:
    """Also when the upstream answers nevertheless: what comes then takes no room from others."""
    arrived: asyncio.Queue[Stream] = asyncio.Queue()
    async with Http2Upstream(arrived.put) as upstream, asyncio.timeout(60):
        for _ in range(20):
            leaving = asyncio.create_task(fetch(transport, upstream.url))
            stream = await arrived.get()
            leaving.cancel()
            stream.head(200)
            pouring = asyncio.create_task(stream.pour(64 * MB))
            with pytest.raises(asyncio.CancelledError):
                await leaving
            await stream.reset_by_client.wait()
            assert stream.reset_code == ErrorCodes.CANCEL
            assert not await pouring
        staying = asyncio.create_task(fetch(transport, upstream.url))
        stream = await arrived.get()
        stream.head(200)
        assert await stream.pour(2 * CONNECTION_WINDOW)
        assert len((await staying).body) == 2 * CONNECTION_WINDOW
        assert len(upstream.links) == 1


async def test_an_answer_that_came_whole_is_not_reset(transport: Http2Transport) -> None:
    """Nor is one that the upstream has reset itself."""
    pouring = Pouring()
    async with Http2Upstream(pouring) as upstream, asyncio.timeout(60):
        for _ in range(3):
            await fetch(transport, upstream.url, target=b"/10")
        got = await transport.handle_async_request(ask(upstream.url, target=b"/10"))
        pouring.streams[3].complete.clear()
        await fetch(transport, upstream.url, target=b"/10")  # so the answer before has come, too
        await slim.body(got).aclose()
        await fetch(transport, upstream.url, target=b"/10")

    assert [stream.reset_code for stream in pouring.streams] == [None] * 6


async def test_slow_readers_hold_up_nobody(transport: Http2Transport) -> None:
    """Ninety large answers that nobody reads, and one that somebody does."""
    pouring = Pouring()
    async with Http2Upstream(pouring) as upstream, asyncio.timeout(60):
        slow = [
            await transport.handle_async_request(ask(upstream.url, target=b"/%d" % (64 * MB)))
            for _ in range(90)
        ]
        assert len((await fetch(transport, upstream.url, target=b"/%d" % (5 * MB))).body) == 5 * MB
        assert len(upstream.links) == 1
        for answer in slow:
            await slim.body(answer).aclose()


@pytest.mark.parametrize("is_tls", [False, True])
async def test_requests_given_up_at_random_moments(is_tls: bool) -> None:
    """Whatever is cancelled when: the connection, and what both ends know of each other's fields, stays in order."""
    rng = random.Random(7)
    certificates = Certificates()
    context = certificates.server_context("inner.test", alpn=("h2",)) if is_tls else None
    transport = Http2Transport(tls=TlsOptions(ca=certificates.ca, sni="inner.test"))

    async def body() -> AsyncIterator[bytes]:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
            yield bytes(30_000)

    async def echo(stream: Stream) -> None:
        await asyncio.wait(
            [
                asyncio.ensure_future(stream.complete.wait()),
                asyncio.ensure_future(stream.reset_by_client.wait()),
            ],
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not stream.reset_by_client.is_set():
            stream.head(200, (b"x-echo", dict(stream.headers)[b"x-number"]))
            await stream.pour(rng.choice([1, 1000, MB]))

    async def request(number: int) -> None:
        fields = [(b"x-number", b"number %d" % number), (b"transfer-encoding", b"chunked")]
        fetched = await fetch(transport, upstream.url, method="PUT", headers=fields, body=Pieces(body()))
        assert (b"x-echo", b"number %d" % number) in fetched.headers

    async with Http2Upstream(echo, tls=context) as upstream, asyncio.timeout(30):
        await request(0)
        for turn in range(40):
            tasks = [asyncio.create_task(request(turn * 10 + each)) for each in range(10)]
            for _ in range(rng.randrange(6)):
                await asyncio.sleep(0)
            await asyncio.sleep(rng.choice([0, 0.001, 0.004]))
            for task in rng.sample(tasks, 6):
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError)
        assert len(upstream.links) == 1
    await transport.aclose()


async def test_a_connection_that_ended_while_idle_is_not_used_again(transport: Http2Transport) -> None:
    """The next request opens another one."""
    async with Http2Upstream() as upstream, asyncio.timeout(60):
        await fetch(transport, upstream.url)
        upstream.links[0].transport.close()
        wire = transport._stock()._pool.connections[0]._connection._wire  # type: ignore[attr-defined]
        while not wire.is_over:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert (await fetch(transport, upstream.url)).status == 200
        assert len(upstream.links) == 2


async def test_whoever_waits_for_a_connection_that_another_gave_up_gets_one(
    transport: Http2Transport,
) -> None:
    """The first request dials and is cancelled; the others that wait for it go on, over one connection of the pool."""
    async with Http2Upstream() as upstream, asyncio.timeout(60):
        leaving = asyncio.create_task(fetch(transport, upstream.url))
        others = [asyncio.create_task(fetch(transport, upstream.url)) for _ in range(3)]
        await asyncio.sleep(0)
        leaving.cancel()
        assert [(await other).status for other in others] == [200] * 3
        assert len(transport._stock()._pool.connections) == 1  # type: ignore[attr-defined]
        assert (await fetch(transport, upstream.url)).status == 200
        assert len([link for link in upstream.links if not link.transport.is_closing()]) == 1


async def test_a_failure_to_connect_is_everybodys(transport: Http2Transport) -> None:
    """All that wait for it fail, each in its own name."""
    async with Http2Upstream() as upstream:
        url = upstream.url
    failures = await asyncio.gather(*[fetch(transport, url) for _ in range(5)], return_exceptions=True)
    assert [type(failure) for failure in failures] == [httpx.ConnectError] * 5


async def test_clients_that_leave_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a large answer, one after the other: the upstream hears of each, and another client goes on."""
    pouring = Pouring()
    async with Http2Upstream(pouring) as upstream, asyncio.timeout(60):
        service = {"targets": [{"url": upstream.url}], "protocol": "h2c"}
        async with traffic(document(route(service="s"), services={"s": service}), monkeypatch) as plane:
            for _ in range(120):
                async with RawClient(plane.port) as client:
                    await client.send(b"GET /%d HTTP/1.1\r\nHost: gateway.test\r\n\r\n" % (64 * MB))
                    assert (await client.head()).status == 200
                    await client.reader.readexactly(1000)
                await pouring.streams[-1].reset_by_client.wait()
                assert pouring.streams[-1].reset_code == ErrorCodes.CANCEL
            assert len((await plane.ask(f"/{MB}")).body) == MB
        assert len(upstream.links) == 1
