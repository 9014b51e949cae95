"""HTTP/2 upstreams: the same interface, extensions and failures as over HTTP/1.1, against a real HTTP/2 server."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors, slim
from authproxy.upstream.http2 import Http2Transport
from authproxy.upstream.pool import PoolLimits
from authproxy.upstream.tls import TlsOptions
from tests.support.fetching import Pieces, ask, fetch, read
from tests.support.http2upstream import Http2Upstream, Stream
from tests.support.upstreams import Certificates, Peer, ScriptedUpstream


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture
async def transport() -> AsyncIterator[Http2Transport]:
    transport = Http2Transport()
    yield transport
    await transport.aclose()


async def test_plain_with_prior_knowledge(transport: Http2Transport) -> None:
    """h2c: answers come with their fields in order, several requests share a connection."""
    async with Http2Upstream() as upstream:
        results = await asyncio.gather(*[fetch(transport, upstream.url) for _ in range(5)])
        assert len(upstream.links) == 1

    for fetched in results:
        assert (fetched.status, fetched.body) == (200, b"hello")
        assert fetched.headers == [(b"x-kind", b"h2"), (b"x-kind", b"again")]
        assert fetched.response.extensions["http_version"] == b"HTTP/2"
        assert fetched.response.extensions["trailers"]() == []


async def test_over_tls(certificates: Certificates) -> None:
    """h2: negotiated by ALPN, with the service's authority and name."""
    context = certificates.server_context("inner.test", alpn=("h2",))
    transport = Http2Transport(tls=TlsOptions(ca=certificates.ca, sni="inner.test"))
    async with Http2Upstream(tls=context) as upstream:
        assert (await fetch(transport, upstream.url)).body == b"hello"
    await transport.aclose()


async def test_an_upstream_that_is_not_trusted(certificates: Certificates) -> None:
    """A TLS error, before anything is sent."""
    async with Http2Upstream(tls=certificates.server_context(alpn=("h2",))) as upstream:
        transport = Http2Transport()
        with pytest.raises(errors.TlsFailed) as caught:
            await fetch(transport, upstream.url)
        await transport.aclose()

    assert errors.progress_of(caught.value) == errors.NOTHING_SENT


async def test_an_upstream_that_speaks_only_http1(
    certificates: Certificates, transport: Http2Transport
) -> None:
    """Over TLS and without: a failure, not a guess."""
    secure = Http2Transport(tls=TlsOptions(ca=certificates.ca))
    context = certificates.server_context(alpn=("http/1.1",))

    async def script(peer: Peer) -> None:
        await peer.reader.read(100)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.close()

    async with ScriptedUpstream(script, tls=context) as over_tls, ScriptedUpstream(script) as plain:
        with pytest.raises(httpx.TransportError):
            await fetch(secure, over_tls.url, timeout={"read": 0.2})
        with pytest.raises(httpx.TransportError):
            await fetch(transport, plain.url, timeout={"read": 0.2})
    await secure.aclose()


async def test_the_request_arrives_as_it_was_given(transport: Http2Transport) -> None:
    """Target, Host as :authority, order and duplicates; connection-specific fields are left out (RFC 9113 8.2.2)."""
    seen: list[Stream] = []

    async def handler(stream: Stream) -> None:
        await stream.complete.wait()
        seen.append(stream)
        stream.head(204, end=True)

    async with Http2Upstream(handler) as upstream:
        await fetch(
            transport,
            upstream.url,
            method="PUT",
            target=b"/a%2Fb//c?x=%zz",
            headers=[
                (b"x-a", b"1"),
                (b"connection", b"te"),
                (b"te", b"trailers"),
                (b"x-a", b"2"),
                (b"transfer-encoding", b"chunked"),
            ],
            body=Pieces(_parts(b"one", b"", b"two")),
        )
        await fetch(transport, upstream.url, headers=[(b"te", b"gzip")])

    assert seen[0].headers == [
        (b":method", b"PUT"),
        (b":authority", b"upstream.test"),
        (b":scheme", b"http"),
        (b":path", b"/a%2Fb//c?x=%zz"),
        (b"x-a", b"1"),
        (b"te", b"trailers"),
        (b"x-a", b"2"),
    ]
    assert bytes(seen[0].body) == b"onetwo"
    assert (b"te", b"gzip") not in seen[1].headers


