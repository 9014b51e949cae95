"""Answers and requests that a route changes, on real sockets: fields, paths, statuses, bodies, envelopes."""

import asyncio
import json
import tracemalloc
from typing import Any

import pytest

from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.recording import Recording, proxied
from tests.support.upstreams import Peer, ScriptedUpstream, response

ORDERS = {"path": "/orders/{id}", "path_type": "template"}
JSON = ("Content-Type", "application/json")


def recording(body: bytes = b"{}", *headers: tuple[str, str], status: str = "200 OK") -> Recording:
    return Recording(response(body, status=status, headers=[JSON, *headers]))


def error(answer: Answer) -> Any:
    return json.loads(answer.body)["error"]


async def test_fields_are_filled_in() -> None:
    """What a request has not got is not set, not even by the client; control characters never get through."""
    upstream = recording()
    ops = {
        "set": {
            "X-Order": "${path.id} of ${request.header.x-tenant}",
            "X-Caller": "${consumer.id}",
            "X-Plan": "${consumer.plan:-free}",
            "X-Q": "${request.query.q}",
        },
        "add": {"X-Route": "${route.name}>${service.name}"},
    }
    async with proxied(
        upstream,
        match=ORDERS,
        request_headers=ops,
        response_headers={"set": {"X-Told": "${response.status} ${request.id}", "X-None": "${user.id}"}},
    ) as (_plane, client):
        answer = await client.get(
            "/orders/a%20b?q=x%0d%0aEvil:%201", "X-Tenant: one", "X-Caller: forged", "X-Request-ID: id-1"
        )

    last = upstream.last
    assert last.values("x-order") == [b"a b of one"]
    assert last.values("x-caller") == []
    assert last.values("x-plan") == [b"free"]
    assert last.values("x-q") == [b"x%0D%0AEvil: 1"]
    assert last.values("x-route") == [b"r>s"]
    assert answer.header("x-told") == "200 id-1"
    assert answer.header("x-none") is None


async def test_paths_and_hosts_are_filled_in() -> None:
    """Percent-encoded; a request of which none can be made goes nowhere."""
    upstream = recording()
    rewrite = {"path": "/v2/${request.query.t}/orders/${path.id}", "host": "${request.query.t}.internal"}
    async with proxied(upstream, match=ORDERS, rewrite=rewrite) as (_plane, client):
        await client.get("/orders/a%20b%3Fc?t=Acme")
        target, hosts = upstream.last.target, upstream.last.values("host")
        refused = [await client.get(f"/orders/7{query}") for query in ("", "?t=..", "?t=a%2Fb", "?t=a%20b")]

    assert target == b"/v2/Acme/orders/a%20b%3Fc?t=Acme"
    assert hosts == [b"acme.internal"]
    assert [(answer.status, error(answer)["code"]) for answer in refused] == [(400, "INVALID_REQUEST")] * 4
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("old", "new", "method", "length", "body"),
    [
        ("404 Not Found", 204, "GET", None, b""),
        ("404 Not Found", 200, "GET", "2", b"{}"),
        ("404 Not Found", 304, "GET", None, b""),
        ("404 Not Found", 205, "GET", "0", b""),
        ("404 Not Found", 200, "HEAD", "2", b""),
    ],
)
async def test_statuses(old: str, new: int, method: str, length: str | None, body: bytes) -> None:
    """A status without a body drops it; the connection is good for the next request."""
    async with proxied(recording(status=old), status_map={404: new}) as (_plane, client):
        for _ in range(2):
            answer = await client.get("/x", method=method)
            assert (answer.status, answer.header("content-length")) == (new, length)
            assert answer.body == body


async def test_a_204_that_becomes_200_has_an_empty_body() -> None:
    """Its length is said, so that nobody waits for it."""
    upstream = Recording(b"HTTP/1.1 204 No Content\r\n\r\n")
    async with proxied(upstream, status_map={204: 200}) as (_plane, client):
        answer = await client.get("/x")
    assert (answer.status, answer.header("content-length"), answer.body) == (200, "0", b"")


async def test_requests_are_transformed() -> None:
    """The upstream gets the new body with its length; what is no JSON passes."""
    upstream = recording()
    async with proxied(upstream, transform={"request": "{name: user.name, n: length(items)}"}) as (
        _plane,
        client,
    ):
        given = json.dumps({"user": {"name": "Ada"}, "items": [1, 2]}).encode()
        await client.get("/x", "Content-Type: application/json", method="POST", body=given)
        made = upstream.last
        await client.get("/x", "Content-Type: text/plain", method="POST", body=given)
        plain = upstream.last
        broken = await client.get("/x", "Content-Type: application/json", method="POST", body=b"{")
        passed = upstream.last

    assert made.body == b'{"name":"Ada","n":2}'
    assert made.values("content-length") == [b"20"]
    assert plain.body == given
    assert (passed.body, broken.header("x-torana-transform")) == (
        b"{",
        "skipped; part=request; reason=not_json",
    )


