"""Request bodies that are sent while they come in, at the pace of whoever is slower."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors, slim
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import Pieces, ask, fetch, read
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response

CHUNKED = ((b"transfer-encoding", b"chunked"),)


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport()
    yield transport
    await transport.aclose()


async def pieces(*parts: bytes | Exception | asyncio.Event) -> AsyncIterator[bytes]:
    """Bytes are yielded, events awaited, exceptions raised."""
    for part in parts:
        if isinstance(part, asyncio.Event):
            await part.wait()
        elif isinstance(part, Exception):
            raise part
        else:
            yield part


@pytest.mark.parametrize("headers", [((b"content-length", b"9"),), CHUNKED])
async def test_a_streamed_body_arrives_whole(
    transport: Http1Transport, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """In either framing, empty pieces left out, and the connection is kept."""
    received: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            received.append((await peer.request()).body)
            await peer.send(response())

    async with ScriptedUpstream(script) as upstream:
        for _ in range(2):
            body = Pieces(pieces(b"one", b"", b"two", b"six"))
            await fetch(transport, upstream.url, method="PUT", headers=headers, body=body)
        assert upstream.accepted == 1

    assert received == [b"onetwosix", b"onetwosix"]


async def test_a_stream_of_nothing_is_an_empty_body(transport: Http1Transport) -> None:
    """Neither framing field and no bytes: the request has no body."""
    async with ScriptedUpstream(answering(response())) as upstream:
        first = await fetch(transport, upstream.url, body=Pieces(pieces()))
        second = await fetch(transport, upstream.url, headers=CHUNKED, body=Pieces(pieces(b"")))

    assert (first.status, second.status, second.reused) == (200, 200, True)


async def test_a_plain_iterator_will_do(transport: Http1Transport) -> None:
    """The stream need not be a generator."""

    class Countdown:
        left = 3

        def __aiter__(self) -> "Countdown":
            return self

        async def __anext__(self) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return b"x"

    async with ScriptedUpstream(answering(response())) as upstream:
        body = Pieces(Countdown())
        fetched = await fetch(transport, upstream.url, headers=[(b"content-length", b"3")], body=body)

    assert fetched.status == 200


@pytest.mark.parametrize(("length", "parts"), [(b"2", (b"one",)), (b"9", (b"one", b"two"))])
async def test_a_stream_of_another_length_than_announced_breaks_off(
    transport: Http1Transport, length: bytes, parts: tuple[bytes, ...]
) -> None:
    """Not a byte too many is written, and a body that is too short is not completed by anything else."""
    sent = bytearray()

    async def script(peer: Peer) -> None:
        await peer.head()
        sent.extend(await peer.until_closed())

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(httpx.LocalProtocolError):
            await fetch(
                transport, upstream.url, headers=[(b"content-length", length)], body=Pieces(pieces(*parts))
            )
        await upstream.until_open(0)

    assert len(sent) <= int(length)


async def test_a_stream_that_fails_is_the_callers_failure(transport: Http1Transport) -> None:
    """The upstream sees a broken request, the caller its own exception as cause; nothing leaks."""
    trouble = LookupError("the client left")
    tail = bytearray()

    async def script(peer: Peer) -> None:
        await peer.head()
        tail.extend(await peer.until_closed())

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.RequestBodyFailed) as caught:
            await fetch(transport, upstream.url, headers=CHUNKED, body=Pieces(pieces(b"part", trouble)))
        await upstream.until_open(0)
        assert transport.stats()[upstream.url].open == 0

    assert caught.value.__cause__ is trouble
    assert errors.progress_of(caught.value).wrote
    assert not tail.endswith(b"0\r\n\r\n")


async def test_a_stream_that_fails_in_httpx_terms_is_not_wrapped(transport: Http1Transport) -> None:
    """A transport error of the stream's own is raised as it is."""
    async with ScriptedUpstream(answering(response())) as upstream:
        with pytest.raises(httpx.WriteError, match="gone"):
            await fetch(
                transport, upstream.url, headers=CHUNKED, body=Pieces(pieces(httpx.WriteError("gone")))
            )


async def test_an_early_answer_ends_the_upload(transport: Http1Transport) -> None:
    """An upstream that answers 413 is heard at once; the rest of the body is not sent and the stream let go."""
    never = asyncio.Event()
    let_go = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await never.wait()
        finally:
            let_go.set()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(response(b"too large", status="413 Content Too Large"))
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        fetched = await fetch(transport, upstream.url, headers=CHUNKED, body=Pieces(endless()))
        assert let_go.is_set()
        await upstream.until_open(0)

    assert (fetched.status, fetched.body) == (413, b"too large")
    assert transport.stats()[upstream.url].open == 0


