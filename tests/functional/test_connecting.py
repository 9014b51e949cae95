"""What opening a connection to a service took, of the time that a request waited for it, on real sockets."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from observability.accesslog.line import Lines, Rules
from observability.traffic.alikes import Alikes
from routing.descriptortexts import packed
from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.grpcserver import EchoServer, echo_server, echo_set
from tests.support.http2upstream import Http2Upstream
from tests.support.upstreams import Certificates, Peer, ScriptedUpstream, answering, response

SLOW_S = 0.2
TLS = {"verify": False}


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


def connecting(plane: DataPlane) -> list[float]:
    """Of all requests, in milliseconds, as the access log has it; 0 where it says nothing."""
    for each in plane.finished:
        each.ended = each.answered or each.started + 9
    lines, alikes = Lines(Rules()), Alikes().sort(plane.finished)
    written = [lines.of(each, alike, 0.0) for each, alike in zip(plane.finished, alikes, strict=True)]
    return [orjson.loads(line or b"")["ms"].get("connect", 0.0) for line in written]


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def test_a_slow_handshake_is_told_of_the_request_that_opened_it(certificates: Certificates) -> None:
    """It is within `upstream`; who comes next finds the connection open, and is told nothing."""

    async def late(peer: Peer) -> None:
        await asyncio.sleep(SLOW_S)
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(secure.url).port)
        await asyncio.gather(passed_on(peer.reader, writer), passed_on(reader, peer.writer))

    secure = ScriptedUpstream(answering(response(b"hi")), tls=certificates.server_context())
    async with secure, ScriptedUpstream(late) as upstream:
        url = upstream.url.replace("http:", "https:")
        services = {"a": {"targets": [{"url": url}], "tls": TLS}}
        async with data_plane(document(route(service="a"), services=services)) as plane:
            async with RawClient(plane.port) as client:
                assert [(await client.get("/")).status for _ in range(3)] == [200, 200, 200]
            first, *_ = await plane.until_finished(3)
        assert upstream.accepted == 1
    assert first.connecting_s >= SLOW_S
    assert first.answered - first.forwarded >= first.connecting_s
    slow, *others = connecting(plane)
    assert (slow >= SLOW_S * 1000, others) == (True, [0.0, 0.0])


async def test_attempts_that_found_no_connection_count(certificates: Certificates) -> None:
    """A handshake that never ends, of both attempts; there is no answer."""

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        service = {
            "targets": [{"url": upstream.url.replace("http:", "https:")}],
            "tls": TLS,
            "timeout": {"connect": "100ms"},
            "retries": {"attempts": 1, "on": ["connect", "timeout"]},
        }
        async with data_plane(document(route(service="a"), services={"a": service})) as plane:
            async with RawClient(plane.port) as client:
                assert (await client.get("/")).status == 504
            (exchange,) = await plane.until_finished(1)
    assert (exchange.attempts, exchange.answered) == (2, 0.0)
    assert exchange.connecting_s >= 0.2


async def test_plain_connections_are_told_as_well() -> None:
    """Opened for each request by a service that closes them."""
    closing = response(b"hi", headers=[("connection", "close")])

    async with ScriptedUpstream(answering(closing)) as upstream:
        raw = document(route(service="a"), services={"a": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            for _ in range(2):
                await client.get("/")
            await plane.until_finished(2)
        assert upstream.accepted == 2
    assert all(each > 0 for each in connecting(plane))


async def test_shared_connections_are_told_of_who_opened_them(certificates: Certificates) -> None:
    """HTTP/2: one connection, of whose opening the first request knows."""
    async with Http2Upstream(tls=certificates.server_context(alpn=("h2",))) as upstream:
        service = {"protocol": "h2", "targets": [{"url": upstream.url}], "tls": TLS}
        raw = document(route(service="a"), services={"a": service})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            assert [(await client.get("/")).status for _ in range(2)] == [200, 200]
            await plane.until_finished(2)
    first, second = connecting(plane)
    assert (first > 0, second) == (True, 0.0)


def grpc_document(url: str, **service: Any) -> Any:
    called = route(path="/say", service="a", grpc={"service": "echo.Echo", "method": "Say"})
    upstream = {"protocol": "grpc", "targets": [{"url": url}], "descriptors": packed(echo_set()), **service}
    return document(called, services={"a": upstream})


def slowly(echo: EchoServer) -> ScriptedUpstream:
    """A way to the server on which nothing passes at first."""

    async def late(peer: Peer) -> None:
        await asyncio.sleep(SLOW_S)
        reader, writer = await asyncio.open_connection("127.0.0.1", echo.port)
        try:
            await asyncio.gather(passed_on(peer.reader, writer), passed_on(reader, peer.writer))
        finally:
            writer.transport.abort()

    return ScriptedUpstream(late)


async def test_grpc_is_told_of_who_opened_the_connection() -> None:
    """As others are, however slow it was; who comes next is told nothing."""
    async with echo_server() as echo, slowly(echo) as upstream:
        async with data_plane(grpc_document(upstream.url)) as plane:
            async with RawClient(plane.port) as client:
                told = [await client.get("/say") for _ in range(3)]
                assert [each.status for each in told] == [200, 200, 200], told[0].body
            first, *_ = await plane.until_finished(3)
        assert upstream.accepted == 1
    assert first.answered - first.forwarded >= first.connecting_s >= SLOW_S
    slow, *others = connecting(plane)
    assert (slow >= SLOW_S * 1000, others) == (True, [0.0, 0.0])


async def test_grpc_is_told_once_of_a_connection_that_several_wait_for() -> None:
    """Else one connection would be counted as often as somebody waited for it."""
    async with (
        echo_server() as echo,
        slowly(echo) as upstream,
        data_plane(grpc_document(upstream.url)) as plane,
        RawClient(plane.port) as one,
        RawClient(plane.port) as two,
    ):
        answers = await asyncio.gather(one.get("/say"), two.get("/say"))
        assert [each.status for each in answers] == [200, 200]
        await plane.until_finished(2)
    assert sorted(each > 0 for each in connecting(plane)) == [False, True]


@pytest.mark.parametrize(
    ("service", "field"),
    [({}, "X-Request-Timeout-Ms: 200"), ({"timeout": {"connect": "200ms"}}, "X-A: 1")],
    ids=["the request's time", "the service's timeout"],
)
async def test_grpc_that_finds_nobody_is_told_what_that_took(service: dict[str, Any], field: str) -> None:
    """A connection that never becomes one, until the time for it is over."""

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    async with (
        ScriptedUpstream(script) as upstream,
        data_plane(grpc_document(upstream.url, **service)) as plane,
    ):
        async with RawClient(plane.port) as client:
            answer = await client.get("/say", field)
        (exchange,) = await plane.until_finished(1)
    assert (answer.status, orjson.loads(answer.body)["error"]["code"]) == (504, "UPSTREAM_TIMEOUT")
    assert 0.19 <= exchange.connecting_s < 2


async def test_grpc_goes_on_connecting_for_others_when_a_client_leaves() -> None:
    """Nobody is let down by somebody else's leaving."""
    async with echo_server() as echo, slowly(echo) as upstream:
        async with data_plane(grpc_document(upstream.url)) as plane:
            async with RawClient(plane.port) as client:
                leaving = asyncio.create_task(client.get("/say"))
                await upstream.until_open(1)
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
            async with RawClient(plane.port) as client:
                assert (await client.get("/say")).status == 200
            await plane.until_finished(2)
        assert upstream.accepted == 1
