"""WebSocket handshakes on paths that nothing serves."""

import json
from typing import Any

import pytest

from realtime.routing import websocket_application


async def handshake(first: dict[str, Any], **scope: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return first

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    full = {"type": "websocket", "path": "/nowhere", "headers": [], "subprotocols": [], **scope}
    await websocket_application(full, receive, send)
    return sent


async def test_unknown_path_is_answered_404_before_the_upgrade() -> None:
    """A server that can deny with a response sends the error envelope."""
    start, body = await handshake({"type": "websocket.connect"}, extensions={"websocket.http.response": {}})

    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == 404
    assert (b"content-length", str(len(body["body"])).encode()) in start["headers"]
    assert json.loads(body["body"])["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("extensions", [{}, None])
async def test_server_without_denial_responses_closes(extensions: dict[str, Any] | None) -> None:
    """Where the server cannot send a response, a close before accept is its 403."""
    sent = await handshake({"type": "websocket.connect"}, extensions=extensions)

    assert sent == [{"type": "websocket.close"}]


async def test_unknown_path_raises_nothing_for_any_path() -> None:
    """The empty path and encoded bytes are refused like any other."""
    for path in ("", "/", "/ws", "/%00", "/é"):
        assert await handshake({"type": "websocket.connect"}, path=path) == [{"type": "websocket.close"}]
