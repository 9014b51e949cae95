"""I: Many WebSocket clients in one process: bare protocols, so that it is the gateway that is measured."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import cast

from benchmarks.errors import BenchmarkError
from realtime.tunnel.frames import BINARY, TEXT, FrameReader, encode

OnMessage = Callable[["Client", bytes], None]
_WAIT_S = 20.0
_LONGEST = 1 << 22
_AT_ONCE = 100


class Client(asyncio.Protocol):
    """One connection. `on_message` is called with each message's data."""

    def __init__(self, request: bytes, on_message: Callable[["Client", bytes], None]) -> None:
        self._request = request
        self._on_message = on_message
        self._head: bytes | None = b""
        self._reader = FrameReader(masked=False, max_message=_LONGEST)
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            head, end, rest = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._head, data = None, rest
            self._answered(head)
        if data:
            self._reader.feed(data)
            while (piece := self._reader.next()) is not None:
                if piece[0] in (TEXT, BINARY):
                    self._on_message(self, piece[2])

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(BenchmarkError("a WebSocket connection was closed before it was open"))

    def send(self, data: bytes) -> None:
        self.transport.write(encode(TEXT, True, data, masked=True))

    def _answered(self, head: bytes) -> None:
        if b" 101 " in head.split(b"\r\n", 1)[0]:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(BenchmarkError(head.split(b"\r\n", 1)[0].decode("latin-1")))


async def opened(
    port: int, path: str, count: int, on_message: Callable[[Client, bytes], None], headers: Mapping[str, str]
) -> list[Client]:
    """So many connections, a hundred at a time."""
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *(f"{name}: {value}" for name, value in headers.items()), "", "",
    ]  # fmt: skip
    request = "\r\n".join(lines).encode()
    loop = asyncio.get_running_loop()
    clients: list[Client] = []

    async def one() -> Client:
        _, client = await loop.create_connection(lambda: Client(request, on_message), "127.0.0.1", port)
        await client.opened
        return client

    async with asyncio.timeout(_WAIT_S + count / 100):
        for start in range(0, count, _AT_ONCE):
            clients += await asyncio.gather(*(one() for _ in range(min(_AT_ONCE, count - start))))
    return clients


async def to_and_fro(port: int, path: str, *, connections: int, size: int, duration_s: float) -> int:
    """Each connection sends a message when its last one came back. How many were sent, there and back."""
    messages = 0
    until = time.monotonic() + duration_s
    payload = b"x" * size
    done = asyncio.Event()
    running = connections

    def came_back(client: Client, _data: bytes) -> None:
        nonlocal messages, running
        messages += 2
        if time.monotonic() < until:
            client.send(payload)
        else:
            running -= 1
            if not running:
                done.set()

    clients = await opened(port, path, connections, came_back, {})
    for client in clients:
        client.send(payload)
    async with asyncio.timeout(duration_s + _WAIT_S):
        await done.wait()
    for client in clients:
        client.transport.abort()
    return messages
