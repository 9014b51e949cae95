"""I: An upstream that does exactly what a test tells it to, on real sockets; and certificates for it.

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhel")
        peer.reset()

    async with ScriptedUpstream(script) as upstream:
        ... upstream.url ...

The script runs once per accepted connection. Losing the connection ends it quietly; any other exception
is raised when the upstream closes, so a wrong script cannot pass unseen.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as its bytes came in. Header names keep their case."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    head: bytes

    def values(self, name: str) -> list[bytes]:
        """All values of a header, in order; the name in any case."""
        wanted = name.lower().encode()
        return [value for key, value in self.headers if key.lower() == wanted]


class Peer:
    """One accepted connection, as the script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        """0 for the first connection that the upstream accepted, and so on."""

    async def head(self) -> bytes:
        """The next request head, blank line included; raises IncompleteReadError at the end of the stream."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def request(self) -> ReceivedRequest:
        """The next whole request."""
        head = await self.head()
        start, *lines = head[:-4].split(b"\r\n")
        method, target, _ = start.split(b" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        request = ReceivedRequest(method.decode(), target, headers, b"", head)
        body = await self._body(request)
        return ReceivedRequest(request.method, target, headers, body, head)

    async def _body(self, request: ReceivedRequest) -> bytes:
        if request.values("transfer-encoding"):
            return b"".join([chunk async for chunk in self._chunks()])
        length = request.values("content-length")
        return await self.reader.readexactly(int(length[0])) if length else b""

    async def _chunks(self):  # type: ignore[no-untyped-def]
        while True:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            chunk = (await self.reader.readexactly(size + 2))[:-2]
            if not size:
                return
            yield chunk

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes, *, pause_s: float = 0.001) -> None:
        """Send byte by byte."""
        for index in range(len(data)):
            await self.send(data[index : index + 1])
            await asyncio.sleep(pause_s)

    def end(self) -> None:
        """Half-close: no more bytes will come, reading goes on (not on TLS)."""
        self.writer.write_eof()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Close with a TCP reset instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_closed(self) -> bytes:
        """Wait until the other side closes or resets; what it sent meanwhile."""
        try:
            return await self.reader.read(-1)
        except ConnectionError:
            return b""


Script = Callable[[Peer], Awaitable[None]]


def answering(*answers: bytes) -> Script:
    """Keep-alive: answer each request of a connection with the next of `answers`, the last one for ever."""

    async def script(peer: Peer) -> None:
        remaining = list(answers)
        while True:
            await peer.request()
            await peer.send(remaining[0])
            if len(remaining) > 1:
                del remaining[0]

    return script


def response(body: bytes = b"", *, status: str = "200 OK", headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A plain HTTP/1.1 response with Content-Length."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class ScriptedUpstream:
    """A listening server that runs `script` for each connection. See the module docstring."""

    def __init__(
        self,
        script: Script,
        *,
        host: str = "127.0.0.1",
        path: Path | None = None,
        tls: ssl.SSLContext | None = None,
        backlog: int = 100,
    ) -> None:
        self._script = script
        self._host = host
        self._path = path
        self._tls = tls
        self._backlog = backlog
        self._failures: list[Exception] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.peers: list[Peer] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where to reach it: http://, https:// or unix:// (no trailing slash)."""
        if self._path is not None:
            return f"unix://{self._path}"
        scheme = "https" if self._tls else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self.port}"

    @property
    def accepted(self) -> int:
        """How many connections it has accepted."""
        return len(self.peers)

    @property
    def open(self) -> int:
        """How many of its connections are still being served."""
        return len(self._tasks)

    async def until_open(self, count: int, *, within_s: float = 5.0) -> None:
        """Wait until exactly `count` connections are being served."""
        async with asyncio.timeout(within_s):
            while self.open != count:
                self._changed.clear()
                await self._changed.wait()

    async def __aenter__(self) -> Self:
        if self._path is not None:
            self._server: asyncio.Server = await asyncio.start_unix_server(
                self._serve, self._path, ssl=self._tls, backlog=self._backlog
            )
        else:
            self._server = await asyncio.start_server(
                self._serve, self._host, self.port, ssl=self._tls, backlog=self._backlog
            )
            self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._failures and error is None:
            raise self._failures[0]

    async def stop(self) -> None:
        """Stop listening and drop every connection; entering again listens on the same port."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self.peers:
            with contextlib.suppress(
                AttributeError
            ):  # of one that had something left to write when it was closed, and is gone
                peer.writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._changed.set()
        peer = Peer(reader, writer, len(self.peers))
        self.peers.append(peer)
        try:
            await self._script(peer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            pass  # asyncio.streams would report a cancelled handler as an unhandled exception
        except Exception as failure:
            self._failures.append(failure)
        finally:
            self._tasks.discard(task)
            self._changed.set()
            with contextlib.suppress(Exception):
                writer.close()


def once(answer: bytes, *, then: str = "wait") -> ScriptedUpstream:
    """Answers the first request of each connection with `answer`, then waits, closes, ends or resets."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        if then == "wait":
            await peer.until_closed()
        else:
            getattr(peer, then)()

    return ScriptedUpstream(script)


class Gate:
    """A script that answers each request when the test lets it."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Peer] = asyncio.Queue()
        self.may_answer = asyncio.Semaphore(0)

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.request()
            self.arrived.put_nowait(peer)
            await self.may_answer.acquire()
            await peer.send(response(b"%d" % peer.number))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate chain and its key, as PEM text."""

    cert: str
    key: str


class Certificates:
    """A certificate authority of our own."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    @property
    def ca(self) -> str:
        """The authority's certificate, as PEM text."""
        return self._authority.cert_pem.bytes().decode()

    def issue(self, *names: str) -> KeyPair:
        """A certificate for host names, addresses or (client certificates) an e-mail address."""
        leaf = self._authority.issue_cert(*names)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return KeyPair(chain.decode(), leaf.private_key_pem.bytes().decode())

    def server_context(
        self, *names: str, client_certificate: bool = False, alpn: tuple[str, ...] = ()
    ) -> ssl.SSLContext:
        """For a server called `names`; with `client_certificate` it demands one of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        return context