async def test_requests_that_do_not_fit_are_refused() -> None:
    """Before anything is sent."""
    upstream = recording()
    async with proxied(upstream, transform={"request": "length(items)"}) as (_plane, client):
        answer = await client.get("/x", "Content-Type: application/json", method="POST", body=b'{"items":1}')
    assert answer.status == 400
    assert error(answer)["details"]["expression"] == "transform.request"
    assert upstream.requests == []


async def test_long_requests_pass_as_they_are() -> None:
    """To the last byte, and the answer says so."""
    upstream = recording()
    body = b'"' + b"x" * 200_000 + b'"'
    transform = {"request": "length(@)", "max_body": "64KB"}
    async with proxied(upstream, transform=transform) as (_plane, client):
        answer = await client.get("/x", "Content-Type: application/json", method="POST", body=body)
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:100_000], body[100_000:]))
        await client.send(
            b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        )
        streamed = await client.answer()
    assert answer.header("x-torana-transform") == "skipped; part=request; reason=too_large"
    assert streamed.header("x-torana-transform") == "skipped; part=request; reason=too_large"
    assert [request.body for request in upstream.requests] == [body, body]


async def test_answers_are_transformed() -> None:
    """Length and validators are mended; the upstream is asked for the whole body, uncompressed."""
    upstream = recording(
        b'{"items":[{"id":1,"secret":2}]}', ("ETag", '"a"'), ("Accept-Ranges", "bytes"), ("Digest", "x")
    )
    async with proxied(upstream, transform={"response": "items[*].{id: id}"}) as (_plane, client):
        answer = await client.get("/x", "Accept-Encoding: gzip", "Range: bytes=0-1")
        head = await client.get("/x", method="HEAD")
    asked = upstream.requests[0]

    assert answer.body == b'[{"id":1}]'
    assert answer.values("content-length") == ["10"]
    assert answer.header("etag") == 'W/"a"'
    assert answer.header("accept-ranges") is None
    assert answer.header("digest") is None
    assert asked.values("accept-encoding") == [b"identity"]
    assert asked.values("range") == []
    assert (head.status, head.header("content-length")) == (200, None)


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"x" * 70_000, [JSON], "too_large"),
        (b"{", [JSON], "not_json"),
        (b"\x1f\x8b", [JSON, ("Content-Encoding", "gzip")], "encoded"),
        (b"plain", [("Content-Type", "text/plain")], None),
    ],
)
async def test_answers_that_pass_as_they_are(body: bytes, headers: list[Any], reason: str | None) -> None:
    """And say why."""
    upstream = Recording(response(body, headers=headers))
    transform = {"response": "length(@)", "max_body": "64KB"}
    async with proxied(upstream, transform=transform) as (_plane, client):
        answer = await client.get("/x")
    assert answer.body == body
    told = answer.header("x-torana-transform")
    assert told == (f"skipped; part=response; reason={reason}" if reason else None)


async def test_long_answers_of_unknown_length_pass_as_they_are() -> None:
    """What was read of them is not lost."""
    body = b"[" + b"1," * 50_000 + b"1]"
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    transform = {"response": "length(@)", "max_body": "64KB"}
    async with proxied(Recording(chunked), transform=transform) as (_plane, client):
        answer = await client.get("/x")
    assert answer.body == body
    assert answer.header("x-torana-transform") == "skipped; part=response; reason=too_large"


async def test_answers_that_do_not_fit_are_bad_ones() -> None:
    """In the gateway's own shape, which no envelope wraps."""
    async with proxied(recording(b'{"a":1}'), transform={"response": "length(a)"}, envelope=True) as (
        _p,
        client,
    ):
        answer = await client.get("/x")
    assert (answer.status, error(answer)["code"]) == (502, "BAD_GATEWAY")
    assert "length" in error(answer)["message"]


async def test_evaluations_of_many_steps_leave_room_for_others() -> None:
    """They run beside the event loop, and end."""
    long = recording(b"[" + b",".join([b'{"a":1}'] * 20_000) + b"]")
    endless = recording(b"[" + b",".join([b"[1]"] * 200_000) + b"]")
    async with proxied(long, transform={"response": "sum([*].a)"}) as (_plane, client):
        assert (await client.get("/x")).body == b"20000"
    async with proxied(endless, transform={"response": "[*].[@[0], @[0], @[0]]"}) as (_plane, client):
        answer = await client.get("/x")
    assert (answer.status, "steps" in error(answer)["message"]) == (502, True)