async def test_request_and_answer_may_stream_at_the_same_time(transport: Http1Transport) -> None:
    """An upstream that answers piece by piece as the request comes in is proxied so; then the connection is kept."""
    echoed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        async for part in peer._chunks():
            await peer.send(b"%x\r\n%b\r\n" % (len(part), part))
        await peer.send(b"0\r\n\r\n")
        await peer.request()
        await peer.send(response(b"again"))

    async with ScriptedUpstream(script) as upstream:
        body = Pieces(pieces(b"one", echoed, b"two"))
        got = await transport.handle_async_request(ask(upstream.url, headers=CHUNKED, body=body))
        first = await slim.body(got).next()
        echoed.set()
        rest = await read(got)
        again = await fetch(transport, upstream.url)

    assert (first, rest.body, again.body, again.reused) == ((b"one", False), b"two", b"again", True)


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_upload_waits_for_a_slow_upstream(transport: Http1Transport, streamed: bool) -> None:
    """While the upstream does not read, the client's body is not drawn in: memory stays bounded."""
    piece, count = b"x" * 65536, 300
    drawn = 0
    go = asyncio.Event()

    async def many() -> AsyncIterator[bytes]:
        nonlocal drawn
        for _ in range(count):
            drawn += 1
            yield piece

    async def script(peer: Peer) -> None:
        await peer.head()
        await go.wait()
        await peer.reader.readexactly(len(piece) * count)
        await peer.send(response())
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        body = Pieces(many()) if streamed else piece * count
        length = b"%d" % (len(piece) * count)
        task = asyncio.create_task(
            fetch(
                transport,
                upstream.url,
                headers=[(b"content-length", length)],
                body=body,
                timeout={"read": 0.5},
            )
        )
        await asyncio.sleep(0.7)  # longer than the read timeout, which must not run yet
        assert drawn < count / 2
        go.set()
        assert (await task).status == 200

        assert transport.stats()[upstream.url].idle == 1


async def test_an_upstream_that_takes_nothing_times_out(transport: Http1Transport) -> None:
    """The write timeout counts from the last progress."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await asyncio.Event().wait()

    async with ScriptedUpstream(script) as upstream:
        for body in (b"x" * 20_000_000, Pieces(pieces(*[b"x" * 1_000_000] * 20))):
            with pytest.raises(httpx.WriteTimeout):
                await fetch(
                    transport,
                    upstream.url,
                    headers=[(b"content-length", b"20000000")],
                    body=body,
                    timeout={"write": 0.1},
                )
        assert transport.stats()[upstream.url].open == 0


async def test_an_upstream_that_takes_little_by_little_does_not(transport: Http1Transport) -> None:
    """Progress, however slow, is no timeout."""
    size = 12_000_000

    async def script(peer: Peer) -> None:
        await peer.head()
        taken = 0
        while taken < size:
            taken += len(await peer.reader.read(1_000_000))
            await asyncio.sleep(0.004)
        await peer.send(response())

    async with ScriptedUpstream(script) as upstream:
        fetched = await fetch(
            transport,
            upstream.url,
            headers=[(b"content-length", b"%d" % size)],
            body=b"x" * size,
            timeout={"write": 0.2},
        )

    assert fetched.status == 200


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_an_upstream_that_dies_during_the_upload(transport: Http1Transport, then: str) -> None:
    """The caller is told, its stream let go."""
    let_go = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0)
        finally:
            let_go.set()

    async def script(peer: Peer) -> None:
        await peer.head()
        getattr(peer, then)()

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.ConnectionLost):
            await fetch(transport, upstream.url, headers=CHUNKED, body=Pieces(endless()))

    assert let_go.is_set()


async def test_the_deadline_stands_still_while_the_body_is_sent(transport: Http1Transport) -> None:
    """A slow client may take longer than the whole deadline; the upstream then has what was left of it."""
    loop = asyncio.get_running_loop()
    sent = asyncio.Event()
    answers = asyncio.Event()
    loop.call_later(1.2, sent.set)

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.send(response())
        await answers.wait()

    async with ScriptedUpstream(script) as upstream:
        fetched = await fetch(
            transport,
            upstream.url,
            headers=CHUNKED,
            body=Pieces(pieces(b"a", sent)),
            deadline=loop.time() + 1.0,
        )
        assert fetched.status == 200
        began = loop.time()
        with pytest.raises(errors.DeadlineExceeded):
            await fetch(
                transport,
                upstream.url,
                headers=CHUNKED,
                body=Pieces(pieces(b"a", b"b")),
                deadline=loop.time() + 0.2,
                fresh=True,
            )
        assert 0.15 < loop.time() - began < 5, "its own 0.2 s, and no other timeout"
        answers.set()
