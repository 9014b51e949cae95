"""I: A small real HTTP/2 server over plain TCP (prior knowledge) or TLS, for the HTTP/2 side of the transport."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated

Pair = tuple[bytes, bytes]


class Stream:
    """One request, as the handler sees it; it answers through it."""

    def __init__(self, link: "_Link", number: int, headers: list[Pair]) -> None:
        self._link = link
        self.number = number
        self.headers = headers
        self.body = bytearray()
        self.complete = asyncio.Event()
        self.reset_by_client = asyncio.Event()
        self.reset_code: int | None = None
        self.room = asyncio.Event()
        """Something has changed for those who wait for room in a window."""

    def head(self, status: int, *headers: Pair, end: bool = False) -> None:
        fields = [(b":status", b"%d" % status), *headers]
        self._link.engine.send_headers(self.number, fields, end_stream=end)
        self._link.flush()

    def data(self, data: bytes, *, end: bool = False) -> None:
        self._link.engine.send_data(self.number, data, end_stream=end)
        self._link.flush()

    async def pour(self, size: int) -> bool:
        """So many bytes, as fast as the client's windows let them through. False: it has reset the stream."""
        engine = self._link.engine
        while size and not self.reset_by_client.is_set():
            self.room.clear()
            room = min(size, engine.local_flow_control_window(self.number), engine.max_outbound_frame_size)
            if not room:
                await self.room.wait()
                continue
            size -= room
            self.data(bytes(room), end=not size)
        return not size

    def reset(self) -> None:
        self._link.engine.reset_stream(self.number)
        self._link.flush()

    def drop_connection(self) -> None:
        self._link.transport.abort()


Handler = Callable[[Stream], Awaitable[None]]


async def hello(stream: Stream) -> None:
    """Wait for the whole request and say hello."""
    await stream.complete.wait()
    stream.head(200, (b"x-kind", b"h2"), (b"x-kind", b"again"))
    stream.data(b"hello", end=True)


class _Link(asyncio.Protocol):
    def __init__(self, server: "Http2Upstream") -> None:
        self._server = server
        self.engine = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._streams: dict[int, Stream] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._server.links.append(self)
        self.engine.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        for event in self.engine.receive_data(data):
            match event:
                case RequestReceived():
                    stream = Stream(self, event.stream_id, list(event.headers))
                    self._streams[event.stream_id] = stream
                    self._server.spawn(stream)
                case DataReceived():
                    self._streams[event.stream_id].body += event.data
                    self.engine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    self._streams[event.stream_id].complete.set()
                case StreamReset():
                    stream = self._streams[event.stream_id]
                    stream.reset_code = event.error_code
                    stream.reset_by_client.set()
                    stream.room.set()
                case WindowUpdated():
                    for stream in self._streams.values():
                        stream.room.set()
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.engine.data_to_send())


class Http2Upstream:
    """Listens while its context lasts and runs `handler` for every stream."""

    def __init__(self, handler: Handler = hello, *, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.links: list[_Link] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def spawn(self, stream: Stream) -> None:
        task = asyncio.ensure_future(self._handler(stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Link(self), "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for link in self.links:
            link.transport.abort()
        await asyncio.sleep(0)
