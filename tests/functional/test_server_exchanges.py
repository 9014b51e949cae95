"""Well-formed requests of every shape, and what the application may answer."""

import asyncio
from typing import Any

import pytest

from tests.support.wire import answer, echo, served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


async def test_scope_carries_the_bytes_that_came() -> None:
    """The path as sent, the query, lower-case names, trimmed values, the client's address."""
    async with served() as server, server.client() as wire:
        await wire.send(
            b"GET /a%20b/%2F?q=%20x HTTP/1.1\r\nHost: a\r\nX-Multi: 1 \t\r\nX-Multi: 2\r\nA:\r\n\r\n"
        )
        await wire.reply()
        address = wire.writer.get_extra_info("sockname")
    [scope] = server.app.scopes

    assert scope["raw_path"] == b"/a%20b/%2F"
    assert scope["path"] == "/a b//"
    assert scope["query_string"] == b"q=%20x"
    assert scope["headers"] == [(b"host", b"a"), (b"x-multi", b"1"), (b"x-multi", b"2"), (b"a", b"")]
    assert scope["client"] == address[:2]
    assert (scope["method"], scope["scheme"], scope["http_version"]) == ("GET", "http", "1.1")


async def test_no_header_is_added() -> None:
    """What the application says is all that the client gets."""
    async with served() as server, server.client() as wire:
        await wire.send(GET)
        reply = await wire.reply()

    assert reply.headers == [("content-length", "0")]


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        (b"http://b.test/x?y=1", b"b.test", b"/x", b"y=1"),
        (b"http://b.test", b"b.test", b"/", b""),
        (b"https://b.test:81/", b"b.test:81", b"/", b""),
        (b"http://[::1]:81/x", b"[::1]:81", b"/x", b""),
    ],
)
async def test_absolute_form_names_the_host(target: bytes, host: bytes, path: bytes, query: bytes) -> None:
    """RFC 9112 section 3.2.2: the target's authority replaces the Host field."""
    async with served() as server, server.client() as wire:
        await wire.send(b"GET %b HTTP/1.1\r\nAccept: */*\r\nHost: a\r\n\r\n" % target)
        await wire.reply()
    [scope] = server.app.scopes

    assert scope["headers"] == [(b"host", host), (b"accept", b"*/*")]
    assert (scope["raw_path"], scope["query_string"]) == (path, query)


async def test_asterisk_form() -> None:
    """OPTIONS may ask about the server as a whole."""
    async with served() as server, server.client() as wire:
        await wire.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        await wire.reply()

    assert server.app.scopes[0]["raw_path"] == b"*"


async def test_small_body_is_one_message() -> None:
    """A body that came whole is given whole, and no more is promised."""
    messages: list[dict[str, Any]] = []

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        messages.append(await receive())
        await answer(send)

    async with served(handler) as server, server.client() as wire:
        await wire.send(POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000)
        await wire.reply()

    assert messages == [{"type": "http.request", "body": b"x" * 1000, "more_body": False}]


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
async def test_bodies_arrive_whole(size: int) -> None:
    """By length and in chunks, on one connection."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1000], body[1000:]) if part)
    async with served() as server, server.client() as wire:
        sending = asyncio.create_task(wire.send(POST + b"Content-Length: %d\r\n\r\n" % size + body))
        by_length = await wire.reply()
        await sending
        sending = asyncio.create_task(
            wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nT: 1\r\n\r\n")
        )
        in_chunks = await wire.reply()
        await sending

    assert by_length.body == body
    assert in_chunks.body == body
    assert all(name != b"t" for name, _ in server.app.scopes[1]["headers"])


async def test_continue_only_when_wanted() -> None:
    """100 is sent when the application first asks for the body (RFC 9110 section 10.1.1)."""
    asked = asyncio.Event()

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await asked.wait()
        await echo(scope, receive, send)

    async with served(handler) as server, server.client() as wire:
        await wire.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.reader.read(1)
        asked.set()
        assert (await wire.head()).status == 100
        await wire.send(b"abc")
        reply = await wire.reply()

    assert (reply.status, reply.body) == (200, b"abc")


async def test_no_continue_before_a_final_answer() -> None:
    """An application that does not want the body ends the connection with its answer."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, b"no", status=403)

    async with served(handler) as server:
        received = await server.exchange(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close" in received


async def test_unwanted_small_body_keeps_the_connection() -> None:
    """What is left of it is thrown away, and the next request is read behind it."""
    answered = asyncio.Event()

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send)
        answered.set()

    async with served(handler) as server, server.client() as wire:
        await wire.send(POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 10)
        assert (await wire.reply()).header("connection") is None
        await answered.wait()
        await wire.send(b"x" * 990 + GET)
        assert (await wire.reply()).status == 200

    assert [scope["method"] for scope in server.app.scopes] == ["POST", "GET"]


