"""Compressed answers on real sockets: who gets what, and that nothing waits, grows or breaks."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import brotli
import pytest
import zstandard

from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.recording import Recording, proxied
from tests.support.upstreams import Peer, ScriptedUpstream, response

TEXT = ("Content-Type", "text/plain; charset=utf-8")
BODY = b"some text that repeats itself, " * 100
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"


def decoded(answer: Answer) -> bytes:
    coding = answer.header("content-encoding")
    return DECODERS[coding](answer.body) if coding else answer.body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@asynccontextmanager
async def compressing(script: Callable[[Peer], Any], **keys: Any) -> AsyncIterator[RawClient]:
    """A gateway that compresses what an upstream sends by `script`."""
    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", compress=True, **keys), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            yield client


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.1", "br"),
        ("identity", None),
        ("deflate", None),
        ("gzip;q=0", None),
        ("", None),
    ],
)
async def test_clients_choose(accepted: str, coding: str | None) -> None:
    """By weight, then in the order of the configuration; the answer says what it depends on."""
    upstream = Recording(response(BODY, headers=[TEXT, ("ETag", '"a"'), ("Vary", "Origin")]))
    async with proxied(upstream, compress=True) as (_plane, client):
        answer = await client.get("/x", f"Accept-Encoding: {accepted}")

    assert answer.header("content-encoding") == coding
    assert answer.values("vary") == ["Origin", "Accept-Encoding"]
    assert answer.header("etag") == ('W/"a"' if coding else '"a"')
    assert decoded(answer) == BODY
    assert (len(answer.body) < len(BODY)) is (coding is not None)


@pytest.mark.parametrize(
    ("headers", "status", "length", "varies"),
    [
        ([("Content-Type", "image/png")], "200 OK", 3000, False),
        ([("Content-Type", "text/event-stream")], "200 OK", 3000, False),
        ([TEXT, ("Content-Encoding", "br")], "200 OK", 3000, True),
        ([TEXT, ("Cache-Control", "private, No-Transform")], "200 OK", 3000, True),
        ([TEXT, ("Content-Range", "bytes 0-2999/9000")], "206 Partial Content", 3000, True),
        ([TEXT], "200 OK", 1000, True),
        ([], "200 OK", 3000, False),
    ],
)
async def test_what_stays_as_it_is(headers: Any, status: str, length: int, varies: bool) -> None:
    """Byte for byte, with its length."""
    body = BODY[:length]
    upstream = Recording(response(body, status=status, headers=headers))
    async with proxied(upstream, compress=True) as (_plane, client):
        answer = await client.get("/x", "Accept-Encoding: gzip")
    assert (answer.body, answer.header("content-length")) == (body, str(length))
    assert answer.values("vary") == (["Accept-Encoding"] if varies else [])


async def test_head_and_bodiless_answers() -> None:
    """HEAD says what GET would; a 304 has nothing to compress."""
    upstream = Recording(response(BODY, headers=[TEXT]).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    async with proxied(upstream, compress=True) as (_plane, client):
        head = await client.get("/x", "Accept-Encoding: gzip", method="HEAD")
    assert (head.header("content-encoding"), head.header("content-length")) == ("gzip", None)
    upstream = Recording(b"HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain\r\n\r\n")
    async with proxied(upstream, compress=True) as (_plane, client):
        answer = await client.get("/x", "Accept-Encoding: gzip")
    assert (answer.status, answer.header("content-encoding")) == (304, None)


@pytest.mark.parametrize(
    ("field", "kept"), [("Cookie: a=1", True), ("Authorization: Basic eA==", False), ("X: 1", False)]
)
async def test_secrets_are_kept_apart(field: str, kept: bool) -> None:
    """BREACH: who reflects what others send beside a secret says so."""
    upstream = Recording(response(BODY, headers=[TEXT]))
    async with proxied(upstream, compress=True, compression={"except_with": ["cookies"]}) as (_plane, client):
        answer = await client.get("/x", "Accept-Encoding: gzip", field)
    assert (answer.header("content-encoding") is None) is kept


async def test_settings() -> None:
    """Algorithms, sizes and types are the operator's."""
    upstream = Recording(response(BODY[:500], headers=[("Content-Type", "image/x-own")]))
    settings = {"algorithms": ["gzip"], "min_size": 100, "types": ["image/*"]}
    async with proxied(upstream, compress=True, compression=settings) as (_plane, client):
        answer = await client.get("/x", "Accept-Encoding: br, gzip;q=0.1")
    assert (answer.header("content-encoding"), decoded(answer)) == ("gzip", BODY[:500])


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
async def test_slow_pieces_arrive_at_once(coding: str) -> None:
    """Each can be read before the next one is sent, which the upstream does only when it has been."""
    seen = [asyncio.Event() for _ in range(4)]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD)
        for number, event in enumerate(seen):
            await peer.send(chunk(b"piece %d\n" % number))
            await event.wait()
        await peer.send(b"0\r\n\r\n")

    streams: dict[str, Any] = {
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
        "br": lambda: brotli.Decompressor().process,
        "gzip": lambda: zlib.decompressobj(31).decompress,
    }
    decode = streams[coding]()
    async with compressing(script) as client, asyncio.timeout(10):
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %b\r\n\r\n" % coding.encode())
        await client.head()
        for number, event in enumerate(seen):
            text = b""
            while text != b"piece %d\n" % number:
                text += decode(await _chunk(client))
            event.set()
        assert await client.reader.readuntil(b"0\r\n\r\n")


async def _chunk(client: RawClient) -> bytes:
    size = int(await client.reader.readline(), 16)
    data = await client.reader.readexactly(size)
    await client.reader.readline()
    return data


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
async def test_long_answers_need_no_memory(coding: str) -> None:
    """50 MB through the gateway, with a client that reads at its leisure; it holds a few pieces, never the whole."""
    piece = b"".join(b"line %d of a text that is long enough\n" % number for number in range(1600))
    count = 50 * 1024 * 1024 // len(piece)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD)
        for _ in range(count):
            await peer.send(chunk(piece))
        await peer.send(b"0\r\n\r\n")

    streams: dict[str, Any] = {
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
        "br": lambda: brotli.Decompressor().process,
        "gzip": lambda: zlib.decompressobj(31).decompress,
    }
    decode = streams[coding]()
    size = 0
    async with compressing(script) as client, asyncio.timeout(60):
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %b\r\n\r\n" % coding.encode())
        await client.head()
        tracemalloc.start()
        try:
            while (length := int(await client.reader.readline(), 16)) > 0:
                size += len(decode(await client.reader.readexactly(length)))
                await client.reader.readline()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == count * len(piece)
    assert peak < 16 * 1024 * 1024


async def test_a_body_that_breaks_off_is_cut_off() -> None:
    """The end of the framing never comes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + chunk(BODY))
        peer.reset()

    async with compressing(script) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        everything = await client.reader.read()
    assert not everything.endswith(b"0\r\n\r\n")


async def test_envelopes_are_compressed() -> None:
    """What is wrapped first is compressed last; long answers stream through both."""
    body = json.dumps(list(range(100_000))).encode()
    upstream = Recording(response(body, headers=[("Content-Type", "application/json")]))
    async with proxied(upstream, compress=True, envelope=True) as (_plane, client):
        answer = await client.get("/x", "Accept-Encoding: br")
    assert json.loads(decoded(answer))["data"] == list(range(100_000))
    assert answer.header("content-length") is None
