"""What is no frame or no message on `/api/v1/ws`: the right close code or an `error`, and nothing in the log."""

import asyncio
import base64
import json
import zlib
from struct import pack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.gateway import document, route
from tests.support.process import PATIENCE_S, Site

pytestmark = [pytest.mark.timeout(120)]
FIN, TEXT, BINARY, CLOSE, PING = 0x80, 1, 2, 8, 9
NO_MASK = bytes(4)


def frame(first: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
    """With a key that leaves the payload as it is; the shortest form of its length."""
    size, mark = len(payload), 0x80 if masked else 0
    length = bytes([mark | size]) if size < 126 else pack("!BH", mark | 126, size)
    return bytes([first]) + length + (NO_MASK if masked else b"") + payload


def deflated(payload: bytes) -> bytes:
    """As permessage-deflate has it."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


CLOSING = {
    "bad UTF-8": (frame(FIN | TEXT, b'{"a": "\xff"}'), 1007),
    "bad UTF-8 across fragments": (frame(TEXT, b'"\xc3') + frame(FIN, b'("'), 1007),
    "UTF-8 cut short": (frame(FIN | TEXT, b'"\xe2\x82'), 1007),
    "surrogates in UTF-8": (frame(FIN | TEXT, b'"\xed\xa0\x80"'), 1007),
    "binary": (frame(FIN | BINARY, b'{"type": "ping"}'), 1007),
    "unmasked": (frame(FIN | TEXT, b'{"type": "ping"}', masked=False), 1002),
    "continuation without a start": (frame(FIN, b"x"), 1002),
    "a start within a message": (frame(TEXT, b"x") + frame(FIN | TEXT, b"y"), 1002),
    "reserved bit 2": (frame(FIN | 0x20 | TEXT, b"{}"), 1002),
    "reserved bit 3": (frame(FIN | 0x10 | TEXT, b"{}"), 1002),
    "reserved opcode": (frame(FIN | 3, b"{}"), 1002),
    "reserved control opcode": (frame(FIN | 11), 1002),
    "compressed control frame": (frame(FIN | 0x40 | PING), 1002),
    "fragmented ping": (frame(PING), 1002),
    "long ping": (frame(FIN | PING, b"x" * 126), 1002),
    "length not in its shortest form": (bytes([FIN | TEXT, 0xFE, 0, 5]) + NO_MASK + b"hello", 1002),
    "length with its highest bit": (bytes([FIN | TEXT, 0xFF]) + b"\xff" * 8 + NO_MASK, 1002),
    "oversize": (frame(FIN | TEXT, b" " * 16_385), 1009),
    "announced oversize": (bytes([FIN | TEXT, 0xFF]) + pack("!Q", 1 << 40) + NO_MASK, 1009),
    "oversize in fragments": (frame(TEXT, b" " * 16_000) + frame(FIN, b" " * 385), 1009),
    "oversize when inflated": (frame(FIN | 0x40 | TEXT, deflated(b" " * 4_000_000)), 1009),
    "what cannot be inflated": (frame(FIN | 0x40 | TEXT, b"\xff\xff\xff"), 1002),
    "close with half a code": (frame(FIN | CLOSE, b"\x03"), 1002),
    "close with a code that is none": (frame(FIN | CLOSE, pack("!H", 1005)), 1002),
    "close with a bad reason": (frame(FIN | CLOSE, pack("!H", 1000) + b"\xff"), 1007),
}  # fmt: skip
MESSAGES = [
    "", "{", "nul", "NaN", '{"type": "ping"}}', "[]", "1", "null", '"ping"', "{}",
    '{"type": null}', '{"type": {}}', '{"type": "dance"}', '{"type": "subscribe"}', '{"type": "subscribe", "topic": 1}',
    '{"type": "subscribe", "topic": "\\ud800"}', '{"type": "subscribe", "topic": "generation.é"}',
    '{"type": "subscribe", "topic": "generation.1", "last_event_id": {}}',
    '{"type": "subscribe_generation", "generation_id": ["1"]}', '{"type": "unsubscribe", "topic": []}',
    '{"type": "authenticate"}', '{"type": "authenticate", "token": "é"}', '{"type": "resume", "resume_token": 1}',
    '{"type": "resume", "resume_token": "é.é"}', '{"type": "resume", "resume_token": "x", "last_event_ids": []}',
    '{"type": "resume", "resume_token": "x", "last_event_ids": {"a": 1}}', "[" * 16_000,
]  # fmt: skip


async def closed_with(port: int, data: bytes) -> int:
    """The code in the closing frame that answers these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(b"0123456789abcdef").decode()
    fields = f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    fields += "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    writer.write(f"GET /api/v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n{fields}\r\n".encode())
    try:
        async with asyncio.timeout(PATIENCE_S):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 "), head
            writer.write(data)
            while True:
                first, size = await reader.readexactly(2)
                if size == 126:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                payload = await reader.readexactly(size)
                if first == FIN | CLOSE:
                    return int.from_bytes(payload[:2], "big")
    finally:
        writer.transport.abort()


async def answers(port: int, text: str) -> tuple[str, str]:
    """To one message, and to a ping after it; or the code with which it closed."""
    async with connect(f"ws://127.0.0.1:{port}/api/v1/ws", proxy=None) as socket, asyncio.timeout(PATIENCE_S):
        await socket.recv()
        try:
            await socket.send(text)
            answer: dict[str, Any] = json.loads(await socket.recv())
            await socket.send('{"type": "ping"}')
            after: dict[str, Any] = json.loads(await socket.recv())
        except ConnectionClosed as closed:
            return "closed", str(closed)
    assert answer["message"]
    return answer["type"], after["type"]


async def test_garbage_is_answered_in_order(site: Site) -> None:
    """All of it at one gateway, which still serves afterwards, and has no traceback to tell of."""
    site.env["ENABLE_AUTHENTICATION"] = "false"
    await site.apply(document(route("r", path="/r", respond={"status": 200, "body": "x"})))
    async with site.serving() as running:
        await running.until("/r", 200)
        codes = {name: await closed_with(running.port, data) for name, (data, _) in CLOSING.items()}
        said = {text[:80]: await answers(running.port, text) for text in MESSAGES}
        assert (await running.get("/r")).status == 200
    assert codes == {name: code for name, (_, code) in CLOSING.items()}
    assert said == dict.fromkeys(said, ("error", "pong"))
    assert "Traceback" not in running.text
