"""I: WebSocket connections through a gateway in the test's own loop, and peers that speak raw frames."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from realtime.tunnel.opening import tunnel_for
from realtime.tunnel.sockets import Sockets
from tests.support.gateway import DataPlane, RawClient, data_plane, document, route

Handler = Callable[[ServerConnection], Awaitable[None]]
ASKS = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


async def echo(socket: ServerConnection) -> None:
    """Sends back what comes, until the other side closes."""
    with suppress(ConnectionClosed):
        async for message in socket:
            await socket.send(message)


@dataclass
class Line:
    """A gateway with one route `live` to a WebSocket server."""

    plane: DataPlane
    sockets: Sockets
    raw: dict[str, Any]

    def connect(self, path: str = "/", **more: Any) -> Any:
        """A client; to be used as an async context."""
        options = {"compression": None, "proxy": None, "max_size": None, **more}
        return connect(f"ws://127.0.0.1:{self.plane.port}{path}", **options)


@asynccontextmanager
async def line(
    handler: Handler = echo, *, socket: dict[str, Any] | None = None, server: dict[str, Any] | None = None,
    sockets: Sockets | None = None, plane: dict[str, Any] | None = None, **keys: Any,
) -> AsyncIterator[Line]:  # fmt: skip
    """`socket` is the route's `websocket`, `keys` more of the route, `server` options of the upstream's server."""
    sockets = Sockets(rng=Random(1)) if sockets is None else sockets
    async with serve(handler, "127.0.0.1", 0, max_size=None, **(server or {})) as upstream:
        port = upstream.sockets[0].getsockname()[1]
        raw = document(
            route("live", websocket=socket or {}, service="s", **keys),
            services={"s": f"http://127.0.0.1:{port}"},
        )
        doors = {"tunnel": tunnel_for(sockets)}
        async with data_plane(raw, more_doors=doors, **(plane or {})) as running:
            yield Line(running, sockets, raw)


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Code and reason, once it is over."""
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


@asynccontextmanager
async def raw_socket(port: int, path: str = "/") -> AsyncIterator[RawClient]:
    """A client that has been accepted, and sends the bytes it is told to."""
    async with RawClient(port) as client:
        await client.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: gateway.test", *ASKS, "", ""]).encode())
        answer = await client.head()
        assert answer.status == 101
        yield client


def masked(first: int, payload: bytes, *, mask: bool = True) -> bytes:
    """One short frame as clients send it, with a key of zeros; `first` is its first byte."""
    assert len(payload) < 126
    return bytes((first, (0x80 if mask else 0) | len(payload))) + (bytes(4) if mask else b"") + payload