async def test_answers_are_wrapped() -> None:
    """With the request's id; the body is not touched."""
    async with proxied(recording(b'{"n": 1e400}', ("ETag", '"a"')), envelope=True) as (_plane, client):
        answer = await client.get("/x", "X-Request-ID: id-1")
        head = await client.get("/x", method="HEAD")
    assert answer.body.startswith(b'{"data":{"n": 1e400},"request_id":"id-1","timestamp":"2')
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("etag") == 'W/"a"'
    assert (head.status, head.header("content-length")) == (200, None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<a/>", "text/html"),
        (b"data: 1\n\n", "text/event-stream"),
        (b"", "application/json"),
        (b"so", "application/json"),
    ],
)
async def test_what_is_no_json_is_not_wrapped(body: bytes, content_type: str) -> None:
    """Whatever it says of itself."""
    upstream = Recording(response(body, headers=[("Content-Type", content_type)]))
    async with proxied(upstream, envelope=True) as (_plane, client):
        answer = await client.get("/x")
    assert answer.body == body


async def test_long_answers_are_wrapped_while_they_come() -> None:
    """The first piece arrives before the last one is sent, and the length is right."""
    told = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n [1")
        await told.wait()
        await peer.send(b"2]")

    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", envelope=True), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            head = await client.head()
            begun = await client.reader.readexactly(len(b'{"data": [1'))
            told.set()
            rest = await client.reader.readexactly(int(head.header("content-length") or 0) - len(begun))
    assert json.loads(begun + rest)["data"] == [12]


async def test_a_body_that_breaks_off_is_not_completed() -> None:
    """Nobody takes a part for the whole."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n"
        )
        peer.reset()

    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", envelope=True), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            everything = await client.reader.read()
    assert not everything.endswith(b"0\r\n\r\n")
    assert b"timestamp" not in everything


async def test_a_body_that_breaks_off_is_not_transformed() -> None:
    """Nothing has been sent yet, so the client is told."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[1,")
        peer.reset()

    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", transform={"response": "@"}), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            answer = await client.get("/x")
    assert (answer.status, error(answer)["code"]) == (502, "BAD_GATEWAY")


async def test_long_answers_are_wrapped_with_flat_memory() -> None:
    """30 MB, of which the gateway holds a few pieces."""
    piece = b"1," * 32_000
    count = 30 * 1024 * 1024 // len(piece)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n"
        )
        for _ in range(count):
            await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await peer.send(b"2\r\n1]\r\n0\r\n\r\n")

    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", envelope=True), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client, asyncio.timeout(60):
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.head()
            size, last = 0, b""
            tracemalloc.start()
            try:
                while (length := int(await client.reader.readline(), 16)) > 0:
                    last = (last + await client.reader.readexactly(length))[-100:]
                    size += length
                    await client.reader.readline()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    assert size > count * len(piece)
    assert b'1],"request_id":"' in last
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("status", "body", "content_type", "code", "message"),
    [
        ("404 Not Found", b'{"detail":"No such order"}', "application/json", "NOT_FOUND", "No such order"),
        ("409 Conflict", b"{}", "application/problem+json", "CONFLICT", "Conflict."),
        ("500 Oops", b"<h1>Error</h1>", "text/html", "INTERNAL_ERROR", "Internal Server Error."),
        ("422 No", b"bad name", "text/plain", "VALIDATION_ERROR", "bad name"),
    ],
)
async def test_errors_have_the_gateways_shape(
    status: str, body: bytes, content_type: str, code: str, message: str
) -> None:
    """With the upstream's status, and what it said where that is JSON."""
    upstream = Recording(response(body, status=status, headers=[("Content-Type", content_type)]))
    async with proxied(upstream, envelope=True) as (_plane, client):
        answer = await client.get("/x", "X-Request-ID: id-1")
    found = json.loads(answer.body)
    assert answer.status == int(status[:3])
    assert (found["error"]["code"], found["error"]["message"]) == (code, message)
    assert found["request_id"] == "id-1"
    assert answer.header("content-type") == "application/json"
    assert found["error"]["details"] == ({"upstream": json.loads(body)} if "json" in content_type else {})


async def test_errors_of_that_shape_are_not_wrapped_twice() -> None:
    """Byte for byte."""
    body = b'{"error":{"code":"X","message":"m"},"request_id":"1","timestamp":"t"}'
    async with proxied(recording(body, status="400 Bad Request"), envelope=True) as (_plane, client):
        assert (await client.get("/x")).body == body


async def test_refusals_are_never_wrapped() -> None:
    """They have their shape already."""
    async with proxied(recording(), envelope=True, auth={"level": "user"}) as (_plane, client):
        answer = await client.get("/x")
    assert (answer.status, error(answer)["code"]) == (401, "AUTH_ERROR")


async def test_fixed_answers_are_wrapped_too() -> None:
    """A route's own answer is an answer."""
    fixed = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": "[1]"}
    async with (
        data_plane(document(route(respond=fixed, envelope=True))) as plane,
        RawClient(plane.port) as client,
    ):
        answer = await client.get("/x")
    assert json.loads(answer.body)["data"] == [1]
