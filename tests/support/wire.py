"""A client that sends exactly the bytes it is given, and a server in the test's own loop to send them to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway_project.server.draining import DrainState
from gateway_project.server.limits import ServerLimits
from gateway_project.server.serving import GatewayServer, LeavingTimes, running, server_config

Handler = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
PATIENCE_S = 10.0


async def answer(send: Any, body: bytes = b"", *, status: int = 200, headers: Any = None) -> None:
    """A whole response in two messages."""
    if headers is None:
        headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with the request's body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await answer(send, body)


class Application:
    """An ASGI application with a lifespan, which remembers the scopes it was called with."""

    def __init__(self, handler: Handler = echo) -> None:
        self.handler = handler
        self.scopes: list[dict[str, Any]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            self.scopes.append(scope)
            await self.handler(scope, receive, send)


@dataclass
class Served:
    """A running server."""

    app: Application
    port: int
    drain: DrainState
    server: GatewayServer

    @asynccontextmanager
    async def client(self, options: Mapping[int, int] = MappingProxyType({})) -> AsyncIterator["Wire"]:
        """A connection, with options of its socket."""
        connection = socket.socket()
        connection.setblocking(False)
        for name, value in options.items():
            connection.setsockopt(socket.SOL_SOCKET, name, value)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=connection)
        wire = Wire(reader, writer)
        try:
            yield wire
        finally:
            writer.transport.abort()

    async def exchange(self, data: bytes, *, eof: bool = False) -> bytes:
        """Everything that the server sends until it closes."""
        async with self.client() as wire:
            await wire.send(data, eof=eof)
            return await wire.until_close()


@asynccontextmanager
async def served(
    handler: Handler = echo, *, times: LeavingTimes | None = None, **limits: float
) -> AsyncIterator[Served]:
    """Serves `handler` on a free port; `limits` are fields of ServerLimits."""
    app, drain = Application(handler), DrainState()
    config = server_config(app, limits=ServerLimits(**limits), drain=drain)  # type: ignore[arg-type]
    server = GatewayServer(config, drain, times=times or LeavingTimes(grace_s=0.0, drain_timeout_s=0.3))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with running(server, [listener]):
        yield Served(app, port, drain, server)


@dataclass
class Reply:
    """One response; `informational` are the statuses that came before it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: bytes = b""
    informational: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes, *, eof: bool = False) -> None:
        self.writer.write(data)
        if eof:
            self.writer.write_eof()
        await self.writer.drain()

    async def until_close(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def head(self) -> Reply:
        async with asyncio.timeout(PATIENCE_S):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        pairs = [line.split(": ", 1) for line in lines]
        return Reply(int(first.split()[1]), [(name.lower(), value) for name, value in pairs])

    async def reply(self, *, bodiless: bool = False) -> Reply:
        """The next response, by its own framing; without length or chunks, until the connection closes."""
        informational = []
        reply = await self.head()
        while reply.status < 200:
            informational.append(reply.status)
            reply = await self.head()
        reply.informational = informational
        async with asyncio.timeout(PATIENCE_S):
            if bodiless or reply.status in (204, 304):
                pass
            elif (length := reply.header("content-length")) is not None:
                reply.body = await self.reader.readexactly(int(length))
            elif reply.header("transfer-encoding") == "chunked":
                await self._chunks(reply)
            else:
                reply.body = await self.reader.read()
        return reply

    async def _chunks(self, reply: Reply) -> None:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            reply.body += (await self.reader.readexactly(size + 2))[:-2]
        while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
            reply.trailers += line