async def _parts(*parts: bytes | Exception | float) -> AsyncIterator[bytes]:
    for part in parts:
        if isinstance(part, Exception):
            raise part
        if isinstance(part, float):
            await asyncio.sleep(part)
        else:
            yield part


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": [(b"x-a", b"1\r\nx-b: 2")]},
        {"target": b"/a b"},
        {"headers": [(b"content-length", b"3")], "body": b"12"},
        {"headers": [(b"content-length", b"1")], "body": b"12"},
    ],
)
async def test_what_must_not_be_sent_is_not(transport: Http2Transport, wrong: dict[str, object]) -> None:
    """The same checks as for HTTP/1.1: the next hop may translate back."""
    async with Http2Upstream() as upstream:
        with pytest.raises(httpx.LocalProtocolError):
            await fetch(transport, upstream.url, **wrong)


async def test_a_request_needs_a_host(transport: Http2Transport) -> None:
    """:authority has to come from somewhere."""
    request = slim.request("GET", httpx.URL("http://127.0.0.1:1"), [], httpx.ByteStream(b""), {})
    with pytest.raises(httpx.LocalProtocolError, match="Host"):
        await transport.handle_async_request(request)


async def test_a_stream_that_fails_is_the_callers_failure(transport: Http2Transport) -> None:
    """Its exception is the cause."""
    trouble = LookupError("the client left")
    async with Http2Upstream() as upstream:
        with pytest.raises(errors.RequestBodyFailed) as caught:
            await fetch(
                transport,
                upstream.url,
                headers=[(b"transfer-encoding", b"chunked")],
                body=Pieces(_parts(b"x", trouble)),
            )

    assert caught.value.__cause__ is trouble


async def test_a_silent_upstream(transport: Http2Transport) -> None:
    """Read timeout, or the deadline if that comes first."""

    async def handler(stream: Stream) -> None:
        await asyncio.Event().wait()

    async with Http2Upstream(handler) as upstream:
        loop = asyncio.get_running_loop()
        with pytest.raises(httpx.ReadTimeout):
            await fetch(transport, upstream.url, timeout={"read": 0.1}, deadline=loop.time() + 60)
        with pytest.raises(
            errors.DeadlineExceeded
        ) as caught:  # over the same connection, so it is not connecting
            await fetch(transport, upstream.url, timeout={"read": 60}, deadline=loop.time() + 0.3)

    assert errors.progress_of(caught.value).wrote


async def test_the_deadline_stands_still_while_the_body_is_sent(transport: Http2Transport) -> None:
    """As over HTTP/1.1."""
    async with Http2Upstream() as upstream:
        await fetch(transport, upstream.url)  # so that connecting takes none of the time
        fetched = await fetch(
            transport,
            upstream.url,
            headers=[(b"transfer-encoding", b"chunked")],
            body=Pieces(_parts(b"a", 1.1, b"b")),
            deadline=asyncio.get_running_loop().time() + 1.0,
        )

    assert fetched.status == 200


@pytest.mark.parametrize("trouble", ["reset", "drop_connection"])
async def test_an_upstream_that_breaks_off_its_answer(transport: Http2Transport, trouble: str) -> None:
    """Never a quiet truncation."""

    async def handler(stream: Stream) -> None:
        stream.head(200)
        stream.data(b"half")
        await asyncio.sleep(0.02)
        getattr(stream, trouble)()

    async with Http2Upstream(handler) as upstream:
        with pytest.raises(errors.BodyBroken):
            await fetch(transport, upstream.url)


