"""What clients see when upstreams misbehave, and what upstreams see when clients do (DESIGN section 10)."""

import asyncio
import json
import socket

import pytest

from resilience.outcomes import Outcome
from tests.support.gateway import RawClient, data_plane, document, route
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response


def dead_port() -> int:
    """A port of 127.0.0.1 that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def close_at_once(peer: Peer) -> None:
    await peer.request()
    peer.close()


async def reset_at_once(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def garbage(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await peer.until_closed()


async def smuggled(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    await peer.until_closed()


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.until_closed()


@pytest.mark.parametrize(
    ("script", "status", "code", "outcome"),
    [
        (close_at_once, 502, "BAD_GATEWAY", Outcome.RESET),
        (reset_at_once, 502, "BAD_GATEWAY", Outcome.RESET),
        (garbage, 502, "BAD_GATEWAY", Outcome.PROTOCOL_ERROR),
        (smuggled, 502, "BAD_GATEWAY", Outcome.PROTOCOL_ERROR),
        (silent, 504, "UPSTREAM_TIMEOUT", Outcome.TOTAL_TIMEOUT),
    ],
)
async def test_a_broken_upstream_becomes_an_error_answer(
    script, status: int, code: str, outcome: Outcome
) -> None:
    """The envelope says whose fault it was; the client's connection goes on."""
    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", timeout="300ms"), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            answer = await client.get("/x")
            again = await client.get("/nothing-but-this-route")
            finished = await plane.until_finished(2)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert again.status == status
    assert finished[0].outcome is outcome


async def test_a_refused_connection_is_502() -> None:
    """Nobody listens: the reason is in the details."""
    raw = document(route(service="s"), services={"s": f"http://127.0.0.1:{dead_port()}"})
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        answer = await client.get("/x")

    error = json.loads(answer.body)["error"]
    assert (answer.status, error["details"]) == (502, {"service": "s", "reason": "connect_refused"})


async def test_a_service_without_targets_is_503() -> None:
    """There is nowhere to go; Retry-After says to come back."""
    raw = document(route(service="s"), services={"s": []})
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        answer = await client.get("/x")

    assert (answer.status, answer.header("retry-after")) == (503, "1")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_target_takes_what_was_never_sent(method: str) -> None:
    """A refused connection sends nothing, so even a POST goes to the next target."""
    async with ScriptedUpstream(answering(response(b"alive"))) as upstream:
        raw = document(route(service="s"), services={"s": [f"http://127.0.0.1:{dead_port()}", upstream.url]})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            answers = [await client.get("/x", method=method, body=b"b") for _ in range(4)]

    assert [answer.body for answer in answers] == [b"alive"] * 4


async def stale_after_first(peer: Peer) -> None:
    """Answer one request, then close as the next one arrives: the keep-alive race."""
    await peer.request()
    await peer.send(response(str(peer.number).encode()))
    await peer.request()
    peer.close()


async def test_a_stale_connection_costs_a_get_nothing() -> None:
    """Repeated once, on a fresh connection."""
    async with ScriptedUpstream(stale_after_first) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            answers = [await client.get("/x") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]


async def test_a_stale_connection_never_sends_a_post_twice() -> None:
    """The POST may have arrived: 502, and exactly one copy on the wire."""
    seen: list[bytes] = []

    async def count(peer: Peer) -> None:
        while True:
            seen.append((await peer.request()).body)
            if len(seen) == 2:
                return peer.close()
            await peer.send(response(b"ok"))

    async with ScriptedUpstream(count) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            first = await client.get("/x", method="POST", body=b"one")
            second = await client.get("/x", method="POST", body=b"two")

    assert (first.status, second.status) == (200, 502)
    assert seen == [b"one", b"two"]


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
async def test_an_answer_that_breaks_off_is_never_taken_for_the_whole(framing: bytes) -> None:
    """The client's connection is cut in the middle of its framing; no error body is appended."""

    async def half(peer: Peer) -> None:
        await peer.request()
        part = b"5\r\nhello\r\n" if b"chunked" in framing else b"hello"
        await peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + part)
        await peer.reader.read(1)
        peer.close()

    async with ScriptedUpstream(half) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.send(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            head = await client.head()
            first = await client.reader.readuntil(b"hello")
            await upstream.stop()
            rest = await read_rest(client)
            finished = await plane.until_finished(1)

    assert head.status == 200
    assert first.endswith(b"hello")
    assert rest in (b"", b"\r\n")
    assert finished[0].outcome is Outcome.BODY_BROKEN


async def read_rest(client: RawClient) -> bytes:
    try:
        return await asyncio.wait_for(client.reader.read(), 10)
    except ConnectionResetError:
        return b""


async def test_a_client_that_leaves_frees_the_upstream() -> None:
    """The upstream's connection is closed at once, and it is recorded as nobody's failure."""
    async with ScriptedUpstream(silent) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane:
            async with RawClient(plane.port) as client:
                await client.send(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
                await upstream.until_open(1)
            await upstream.until_open(0)
            finished = await plane.until_finished(1)

    assert finished[0].outcome is Outcome.CLIENT_GONE
    assert finished[0].status == 499


async def test_a_client_that_leaves_within_its_upload_frees_the_upstream() -> None:
    """A half-sent body never becomes a complete request upstream."""
    received: list[bytes] = []

    async def reading(peer: Peer) -> None:
        await peer.head()
        received.append(await peer.until_closed())

    async with ScriptedUpstream(reading) as upstream:
        raw = document(route(service="s"), services={"s": upstream.url})
        async with data_plane(raw) as plane:
            async with RawClient(plane.port) as client:
                await client.send(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
                await upstream.until_open(1)
            await upstream.until_open(0)
            finished = await plane.until_finished(1)

    assert received == [b"half"]
    assert finished[0].outcome is Outcome.CLIENT_GONE


async def test_a_publish_disturbs_nobody() -> None:
    """A request in flight ends on the snapshot it began with; the next sees the new one; connections are kept."""
    released = asyncio.Event()

    async def held(peer: Peer) -> None:
        while True:
            await peer.request()
            await released.wait()
            await peer.send(response(b"first"))

    async with ScriptedUpstream(held) as upstream:
        service = {"s": upstream.url}
        async with (
            data_plane(document(route(service="s"), services=service)) as plane,
            RawClient(plane.port) as early,
            RawClient(plane.port) as late,
        ):
            await early.send(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            await upstream.until_open(1)
            plane.publish(document(route(respond={"status": 200, "body": "second"}), services=service))
            second = await late.get("/x")
            released.set()
            first = await early.answer()
            plane.publish(document(route(service="s"), services=service))
            third = await late.get("/x")

    assert (first.body, second.body, third.body) == (b"first", b"second", b"first")
    assert upstream.accepted == 1
