"""Answers of all shapes, well-formed and not, from a real socket."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors, slim
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import ask, fetch, read
from tests.support.upstreams import Peer, ScriptedUpstream, answering, once, response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport()
    yield transport
    await transport.aclose()


async def test_fields_keep_their_order_their_duplicates_and_their_bytes(transport: Http1Transport) -> None:
    """Names come in lower case, all else as it was sent."""
    fields = [("Set-Cookie", "a=1"), ("X-Odd", "caf\xe9 \t x"), ("Set-Cookie", "b=2"), ("X-Empty", "")]
    lines = "".join(f"{name}:  {value} \r\n" for name, value in fields).encode("latin-1")
    async with once(OK + lines + b"Content-Length: 2\r\n\r\nhi") as upstream:
        fetched = await fetch(transport, upstream.url)

    assert fetched.headers == [
        (b"set-cookie", b"a=1"),
        (b"x-odd", b"caf\xe9 \t x"),
        (b"set-cookie", b"b=2"),
        (b"x-empty", b""),
        (b"content-length", b"2"),
    ]
    assert fetched.body == b"hi"


BODIES = {
    "length": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", b""),
    "chunked": (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
    "chunk extensions": (CHUNKED + b'2;a=b\r\nhe\r\n3;q="x;y"\r\nllo\r\n0;last\r\n\r\n', b"hello"),
    "no reason phrase": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "304 with the length of what it stands for": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        b"",
    ),
    "HTTP/1.0 with keep-alive": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        b"hello",
    ),
}


@pytest.mark.parametrize("in_one_piece", [True, False], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", BODIES)
async def test_a_framed_answer_ends_where_it_says_and_its_connection_is_used_again(
    transport: Http1Transport, name: str, in_one_piece: bool
) -> None:
    """However the bytes are cut, the body is exact and the next request goes out on the same connection."""
    answer, body = BODIES[name]

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await (peer.send(answer) if in_one_piece else peer.drip(answer, pause_s=0))

    async with ScriptedUpstream(script) as upstream:
        first = await fetch(transport, upstream.url)
        second = await fetch(transport, upstream.url)

        assert (first.body, second.body) == (body, body)
        assert (first.reused, second.reused) == (False, True)
        assert upstream.accepted == 1


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
)
async def test_an_answer_without_framing_lasts_until_the_upstream_closes(
    transport: Http1Transport, head: bytes
) -> None:
    """The end of the stream is the end of the body; the connection is gone."""
    async with once(head + b"until the end", then="close") as upstream:
        fetched = await fetch(transport, upstream.url)
        again = await fetch(transport, upstream.url)

        assert fetched.body == again.body == b"until the end"
        assert upstream.accepted == 2


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: Close\r\n"])
async def test_an_answer_that_says_close_is_the_connections_last(
    transport: Http1Transport, head: bytes
) -> None:
    """The connection is closed by us even if the upstream leaves it open."""
    async with once(head + b"Content-Length: 2\r\n\r\nhi") as upstream:
        assert (await fetch(transport, upstream.url)).body == b"hi"
        await upstream.until_open(0)


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (OK + b"Content-Length: 5000\r\n\r\n", True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", True),
        (OK + b"\r\n", True),
        (OK + b"Connection: close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\n\r\n", False),
    ],
)
async def test_the_answer_to_head_has_no_body_whatever_it_announces(
    transport: Http1Transport, head: bytes, kept: bool
) -> None:
    """HEAD ends with the head; a GET on the same connection is read normally again."""
    async with ScriptedUpstream(answering(head, response(b"body"))) as upstream:
        first = await fetch(transport, upstream.url, method="HEAD")
        assert first.body == b""
        assert transport.stats()[upstream.url].idle == kept
        if kept:
            second = await fetch(transport, upstream.url)
            assert (second.body, second.reused) == (b"body", True)


@pytest.mark.parametrize("then", ["close", "reset", "end"])
@pytest.mark.parametrize(
    "part",
    [
        OK + b"Content-Length: 10\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        OK + b"Content-Length: 10\r\n\r\n",
    ],
)
async def test_an_upstream_that_dies_in_the_body_is_never_a_quiet_truncation(
    transport: Http1Transport, part: bytes, then: str
) -> None:
    """Whoever reads the body gets an exception."""
    async with once(part, then=then) as upstream:
        with pytest.raises(errors.BodyBroken):
            await fetch(transport, upstream.url)
        assert transport.stats()[upstream.url].open == 0


async def test_what_came_before_the_break_can_be_read(transport: Http1Transport) -> None:
    """The part of the body that arrived is handed out, then the exception follows."""
    proceed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK + b"Content-Length: 10\r\n\r\nhello")
        await proceed.wait()
        peer.close()

    async with ScriptedUpstream(script) as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        body = slim.body(got)
        proceed.set()
        await upstream.until_open(0)
        received = await body.next()
        with pytest.raises(errors.BodyBroken):
            await body.next()

    assert received == (b"hello", False)
    assert body.released


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 2", OK + b"Content-Le"])
async def test_an_upstream_that_dies_before_its_head_is_complete(
    transport: Http1Transport, part: bytes, then: str
) -> None:
    """On a connection of its own that is the upstream's failure, not a stale connection."""
    async with once(part, then=then) as upstream:
        with pytest.raises(errors.ConnectionLost) as caught:
            await fetch(transport, upstream.url)

    assert errors.progress_of(caught.value).response_started == bool(part)
    assert errors.progress_of(caught.value).wrote


