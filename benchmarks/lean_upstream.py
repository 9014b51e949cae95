"""I: The upstream where nginx is not installed: one protocol class on uvloop and httptools."""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

from benchmarks.upstream import COUNT_PATH, JSON, LARGE_BYTES, SMALL_BYTES

SLOW_PATH, SLOW_S = b"/slow.json", 0.05
_served = [0]


def _answer(body: bytes, *, body_length: int = 0, kind: bytes = b"text/plain") -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\nx-upstream: bench\r\n"
        b"x-body-length: %d\r\ncontent-length: %d\r\n\r\n" % (kind, body_length, len(body))
    ) + body


_SMALL = _answer(b"x" * SMALL_BYTES)
_LARGE = _answer(b"y" * LARGE_BYTES)
_JSON = _answer(JSON.encode(), kind=b"application/json")


class LeanServer(asyncio.Protocol):
    """Answers when a request is complete; counts all of them over all connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.length = 0

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_body(self, body: bytes) -> None:
        self.length += len(body)

    def on_message_complete(self) -> None:
        _served[0] += 1
        answer = self._choose()
        if self.url == SLOW_PATH:
            asyncio.get_running_loop().call_later(SLOW_S, self.transport.write, answer)
        else:
            self.transport.write(answer)
        self.length = 0

    def _choose(self) -> bytes:
        if self.url == b"/large":
            return _LARGE
        if self.url.endswith(b"json"):
            return _JSON
        if self.url == COUNT_PATH.encode():
            return _answer(b"server accepts handled requests\n 0 0 %d \n" % _served[0])
        return _answer(b"x" * SMALL_BYTES, body_length=self.length) if self.length else _SMALL


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(LeanServer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
