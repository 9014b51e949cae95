"""Bodies and framing through the whole data plane, on real sockets, in both directions."""

import asyncio
import json

import pytest

from tests.support.gateway import RawClient, data_plane, document, route
from tests.support.recording import Recording, proxied
from tests.support.upstreams import Peer, ScriptedUpstream, response


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
async def test_bodies_arrive_with_their_length(method: str) -> None:
    """A small body travels as it came, whatever the method."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        await client.get("/x", method=method, body=b"\x00\xffabc")

    assert recording.last.method == method
    assert recording.last.body == b"\x00\xffabc"
    assert recording.last.values("content-length") == [b"5"]
    assert recording.last.values("transfer-encoding") == []


async def test_an_empty_post_keeps_its_zero_length() -> None:
    """`Content-Length: 0` is a statement, not an absence."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        await client.get("/x", "Content-Length: 0", method="POST")

    assert recording.last.values("content-length") == [b"0"]


async def test_a_chunked_body_is_streamed_on() -> None:
    """A body of unknown length stays one."""
    recording = Recording()
    async with proxied(recording) as (_plane, client):
        head = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        await client.send(head + b"5\r\nhello\r\n")
        await client.send(b"6\r\n world\r\n0\r\n\r\n")
        answer = await client.answer()

    assert answer.status == 200
    assert recording.last.body == b"hello world"


async def test_continue_is_sent_only_when_the_body_is_wanted() -> None:
    """Expect: 100-continue is answered by the gateway once the route takes the request."""
    recording = Recording()
    async with proxied(recording, limits={"max_body": "4B"}) as (_plane, client):
        await client.send(b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        interim = await client.head()
        await client.send(b"abc")
        answer = await client.answer()

    assert interim.status == 100
    assert answer.status == 200
    assert recording.last.values("expect") == []


async def test_a_client_that_is_slow_to_send_takes_none_of_the_upstreams_time() -> None:
    """The time limit for an answer runs from the complete request on, so 504 is never the client's doing."""
    recording = Recording()
    async with proxied(recording, timeout="500ms") as (_plane, client):
        await client.send(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n")
        await asyncio.sleep(0.7)
        await client.send(b"hello")
        answer = await client.answer()

    assert answer.status == 200
    assert recording.last.body == b"hello"


async def test_a_body_that_is_too_large_is_refused_before_it_is_sent() -> None:
    """413 by the declared length: no 100 Continue, nothing goes upstream."""
    recording = Recording()
    async with proxied(recording, limits={"max_body": "4B"}) as (_plane, client):
        await client.send(b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        answer = await client.answer()

    assert answer.status == 413
    assert answer.interim == []
    assert json.loads(answer.body)["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert recording.requests == []


async def test_a_chunked_body_that_grows_too_large_is_cut() -> None:
    """Without a declared length the limit holds while reading; the upstream never sees a complete request."""
    seen: list[bytes] = []

    async def upstream_script(peer: Peer) -> None:
        await peer.head()
        seen.append(await peer.until_closed())

    async with ScriptedUpstream(upstream_script) as upstream:
        raw = document(route(service="s", limits={"max_body": "10B"}), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.send(
                b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            )
            await upstream.until_open(1)
            await client.send(b"6\r\n-world\r\n")
            answer = await client.answer()
            await upstream.until_open(0)

    assert answer.status == 413
    assert not seen[0].endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("raw_answer", "method"),
    [
        (b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n", "GET"),
        (b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 100\r\n\r\n', "GET"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "HEAD"),
    ],
)
async def test_answers_without_a_body_stay_so(raw_answer: bytes, method: str) -> None:
    """HEAD, 204 and 304 have none, whatever they say of its length; the connection goes on."""
    async with proxied(Recording(raw_answer)) as (_plane, client):
        first = await client.get("/x", method=method)
        second = await client.get("/x", method=method)

    assert first.status == second.status
    assert first.body == b""
    if method == "HEAD":
        assert first.header("content-length") == "100"


async def test_an_answer_without_a_length_is_chunked() -> None:
    """An upstream that ends its answer by closing does not cost the client its connection."""

    async def until_close(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\npart one, ")
        await peer.send(b"part two")
        peer.close()

    async with ScriptedUpstream(until_close) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            first = await client.get("/x")
            second = await client.get("/x")

    assert first.header("transfer-encoding") == "chunked"
    assert first.body == second.body == b"part one, part two"


async def test_interim_answers_are_passed_on() -> None:
    """A proxy must forward 1xx (RFC 9110 section 15.2)."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    async with proxied(Recording(hints + response(b"done"))) as (_plane, client):
        answer = await client.get("/x")

    assert [(interim.status, interim.header("link")) for interim in answer.interim] == [
        (103, "</a.css>; rel=preload")
    ]
    assert answer.body == b"done"


async def test_interim_answers_are_cleaned_as_final_ones_are() -> None:
    """What belongs to the upstream's hop, and what the route removes, is not told by a 103 either."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nKeep-Alive: timeout=5\r\nServer: secret\r\n\r\n"
    recording = Recording(hints + response(b"done"))
    async with proxied(recording, response_headers={"remove": ["server"]}) as (_plane, client):
        answer = await client.get("/x")

    assert [interim.headers for interim in answer.interim] == [[("link", "</a.css>")]]


async def test_trailers_are_passed_on() -> None:
    """Fields after a chunked body reach a client that can take them."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    chunked = head + b"3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n"
    recording = Recording(chunked)
    async with proxied(recording) as (_plane, client):
        answer = await client.get("/x", "TE: trailers", "Connection: TE")

    assert answer.body == b"abc"
    assert answer.trailers == [("x-sum", "6")]
    assert recording.last.values("te") == [b"trailers"]


async def test_the_first_bytes_are_not_held_back() -> None:
    """A chunk is at the client before the upstream has sent the next."""
    received: list[bytes] = []

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await peer.reader.read(1)  # until the client has gone
        peer.close()

    async with ScriptedUpstream(slow) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane:
            async with RawClient(plane.port) as client:
                await client.send(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
                head = await client.head()
                size = int(await client.reader.readline(), 16)
                received.append(await client.reader.readexactly(size))
            await upstream.until_open(0)

    assert head.status == 200
    assert received == [b"data: 1\n\n"]