async def test_unwanted_large_body_ends_the_connection() -> None:
    """The client reads the whole answer though it is still sending: no reset destroys it."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, b"n" * 100_000, status=403)

    async with served(handler) as server, server.client() as wire:
        sending = asyncio.create_task(
            wire.send(POST + b"Content-Length: 50000000\r\n\r\n" + b"x" * 2_000_000)
        )
        reply = await wire.reply()
        await sending

    assert reply.header("connection") == "close"
    assert len(reply.body) == 100_000


@pytest.mark.parametrize("count", [2, 40, 3000])
async def test_pipelined_requests_are_answered_in_order(count: int) -> None:
    """However many come in one piece; few of them wait in memory at a time."""
    waiting = []

    async def handler(scope: Any, _receive: Any, send: Any) -> None:
        waiting.append(max(len(connection.queue) for connection in server.server.server_state.connections))
        await asyncio.sleep(0)
        await answer(send, scope["raw_path"])

    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(count))
    async with served(handler) as server, server.client() as wire:
        sending = asyncio.create_task(wire.send(requests))
        bodies = [(await wire.reply()).body for _ in range(count)]
        await sending

    assert bodies == [b"/%d" % number for number in range(count)]
    assert max(waiting) < 200


async def test_pipelined_bodies() -> None:
    """A body that arrives after its request was queued still reaches it."""
    async with served() as server, server.client() as wire:
        await wire.send(GET + POST + b"Content-Length: 6\r\n\r\nabc")
        assert (await wire.reply()).body == b""
        await wire.send(b"def" + GET)
        assert (await wire.reply()).body == b"abcdef"
        assert (await wire.reply()).body == b""


async def test_http_1_0() -> None:
    """Without a length the body ends with the connection; nothing is chunked, nothing interim is sent."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.informational", "status": 103, "headers": []})
        await answer(send, b"abc", headers=[])

    async with served(handler) as server:
        received = await server.exchange(b"GET / HTTP/1.0\r\n\r\n")

    assert received == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc"
    assert server.app.scopes[0]["http_version"] == "1.0"


async def test_nothing_follows_connection_close() -> None:
    """A request behind one that said close is not one."""
    async with served() as server:
        received = await server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET)

    assert received.count(b"HTTP/1.1 ") == 1
    assert len(server.app.scopes) == 1


@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Content-Length: 3\r\n", b"abc"), (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n")],
)
async def test_upgrade_that_we_do_not_do(framing: bytes, body: bytes) -> None:
    """RFC 9110 section 7.8: the Upgrade is ignored; the body is read, and the next request behind it."""
    async with served() as server, server.client() as wire:
        await wire.send(POST + UPGRADE + framing + b"\r\n" + body + GET)
        first = await wire.reply()
        second = await wire.reply()
        await wire.send(POST + UPGRADE + framing + b"\r\n")
        await wire.send(body)
        third = await wire.reply()
        await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"\r\n" + GET)
        await wire.reply()
        last = await wire.reply()

    assert [first.body, second.body, third.body, last.body] == [b"abc", b"", b"abc", b""]
    assert len(server.app.scopes) == 5


@pytest.mark.parametrize(
    ("method", "status", "headers", "expected"),
    [
        (b"HEAD", 200, [(b"content-length", b"5")], b"content-length: 5\r\n"),
        (b"HEAD", 200, [], b""),
        (b"GET", 304, [(b"content-length", b"5")], b"content-length: 5\r\n"),
        (b"GET", 304, [], b""),
        (b"GET", 204, [(b"content-length", b"0")], b""),
    ],
)
async def test_answers_without_a_body(method: bytes, status: int, headers: Any, expected: bytes) -> None:
    """Framing says what it must and nothing else, and the connection goes on."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, b"", status=status, headers=headers)

    async with served(handler) as server, server.client() as wire:
        await wire.send(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        await wire.head()

    assert head.split(b"\r\n", 1)[1] == expected + b"\r\n"


async def test_interim_responses() -> None:
    """103 before the answer, as often as the application likes."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        for _ in range(2):
            await send(
                {"type": "http.response.informational", "status": 103, "headers": [(b"link", b"</a>")]}
            )
        await answer(send, b"abc")

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        reply = await wire.reply()

    assert reply.informational == [103, 103]
    assert reply.body == b"abc"
    assert "http.response.informational" in server.app.scopes[0]["extensions"]


async def test_trailers() -> None:
    """Sent after a chunked body; fields that frame or authenticate are left out."""

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"abc"})
        await send({"type": "http.response.trailers", "headers": [(b"x", b"1")], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": [(b"content-length", b"1"), (b"y", b"2")]})

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET + GET)
        replies = [await wire.reply(), await wire.reply()]

    assert [(reply.body, reply.trailers) for reply in replies] == [(b"abc", b"x: 1\r\ny: 2\r\n")] * 2


async def test_head_goes_out_without_a_body() -> None:
    """A head that no body follows at once is not held back."""
    go_on = asyncio.Event()

    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"abc"})

    async with served(handler) as server, server.client() as wire:
        await wire.send(GET)
        head = await wire.head()
        go_on.set()

    assert head.header("transfer-encoding") == "chunked"


async def test_head_and_first_body_are_one_write() -> None:
    """One packet for a small answer."""
    async with served() as server, server.client() as wire:
        await wire.send(POST + b"Content-Length: 3\r\n\r\nabc")
        received = await wire.reader.read(1000)

    assert received.endswith(b"\r\n\r\nabc")


async def test_websocket_goes_to_the_application() -> None:
    """A WebSocket handshake arrives as that scope; what follows it before its answer ends the connection."""

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": scope["type"] + message["text"]})
        await send({"type": "websocket.close"})

    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    text = b"\x81\x82\0\0\0\0hi"
    async with served(handler) as server, server.client() as wire:
        await wire.send(
            b"GET /w?x=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
            + key
            + b"\r\n"
        )
        reply = await wire.head()
        await wire.send(text)
        frame = await wire.reader.readexactly(13)

    assert reply.status == 101
    assert frame == b"\x81\x0bwebsockethi"
    assert server.app.scopes[0]["query_string"] == b"x=1"


async def test_too_many_connections() -> None:
    """The one too many is told so; the others go on."""
    async with served(max_connections=1) as server, server.client() as first:
        await first.send(GET)
        await first.reply()
        async with server.client() as second:
            refused = await second.reply()
        await first.send(GET)
        again = await first.reply()

    assert refused.status == 503
    assert refused.header("retry-after") == "1"
    assert again.status == 200