async def test_an_answer_that_stops(transport: Http2Transport) -> None:
    """The read timeout inside a body."""

    async def handler(stream: Stream) -> None:
        stream.head(200)
        stream.data(b"half")

    async with Http2Upstream(handler) as upstream:
        with pytest.raises(errors.BodyTimeout):
            await fetch(transport, upstream.url, timeout={"read": 0.1})


@pytest.mark.parametrize("trouble", ["reset", "drop_connection"])
async def test_an_upstream_that_breaks_off_before_its_answer(transport: Http2Transport, trouble: str) -> None:
    """A failure of the upstream's, after the request was sent."""

    async def handler(stream: Stream) -> None:
        getattr(stream, trouble)()

    async with Http2Upstream(handler) as upstream:
        with pytest.raises(httpx.TransportError) as caught:
            await fetch(transport, upstream.url)

    assert errors.progress_of(caught.value).wrote


async def test_unreachable_upstreams(transport: Http2Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused connections and unknown names are told apart."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(httpx.ConnectError) as caught:
            await fetch(transport, f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert type(caught.value) is httpx.ConnectError

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown, raising=False)
    with pytest.raises(errors.NameResolutionFailed):
        await fetch(transport, "http://api.test:1")


async def test_a_cancelled_request_is_cancelled_upstream(transport: Http2Transport) -> None:
    """The upstream sees the stream reset, other streams go on."""
    arrived: asyncio.Queue[Stream] = asyncio.Queue()
    async with Http2Upstream(arrived.put) as upstream:
        leaver = asyncio.create_task(fetch(transport, upstream.url))
        left = await arrived.get()
        stayer = asyncio.create_task(fetch(transport, upstream.url))
        stayed = await arrived.get()
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        stayed.head(200, end=True)
        assert (await stayer).status == 200
        assert left is not stayed


async def test_an_answer_that_is_not_read_to_its_end(transport: Http2Transport) -> None:
    """aclose() lets go of it, once."""
    async with Http2Upstream() as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        body = slim.body(got)
        assert body.take() == (b"", False)
        await body.aclose()
        await body.aclose()
        assert body.released
        assert body.take() == await body.next() == (b"", True)


async def test_an_answer_can_be_iterated(transport: Http2Transport) -> None:
    """As any httpx response."""
    async with Http2Upstream() as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        assert isinstance(got.stream, httpx.AsyncByteStream)
        assert b"".join([part async for part in got.stream]) == b"hello"


async def test_closing_waits_for_requests_under_way() -> None:
    """Up to the grace time."""
    arrived: asyncio.Queue[Stream] = asyncio.Queue()
    transport = Http2Transport(limits=PoolLimits())
    transport.keep_only([])
    transport.retire()
    async with Http2Upstream(arrived.put) as upstream:
        got = asyncio.create_task(fetch(transport, upstream.url))
        stream = await arrived.get()
        closing = asyncio.create_task(transport.aclose(grace_s=5))
        await asyncio.sleep(0)
        assert not closing.done()
        stream.head(200, end=True)
        assert (await got).status == 200
        await closing
        late = asyncio.create_task(transport.handle_async_request(ask(upstream.url)))
        (await arrived.get()).head(200)
        answer = await late
        await transport.aclose(grace_s=0.01)
        with pytest.raises(httpx.TransportError):
            await read(answer)

    assert transport.stats() == {}


async def test_an_upstream_that_resets_an_upload(transport: Http2Transport) -> None:
    """Its failure, not the gateway's; others on the connection go on."""

    async def handler(stream: Stream) -> None:
        if dict(stream.headers)[b":path"] == b"/":
            stream.head(200, end=True)
        else:
            stream.reset()

    body = Pieces(_parts(*[bytes(50_000), 0.01] * 20))
    async with Http2Upstream(handler) as upstream, asyncio.timeout(30):
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await fetch(
                transport,
                upstream.url,
                method="PUT",
                target=b"/upload",
                headers=[(b"transfer-encoding", b"chunked")],
                body=body,
            )
        assert (await fetch(transport, upstream.url)).status == 200
        assert len(upstream.links) == 1

    assert errors.progress_of(caught.value).wrote
