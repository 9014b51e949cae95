"""WebSocket handshakes on their way through the pipeline: admitted or refused as requests are."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from authproxy.exchange import Exchange, Message, Receive, Scope, Send
from authproxy.handshake import SCOPE_HANDSHAKE, Handshake, no_body
from authproxy.rejections import Rejection
from tests.support.asgi import Recorder, playback
from tests.support.gateway import Answer, RawClient, data_plane, document, route

ASKS = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)
RESPOND: Mapping[str, Any] = {"respond": {"status": 200, "body": "x"}}


def tunnel(_route: object, _destination: object) -> Any:
    """Accepts, and says which route it is of."""

    async def destination(exchange: Exchange) -> Rejection | None:
        handshake: Handshake = exchange.scope[SCOPE_HANDSHAKE]
        exchange.status = 101
        await handshake.send(
            {"type": "websocket.accept", "headers": [(b"x-route", exchange.route.name.encode())]}
        )
        await handshake.send({"type": "websocket.close", "code": 1000})
        return None

    return destination


async def asked(raw: Mapping[str, Any], path: str = "/", *headers: str, **plane: Any) -> Answer:
    async with data_plane(raw, **plane) as running, RawClient(running.port) as client:
        lines = [f"GET {path} HTTP/1.1", "Host: gateway.test", *ASKS, *headers, "", ""]
        await client.send("\r\n".join(lines).encode())
        answer = await client.head()
        if answer.status != 101:
            answer.body = await client.reader.readexactly(int(answer.header("content-length") or 0))
        return answer


async def test_a_route_that_takes_sockets_gets_them() -> None:
    """The tunnel is told of the route; other requests go to its destination as ever."""
    raw = document(route("live", websocket={}, **RESPOND))
    answer = await asked(raw, more_doors={"tunnel": tunnel})

    assert (answer.status, answer.header("x-route")) == (101, "live")


@pytest.mark.parametrize(
    ("keys", "path", "status", "code"),
    [
        ({}, "/", 400, "INVALID_REQUEST"),
        ({"websocket": {"enabled": False}}, "/", 400, "INVALID_REQUEST"),
        ({"websocket": {}, "auth": {"level": "user"}}, "/", 401, "AUTH_ERROR"),
        ({"websocket": {}, "match": {"path": "/live"}}, "/", 404, "NOT_FOUND"),
        ({"websocket": {}, "require_headers": {"x-a": {}}}, "/", 400, "INVALID_REQUEST"),
    ],
)
async def test_refusals_are_those_of_requests(
    keys: dict[str, Any], path: str, status: int, code: str
) -> None:
    """Before the upgrade, with the error's envelope."""
    answer = await asked(document({**route("live", **RESPOND), **keys}), path, more_doors={"tunnel": tunnel})

    assert answer.status == status
    assert json.loads(answer.body)["error"]["code"] == code


async def test_the_gateways_own_endpoint_is_told_who_calls() -> None:
    """The same scope that its other endpoints get."""
    seen: list[Scope] = []

    async def own(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await send({"type": "websocket.accept"})

    answer = await asked(document(), "/api/v1/ws?connection_id=1", builtin_socket=own)

    assert answer.status == 101
    (scope,) = seen
    assert (scope["type"], scope["scheme"], scope["path"]) == ("websocket", "ws", "/api/v1/ws")
    assert (scope["torana.identity"], scope["torana.auth_failure"]) == (None, "missing")


async def test_nobody_who_serves_it_is_a_refusal() -> None:
    """Where a node has no such endpoint."""
    assert (await asked(document(), "/api/v1/ws")).status == 400


async def test_server_that_cannot_deny_closes() -> None:
    """A close before the accept is its 403."""
    send = Recorder()
    handshake = Handshake({"type": "websocket", "scheme": "wss"}, playback(), send)
    assert (handshake.request["scheme"], handshake.request["method"]) == ("https", "GET")
    await handshake.deny({"type": "http.response.start", "status": 401})
    await handshake.deny({"type": "http.response.body", "body": b"x"})

    assert send.messages == [{"type": "websocket.close"}]


async def test_a_handshake_has_no_content() -> None:
    message: Message = await no_body()
    assert (message["body"], message["more_body"]) == (b"", False)
