"""I: A WebSocket handshake on its way through the pipeline, as the GET request that it is (RFC 6455 section 4.1).

What refuses a request refuses a handshake with the same answer, before the upgrade (ASGI: Websocket Denial Response).
Who accepts it speaks the protocol through `receive` and `send`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from authproxy.exchange import Exchange, Message, Receive, Scope, Send
from authproxy.handshaketokens import lift
from authproxy.headers import Pairs
from authproxy.rejections import Rejection

if TYPE_CHECKING:
    import httpx

SCOPE_HANDSHAKE: Final = "torana.handshake"
"""The key of the request's scope under which a destination finds the handshake."""
DENIAL_EXTENSION: Final = "websocket.http.response"
TAKE_OVER: Final = "torana.take_over"
"""The extension of a server that gives its connection away: a `TakeOver`. Others carry no proxied connections."""
_SCHEMES: Final = {"ws": "http", "wss": "https"}


class Taken(NamedTuple):
    """A client's connection after the server has accepted it: frames go to and fro on it from now on."""

    transport: asyncio.Transport
    deflate_bits: tuple[int, int] | None
    """Window bits of what comes and of what goes, where messages may be compressed, each for itself (RFC 7692)."""
    release: Callable[[], None]
    """To be called once, when the connection is gone."""


class Leaving(Protocol):
    """Who took a connection over hears from the server that it should end."""

    def shutdown(self) -> None:
        """The process is going away."""


class TakeOver(Protocol):
    """Answers the handshake with 101 and these fields, and lets go of the connection. None: the client is gone."""

    def __call__(self, who: Leaving, fields: Pairs) -> Taken | None: ...


HandOn = Callable[[Exchange, "httpx.Response", str], Awaitable[Rejection | None]]


class Handshake:
    """One connection. `receive` and `send` are the server's, past `websocket.connect`."""

    __slots__ = ("_can_deny", "hand_on", "on_open", "receive", "request", "scope", "send", "wants_bearer")

    hand_on: HandOn
    """Takes the 101 of the service that is named; set by whoever sends the handshake on."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lifted = lift(scope)
        self.wants_bearer = lifted.wants_bearer
        """The client offered `bearer` with a token: that subprotocol is the answer if there is no other."""
        self.scope = scope = {**scope, **lifted.changes}
        self.receive = receive
        self.send = send
        self.on_open: Callable[[], None] | None = None
        """Is told that the connection stands: it may go on for hours."""
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
