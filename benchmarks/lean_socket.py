"""I: The WebSocket upstream: sends each short message back, at as little cost as can be."""

import asyncio
import sys
from typing import cast

import uvloop

from realtime.tunnel.frames import CLOSE, PING, PONG, FrameReader, encode
from realtime.tunnel.switching import KEY, accept_of

LONGEST: int = 1 << 20


class Echo(asyncio.Protocol):
    """Answers any HTTP request without an upgrade with 200, so that it can be waited for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._reader: FrameReader | None = None
        self._head = b""

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._switch(head)
        if data and self._reader is not None:
            self._send_back(self._reader, data)

    def _switch(self, head: bytes) -> None:
        fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
        }
        key = fields.get(KEY)
        if key is None:
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            self._head = b""
            return
        self._reader = FrameReader(masked=True, max_message=LONGEST)
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept_of(key)
        )

    def _send_back(self, reader: FrameReader, data: bytes) -> None:
        reader.feed(data)
        while (piece := reader.next()) is not None:
            op, fin, payload = piece
            self._transport.write(encode(PONG if op == PING else op, fin, payload, masked=False))
            if op == CLOSE:
                self._transport.close()


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
