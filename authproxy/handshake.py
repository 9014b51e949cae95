"""I: A WebSocket handshake on its way through the pipeline, as the GET request that it is (RFC 6455 section 4.1).

What refuses a request refuses a handshake with the same answer, before the upgrade (ASGI: Websocket Denial Response).
Who accepts it speaks the protocol through `receive` and `send`.
"""

from typing import Final

from authproxy.exchange import Message, Receive, Scope, Send

SCOPE_HANDSHAKE: Final = "torana.handshake"
"""The key of the request's scope under which a destination finds the handshake."""
DENIAL_EXTENSION: Final = "websocket.http.response"
_SCHEMES: Final = {"ws": "http", "wss": "https"}


class Handshake:
    """One connection. `receive` and `send` are the server's, past `websocket.connect`."""

    __slots__ = ("_can_deny", "receive", "request", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self._can_deny = DENIAL_EXTENSION in (scope.get("extensions") or {})
        self.request: Scope = {
            **scope,
            "type": "http",
            "method": "GET",
            "scheme": _SCHEMES.get(scope.get("scheme", "ws"), "http"),
            SCOPE_HANDSHAKE: self,
        }
        """What the pipeline reads: the scope of a request."""

    async def deny(self, message: Message) -> None:
        """`send` of the request: an answer is a refusal. A server that cannot send one closes, which is its 403."""
        kind = message["type"]
        if self._can_deny:
            await self.send({**message, "type": "websocket." + kind})
        elif kind == "http.response.start":
            await self.send({"type": "websocket.close"})


async def no_body() -> Message:
    """`receive` of the request: a handshake has no content."""
    return {"type": "http.request", "body": b"", "more_body": False}
