"""I: An upstream for very long bodies: `/sink` swallows, `/source?bytes=N` pours, both with backpressure.

`pause=S` makes it hold still for S seconds first, so that what a proxy piles up meanwhile can be seen.
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

import httptools

_BLOCK = b"z" * 262_144


class Streams(asyncio.Protocol):
    """One request at a time on a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.path = ""
        self.query: dict[str, list[str]] = {}
        self.received = 0
        self.writable = asyncio.Event()
        self.writable.set()
        self.pouring: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.pouring is not None:
            self.pouring.cancel()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def on_url(self, url: bytes) -> None:
        parts = urlsplit(url.decode("ascii"))
        self.path, self.query, self.received = parts.path, parse_qs(parts.query), 0

    def on_headers_complete(self) -> None:
        if self.path == "/sink" and self._pause_s():
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(self._pause_s(), self.transport.resume_reading)

    def on_body(self, body: bytes) -> None:
        self.received += len(body)

    def on_message_complete(self) -> None:
        if self.path == "/source":
            self.pouring = asyncio.get_running_loop().create_task(self._pour(int(self.query["bytes"][0])))
        else:
            answer = b"%d" % self.received
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(answer), answer))

    def _pause_s(self) -> float:
        return float(self.query.get("pause", ["0"])[0])

    async def _pour(self, size_bytes: int) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size_bytes)
        left = size_bytes
        while left:
            await self.writable.wait()
            block = _BLOCK[: min(left, len(_BLOCK))]
            self.transport.write(block)
            left -= len(block)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Streams, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
