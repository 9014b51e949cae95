"""What goes out to an upstream, byte for byte, and bodies that are sent while they come in."""

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


class Recorder:
    """A script that keeps what it was sent."""

    def __init__(self) -> None:
        self.received = bytearray()

    async def __call__(self, peer: Peer) -> None:
        while data := await peer.reader.read(65536):
            self.received += data
            if self.received.endswith((b"\r\n\r\n", b"end")):
                await peer.send(response())


async def test_a_request_is_sent_as_it_was_given(transport: Http1Transport) -> None:
    """Target, order, duplicates and odd bytes are kept; nothing is added."""
    recorder = Recorder()
    async with ScriptedUpstream(recorder) as upstream:
        await fetch(
            transport,
            upstream.url,
            method="PROPFIND",
            target=b"/a%2Fb//c/../d?x=1&x=%zz&\xe9",
            headers=[(b"x-a", b"1"), (b"X-B", b"caf\xe9"), (b"x-a", b""), (b"cookie", b'a="b c"; d=\t')],
        )

    assert bytes(recorder.received) == (
        b"PROPFIND /a%2Fb//c/../d?x=1&x=%zz&\xe9 HTTP/1.1\r\n"
        b"host: upstream.test\r\n"
        b"x-a: 1\r\nX-B: caf\xe9\r\nx-a: \r\n"
        b'cookie: a="b c"; d=\t\r\n'
        b"\r\n"
    )


async def test_the_url_is_the_target_when_none_is_given(transport: Http1Transport) -> None:
    """Without the extension the path and query of the URL are sent, as any httpx transport does."""
    recorder = Recorder()
    async with ScriptedUpstream(recorder) as upstream:
        request = httpx.Request("GET", upstream.url + "/a%20b?c=d")
        await read(await transport.handle_async_request(request))

    assert recorder.received.startswith(b"GET /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize("target", [b"*", b"http://a.test/b", b"a.test:443"])
async def test_all_four_forms_of_targets_can_be_sent(transport: Http1Transport, target: bytes) -> None:
    """RFC 9112 section 3.2: asterisk, absolute and authority form go out as they are."""
    recorder = Recorder()
    async with ScriptedUpstream(recorder) as upstream:
        await fetch(transport, upstream.url, method="OPTIONS", target=target)

    assert recorder.received.startswith(b"OPTIONS %b HTTP/1.1\r\n" % target)


async def test_a_body_in_memory_goes_out_with_its_head(transport: Http1Transport) -> None:
    """With Content-Length as it is, with Transfer-Encoding as one chunk."""
    async with ScriptedUpstream(answering(response())) as upstream, ScriptedUpstream(Recorder()) as plain:
        for headers in [((b"content-length", b"4"),), CHUNKED]:
            assert (
                await fetch(transport, upstream.url, method="POST", headers=headers, body=b"data")
            ).status == 200
        recorder = plain._script
        assert isinstance(recorder, Recorder)
        await fetch(transport, plain.url, method="POST", headers=CHUNKED, body=b"")
        await fetch(transport, plain.url, method="POST", headers=[(b"content-length", b"0")])
        await fetch(transport, plain.url, method="POST", headers=CHUNKED, body=b"0123456789abcdef")

    assert bytes(recorder.received).split(b"POST / HTTP/1.1\r\nhost: upstream.test\r\n")[1:] == [
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length: 0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
    ]


ILLEGAL = {
    "line break in a value": {"headers": [(b"x-a", b"1\r\nx-b: 2")]},
    "LF in a value": {"headers": [(b"x-a", b"1\nx-b: 2")]},
    "CR in a value": {"headers": [(b"x-a", b"1\r")]},
    "NUL in a value": {"headers": [(b"x-a", b"\0")]},
    "control byte in a value": {"headers": [(b"x-a", b"\x1b[1m")]},
    "DEL in a value": {"headers": [(b"x-a", b"\x7f")]},
    "space in a name": {"headers": [(b"x a", b"1")]},
    "colon in a name": {"headers": [(b"x-a:b", b"1")]},
    "empty name": {"headers": [(b"", b"1")]},
    "line break in a name": {"headers": [(b"x-a\r\nx-b", b"1")]},
    "high byte in a name": {"headers": [(b"x-\xe9", b"1")]},
    "space in the target": {"target": b"/a b"},
    "tab in the target": {"target": b"/a\tb"},
    "line break in the target": {"target": b"/a\r\nx: y"},
    "no method": {"method": ""},
    "space in the method": {"method": "GET /x"},
    "high character in the method": {"method": "GÉT"},
    "line break in the method": {"method": "GET\r\n"},
    "two lengths": {"headers": [(b"content-length", b"0"), (b"Content-Length", b"0")]},
    "length and chunks": {"headers": [(b"content-length", b"0"), *CHUNKED]},
    "chunks and length": {"headers": [*CHUNKED, (b"content-length", b"0")]},
    "another transfer coding": {"headers": [(b"transfer-encoding", b"gzip, chunked")]},
    "no number": {"headers": [(b"content-length", b"+1")], "body": b"1"},
    "an endless number": {"headers": [(b"content-length", b"9" * 19)], "body": b"1"},
    "body longer than announced": {"headers": [(b"content-length", b"1")], "body": b"12"},
    "body shorter than announced": {"headers": [(b"content-length", b"3")], "body": b"12"},
    "body missing": {"headers": [(b"content-length", b"3")]},
    "body not announced": {"body": b"12"},
}


@pytest.mark.parametrize("name", ILLEGAL)
async def test_what_could_be_read_as_two_requests_is_not_sent(transport: Http1Transport, name: str) -> None:
    """The request is refused before a connection is even opened."""
    async with ScriptedUpstream(answering(response())) as upstream:
        with pytest.raises(httpx.LocalProtocolError) as caught:
            await fetch(transport, upstream.url, **ILLEGAL[name])
        assert upstream.accepted == 0

    assert errors.progress_of(caught.value) == errors.NOTHING_SENT
    assert caught.value.request is not None


# Streamed bodies


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
                timeout={"read": 0.3},
            )
        )
        await asyncio.sleep(0.5)  # longer than the read timeout, which must not run yet
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
    loop.call_later(0.4, sent.set)

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
            deadline=loop.time() + 0.2,
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
        assert 0.15 < loop.time() - began < 1
        answers.set()
