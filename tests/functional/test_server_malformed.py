"""Malformed, ambiguous and oversized requests: refused by the server, never seen by the application."""

import json

import pytest

from tests.support.wire import served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

HEADS = {
    "host missing": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "host twice": (GET + b"Host: a\r\n\r\n", 400),
    "host with userinfo": (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    "host with space": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "host with path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "host with bad port": (b"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400),
    "length and chunked": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "unknown coding and length": (POST + b"Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\nabc", 400),
    "lengths differ": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "lengths repeated": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "length list": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "length with plus": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "length negative": (POST + b"Content-Length: -3\r\n\r\nabc", 400),
    "length hexadecimal": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "length empty": (POST + b"Content-Length:\r\n\r\n", 400),
    "length overflow": (POST + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
    "coding twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding misspelt": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "coding identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", 400),
    "coding not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "coding repeated in list": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "coding with vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "coding with quotes": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400),
    "coding unknown": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "coding in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "space before colon": (GET + b"Foo : b\r\n\r\n", 400),
    "space before length's colon": (POST + b"Content-Length : 3\r\n\r\nabc", 400),
    "space in name": (GET + b"Fo o: b\r\n\r\n", 400),
    "tab in name": (GET + b"Fo\to: b\r\n\r\n", 400),
    "bracket in name": (GET + b"Fo(o: b\r\n\r\n", 400),
    "byte above 127 in name": (GET + b"F\xc3\xb6: b\r\n\r\n", 400),
    "empty name": (GET + b": b\r\n\r\n", 400),
    "no colon": (GET + b"Foo\r\n\r\n", 400),
    "line folding": (GET + b"Foo: b\r\n c\r\n\r\n", 400),
    "line folding with tab": (GET + b"Foo: b\r\n\tc\r\n\r\n", 400),
    "space before first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "line feed after request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "line feed after field": (GET + b"Foo: b\n\r\n", 400),
    "line feed at end": (GET + b"\n", 400),
    "carriage return in value": (GET + b"Foo: b\rc\r\n\r\n", 400),
    "NUL in value": (GET + b"Foo: b\0c\r\n\r\n", 400),
    "control byte in value": (GET + b"Foo: b\x01c\r\n\r\n", 400),
    "DEL in value": (GET + b"Foo: b\x7fc\r\n\r\n", 400),
    "control byte in target": (b"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "DEL in target": (b"GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space in target": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "tab in target": (b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "byte above 127 in target": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "relative target": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "asterisk without OPTIONS": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "absolute form, other scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "absolute form with userinfo": (b"GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "CONNECT": (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 400),
    "unknown method": (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "method in small letters": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another protocol": (b"SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "other expectation": (POST + b"Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", 417),
    "long target": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "large field": (GET + b"Foo: " + b"b" * 70_000 + b"\r\n\r\n", 431),
    "large head": (GET + b"".join(b"F%d: %b\r\n" % (n, b"b" * 1000) for n in range(70)) + b"\r\n", 431),
    "endless field": (GET + b"Foo: " + b"b" * 400_000, 431),
    "many fields": (GET + b"".join(b"F%d: b\r\n" % n for n in range(200)) + b"\r\n", 431),
    "WebSocket with a body": (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc", 400,
    ),
    "head cut short": (GET + b"Foo: b", 400),
}  # fmt: skip

BODIES = {
    "chunk size missing": b"\r\nabc\r\n0\r\n\r\n",
    "chunk size negative": b"-3\r\nabc\r\n0\r\n\r\n",
    "chunk size hexadecimal prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size with space": b"3 \r\nabc\r\n0\r\n\r\n",
    "chunk size overflow": b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "line feed after chunk size": b"3\nabc\r\n0\r\n\r\n",
    "line feed in chunk extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "line feed after chunk": b"3\r\nabc\n0\r\n\r\n",
    "line feed in trailers": b"3\r\nabc\r\n0\r\nT: 1\n\r\n",
    "many trailers": b"0\r\n" + b"T: 1\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize(("data", "status"), HEADS.values(), ids=HEADS)
async def test_bad_head_is_refused(data: bytes, status: int) -> None:
    """The client reads the status and the error envelope, then the end; the application is not called."""
    async with served() as server:
        received = await server.exchange(data, eof=data == HEADS["head cut short"][0])

    head, _, body = received.partition(b"\r\n\r\n")
    envelope = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in head
    assert envelope["error"]["code"] in {"INVALID_REQUEST", "HEADERS_TOO_LARGE", "URI_TOO_LONG"}
    assert envelope["error"]["message"]
    assert envelope["request_id"].encode() in head
    assert envelope["timestamp"].endswith("Z")
    assert server.app.scopes == []


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_bad_chunks_are_refused(body: bytes) -> None:
    """A body whose chunks are wrong from the first packet on does not reach the application either."""
    async with served() as server:
        received = await server.exchange(CHUNKED + body)

    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
    assert received.count(b"HTTP/1.1 ") == 1
    assert server.app.scopes == []


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_split_arrival_changes_nothing(size: int) -> None:
    """Refusals do not depend on how the bytes are cut into packets."""
    data = HEADS["length and chunked"][0]
    async with served() as server, server.client() as wire:
        for start in range(0, len(data), size):
            wire.writer.write(data[start : start + size])
            await wire.writer.drain()
        reply = await wire.reply()

    assert reply.status == 400
    assert server.app.scopes == []


async def test_bad_chunk_ends_request_in_progress() -> None:
    """The application that already reads the body is cancelled, and the client told."""
    async with served() as server, server.client() as wire:
        await wire.send(CHUNKED + b"3\r\nabc\r\n")
        await wire.send(b"zz\r\n")
        reply = await wire.reply()

    assert reply.status == 400


async def test_earlier_answers_come_before_refusal() -> None:
    """Requests before the bad one are answered in order, then the refusal, then the end."""
    async with served() as server:
        received = await server.exchange((GET + b"\r\n") * 3 + b"garbage\r\n\r\n" + GET + b"\r\n")

    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"200", b"400"]
    assert len(server.app.scopes) == 3


async def test_sane_request_id_is_repeated() -> None:
    """The client's own X-Request-ID names the refusal, if it came before what was wrong."""
    async with served() as server, server.client() as wire:
        await wire.send(b"GET / HTTP/1.1\r\nX-Request-ID: abc-1\r\nHost: a\r\nHost: b\r\n\r\n")
        reply = await wire.reply()

    assert reply.header("x-request-id") == "abc-1"
    assert json.loads(reply.body)["request_id"] == "abc-1"


async def test_chunk_extensions_are_bounded() -> None:
    """A client that sends chunk extensions instead of a body is refused."""
    async with served(max_head_bytes=8192) as server:
        received = await server.exchange(CHUNKED + b"1;" + b"a" * 500_000)

    assert received.startswith(b"HTTP/1.1 400 ")


async def test_trailers_are_bounded() -> None:
    """A trailer field that never ends is refused."""
    async with served(max_head_bytes=8192) as server:
        received = await server.exchange(CHUNKED + b"0\r\nT: " + b"a" * 500_000)

    assert received.startswith(b"HTTP/1.1 400 ")
