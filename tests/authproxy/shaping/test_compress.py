"""Bodies through a compressor."""

import gzip
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from authproxy.headers import Pair
from authproxy.shaping.compress import SLICE, Brotli, CompressedBody, Compressing, Gzip, Zstd
from authproxy.shaping.pieces import MemoryBody, memory_response
from authproxy.upstream import slim
from routing.shapes.compress import Compress
from tests.support.exchanges import exchange

DECODERS: dict[Any, Any] = {
    Zstd: lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    Brotli: brotli.decompress,
    Gzip: gzip.decompress,
}
TEXT = [(b"content-type", b"text/plain")]


class Paused:
    """A body that comes in these pieces; an empty one is a pause."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = list(pieces)
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        if not self._pieces:
            self.released = True
            return b"", True
        return self._pieces.pop(0), False

    async def next(self) -> tuple[bytes, bool]:
        while True:
            data, done = self.take()
            if data or done:
                return data, done

    def trailers(self) -> list[Pair]:
        return [(b"x", b"1")]

    async def aclose(self) -> None:
        self.released = True


async def read(body: CompressedBody) -> bytes:
    pieces, done = [], False
    while not done:
        data, done = await body.next()
        pieces.append(data)
    return b"".join(pieces)


@pytest.mark.parametrize("kind", DECODERS)
@given(pieces=st.lists(st.sampled_from([b"", b"a", b"text " * 50, b"x" * (3 * SLICE + 1)]), max_size=6))
async def test_any_body_comes_back(kind: Any, pieces: list[bytes]) -> None:
    """However it comes, and with its trailers."""
    inner = Paused(pieces)
    body = CompressedBody(inner, kind())
    assert body.take() == (b"", False)
    assert DECODERS[kind](await read(body)) == b"".join(pieces)
    assert (body.released, inner.released, body.trailers()) == (True, True, [(b"x", b"1")])


async def test_a_pause_flushes() -> None:
    """What came so far can be read."""
    body = CompressedBody(Paused([b"first", b"", b"second"]), Gzip())
    data, done = await body.next()
    assert (zlib.decompressobj(31).decompress(data), done) == (b"first", False)


async def test_closing_closes_what_is_inside() -> None:
    """Once."""
    inner = Paused([b"x"])
    body = CompressedBody(inner, Gzip())
    await body.aclose()
    assert inner.released
    assert await body.next() == (b"", True)


async def test_what_is_in_memory_goes_in_slices_when_it_is_long() -> None:
    """So nobody waits for the whole of it."""
    found = Compressing(Compress()).shape(
        exchange(headers=[(b"accept-encoding", b"br")]), memory_response(200, TEXT, b"ab" * SLICE)
    )
    body: Any = slim.body(found)
    assert isinstance(body, CompressedBody)
    assert brotli.decompress(await read(body)) == b"ab" * SLICE


def test_a_short_body_in_memory_stays() -> None:
    """With Vary."""
    found = Compressing(Compress()).shape(
        exchange(headers=[(b"accept-encoding", b"br")]), memory_response(200, TEXT, b"ab")
    )
    assert slim.body(found).take() == (b"ab", True)
    assert dict(slim.raw_pairs(found))[b"vary"] == b"Accept-Encoding"
    assert isinstance(slim.body(found), MemoryBody)