async def test_trailers_are_there_after_the_body(transport: Http1Transport) -> None:
    """Trailers can be asked for once the body has ended; framing fields among them are left out."""
    answer = CHUNKED + b"2\r\nhi\r\n0\r\nX-Sum: 1 \r\nTransfer-Encoding: chunked\r\nx-sum: 2\r\n\r\n"
    async with ScriptedUpstream(answering(answer, response())) as upstream:
        fetched = await fetch(transport, upstream.url)
        await fetch(transport, upstream.url)

    assert fetched.response.extensions["trailers"]() == [(b"x-sum", b"1"), (b"x-sum", b"2")]


async def test_an_answer_without_trailers_has_none(transport: Http1Transport) -> None:
    """The list is empty, before and after."""
    async with ScriptedUpstream(answering(response(b"hi"))) as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        assert got.extensions["trailers"]() == []
        assert (await read(got)).response.extensions["trailers"]() == []


async def test_informational_answers_are_told_in_order(transport: Http1Transport) -> None:
    """103 and 102 reach the listener, 100 does not; then the answer comes."""
    told: list[tuple[int, list[tuple[bytes, bytes]]]] = []
    answer = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nLink: </b.css>\r\n\r\n"
        b"HTTP/1.1 102 Processing\r\nContent-Length: 9\r\n\r\n" + response(b"hi", headers=[("X-A", "1")])
    )

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.drip(answer, pause_s=0)
        await peer.request()
        await peer.send(answer)

    async with ScriptedUpstream(script) as upstream:
        dripped = await fetch(
            transport, upstream.url, on_informational=lambda status, headers: told.append((status, headers))
        )
        ignored = await fetch(transport, upstream.url)

    assert told == [
        (103, [(b"link", b"</a.css>"), (b"link", b"</b.css>")]),
        (102, [(b"content-length", b"9")]),
    ]
    assert dripped.status == ignored.status == 200
    assert dripped.headers == [(b"x-a", b"1"), (b"content-length", b"2")]


async def test_a_listener_that_fails_ends_the_request(transport: Http1Transport) -> None:
    """Its exception reaches the caller, and nothing leaks."""

    def listener(status: int, headers: object) -> None:
        raise LookupError(status)

    async with once(b"HTTP/1.1 103 Early Hints\r\n\r\n") as upstream:
        with pytest.raises(LookupError):
            await fetch(transport, upstream.url, on_informational=listener)
        await upstream.until_open(0)


async def test_a_large_answer_waits_in_the_kernel_while_nobody_reads(transport: Http1Transport) -> None:
    """An upstream that sends faster than the client reads is held back; every byte arrives in the end."""
    size = 40_000_000
    block = bytes(range(256)) * 4096
    progress = 0

    async def script(peer: Peer) -> None:
        nonlocal progress
        await peer.request()
        await peer.send(OK + f"Content-Length: {size}\r\n\r\n".encode())
        while progress < size:
            piece = block[: size - progress]
            await peer.send(piece)
            progress += len(piece)
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        got = await transport.handle_async_request(ask(upstream.url))
        body = slim.body(got)
        assert await _settled(lambda: progress) < size / 2
        received = 0
        data, done = body.take()
        while True:
            received += len(data)
            assert len(data) < 2_000_000
            if done:
                break
            data, done = await body.next()

    assert received == size


async def _settled(figure) -> int:  # type: ignore[no-untyped-def]
    """The figure once it has stood still for a while."""
    before = -1
    while (now := figure()) != before:
        before = now
        await asyncio.sleep(0.2)
    return now


async def test_httpx_can_be_driven_on_top(transport: Http1Transport) -> None:
    """It is an httpx transport: an AsyncClient works with it."""
    async with (
        ScriptedUpstream(
            answering(response(b'{"a": 1}', headers=[("Content-Type", "application/json")]))
        ) as upstream,
        httpx.AsyncClient(transport=transport, trust_env=False) as client,
    ):
        got = await client.post(upstream.url + "/x?y=1", json={"b": 2})

    assert got.json() == {"a": 1}
    assert got.headers["Content-Type"] == "application/json"
    assert upstream.peers[0].number == 0
