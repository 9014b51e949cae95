"""Handshakes through the gateway, against real WebSocket clients and servers."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response

from resilience.outcomes import Outcome
from tests.support.gateway import data_plane, document, route
from tests.support.origin import Origin
from tests.support.sockets import ASKS, closed, echo, line, masked, raw_socket
from tests.support.upstreams import ScriptedUpstream


async def test_messages_go_to_and_fro() -> None:
    """Text and bytes, in fragments, empty and long; what the client asked for is told, and the answer comes back."""
    async with (
        line(server={"subprotocols": ["chat"]}) as there,
        there.connect("/x", subprotocols=["chat"]) as socket,
    ):
        sent: list[Any] = ["hi", b"\x00\xff", "", "€" * 1000, b"x" * 300_000]
        for message in sent:
            await socket.send(message)
        assert [await socket.recv() for _ in sent] == sent
        await socket.send(["a" * 1000, "b"])
        assert await socket.recv() == "a" * 1000 + "b"
        assert socket.subprotocol == "chat"
        assert socket.response.headers["x-request-id"]
        await (await socket.ping())
    (exchange,) = await there.plane.until_finished(1)
    assert (exchange.status, exchange.outcome) == (101, Outcome.OK)
    assert len(there.sockets) == 0


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
@pytest.mark.parametrize("side", ["client", "upstream"])
async def test_closing_codes_go_both_ways(code: int, side: str) -> None:
    heard: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

    async def handler(socket: ServerConnection) -> None:
        if side == "upstream":
            await socket.close(code, "bye")
        else:
            await socket.wait_closed()
        heard.set_result((socket.close_code, socket.close_reason))

    async with line(handler) as there, there.connect() as socket:
        if side == "client":
            await socket.close(code, "bye")
        assert await closed(socket) == (code, "bye")
        assert await asyncio.wait_for(heard, 10) == (code, "bye")


async def test_the_service_is_told_what_it_is_told_of_requests() -> None:
    """Forwarding fields, the request's id; its path is rewritten, and fields are changed."""
    seen: list[tuple[str, Headers]] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append((socket.request.path, socket.request.headers))
        await echo(socket)

    changes = {"rewrite": {"path": "/v2"}, "request_headers": {"set": {"x-own": "1"}}}
    async with line(handler, **changes) as there, there.connect("/x?q=1") as socket:
        await socket.send("x")
        await socket.recv()
    ((path, headers),) = seen
    assert path == "/v2?q=1"
    assert (headers["x-own"], headers["x-forwarded-for"]) == ("1", "127.0.0.1")
    assert headers["x-request-id"] == socket.response.headers["x-request-id"]
    assert "sec-websocket-extensions" not in headers


async def test_a_refusal_of_the_service_goes_on() -> None:
    """As it is, before the upgrade."""

    def refuse(socket: ServerConnection, _request: Request) -> Response:
        return socket.respond(HTTPStatus.FORBIDDEN, "not you\n")

    async with line(server={"process_request": refuse}) as there:
        with pytest.raises(InvalidStatus) as raised:
            await there.connect().__aenter__()
    assert (raised.value.response.status_code, raised.value.response.body) == (403, b"not you\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: wrong\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ],
)
async def test_an_upstream_that_does_not_speak_it(answer: bytes) -> None:
    """502; the client's connection is not upgraded."""
    async with ScriptedUpstream(Origin(answer)) as upstream:
        raw = document(route(websocket={}, service="s"), services={"s": upstream.url})
        async with line() as there:
            there.plane.publish(raw)
            with pytest.raises(InvalidStatus) as raised:
                await there.connect().__aenter__()
    assert raised.value.response.status_code == 502
    assert json.loads(raised.value.response.body or b"")["error"]["code"] == "BAD_GATEWAY"


async def test_nobody_listens() -> None:
    """As for requests."""
    async with line() as there:
        there.plane.publish(document(route(websocket={}, service="s"), services={"s": "http://127.0.0.1:1"}))
        with pytest.raises(InvalidStatus) as raised:
            await there.connect().__aenter__()
    assert raised.value.response.status_code == 502


async def test_another_target_takes_the_handshake() -> None:
    """Nothing of it had arrived at the first."""
    async with line() as there:
        url = there.raw["services"][0]["targets"][0]["url"]
        service = {"targets": [{"url": "http://127.0.0.1:1"}, {"url": url}], "retries": {"attempts": 2}}
        there.plane.publish(document(route(websocket={}, service="s"), services={"s": service}))
        for _ in range(2):
            async with there.connect() as socket:
                await socket.send("x")
                assert await socket.recv() == "x"


async def test_messages_that_are_too_long() -> None:
    """1009 to whoever sends one, whichever side it is."""
    async with line(socket={"max_message": "1KB"}) as there, there.connect() as socket:
        await socket.send(b"x" * 1024)
        assert len(await socket.recv()) == 1024
        await socket.send(b"x" * 1025)
        assert (await closed(socket))[0] == 1009


@pytest.mark.parametrize(
    ("frame", "code"),
    [(masked(0x81, b"\xff"), 1007), (masked(0x83, b""), 1002), (masked(0x81, b"a", mask=False), 1002)],
)
async def test_clients_that_break_the_rules(frame: bytes, code: int) -> None:
    """They are told the code; the service only that the connection ends."""
    heard: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()
        heard.set_result(socket.close_code)

    async with line(handler) as there, raw_socket(there.plane.port) as client:
        await client.send(frame)
        head = await client.reader.readexactly(4)
        assert (head[0], int.from_bytes(head[2:], "big")) == (0x88, code)
        assert await asyncio.wait_for(heard, 10) == 1001


async def test_nothing_may_follow_a_handshake_before_its_answer() -> None:
    """A client that does is cut off, so that no request is hidden there (RFC 6455 section 4.1)."""
    raw = document(route(websocket={}, service="s"), services={"s": "http://127.0.0.1:1"})
    async with data_plane(raw) as plane, ScriptedClient(plane.port) as client:
        assert await client.at_end()


class ScriptedClient:
    """Sends a handshake and more, at once."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "ScriptedClient":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.writer.write("\r\n".join(["GET / HTTP/1.1", "Host: a", *ASKS, "", ""]).encode())
        await self.writer.drain()
        await asyncio.sleep(0)
        self.writer.write(b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.writer.close()

    async def at_end(self) -> bool:
        """Closed, with no second answer."""
        async with asyncio.timeout(10):
            try:
                data = await self.reader.read()
            except ConnectionResetError:
                return True
        return data.count(b"HTTP/1.1") <= 1
