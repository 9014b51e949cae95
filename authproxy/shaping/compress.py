"""I: `compress: true`: answers compressed for clients that take it (RFC 9110 sections 8.4.1 and 12.5.3).

A body streams through its compressor in slices of at most `SLICE` bytes, with a turn for others between two of them.
When the upstream pauses (nothing more is there after one turn of the event loop), what the compressor holds back is
flushed: no byte waits for the next one. Memory is the compressor's window, whatever the length.

Not compressed: what is encoded already, parts of something (206, Content-Range), `no-transform`, events, media types
that do not get smaller, what is known to be short. `Vary: Accept-Encoding` is said of every answer of a compressible
type.
"""

import asyncio
import zlib
from typing import Any, Final, Protocol

import brotli
import httpx
import zstandard

from authproxy.exchange import Exchange
from authproxy.headers import Pair, Pairs
from authproxy.shaping.mending import BODILESS, field, media_type, mended
from authproxy.shaping.pieces import MemoryBody, Pieces, with_body
from authproxy.upstream import slim
from routing.shapes.compress import Algorithm, Compress, chosen

SLICE: Final = 64 * 1024
_PIECE: Final = 256 * 1024
"""After so many bytes, what came out is handed on, however fast the upstream is."""
_ZSTD_LEVEL: Final = 3
_BROTLI_QUALITY: Final = 4
_BROTLI_WINDOW: Final = 19  # 512 KB: a megabyte or two for each answer under way
_GZIP_LEVEL: Final = 5
_GZIP_WINDOW: Final = 31  # 32 KB, with gzip's own frame
_VARY: Final = b"Accept-Encoding"
_ZSTD: Final = zstandard.ZstdCompressionParameters.from_level(_ZSTD_LEVEL, window_log=19)


class Compressor(Protocol):
    """A stream that gets smaller."""

    def compress(self, data: bytes | memoryview) -> bytes: ...
    def flush(self) -> bytes:
        """All that went in can be read by the client."""

    def finish(self) -> bytes: ...


class Zstd:
    """RFC 8878."""

    def __init__(self) -> None:
        self._stream: Any = zstandard.ZstdCompressor(compression_params=_ZSTD).compressobj()
        self.compress = self._stream.compress

    def flush(self) -> bytes:
        return bytes(self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))

    def finish(self) -> bytes:
        return bytes(self._stream.flush())


class Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        stream: Any = brotli.Compressor(quality=_BROTLI_QUALITY, lgwin=_BROTLI_WINDOW)
        self.compress = stream.process
        self.flush = stream.flush
        self.finish = stream.finish


class Gzip:
    """RFC 1952."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        self.compress = self._stream.compress

    def flush(self) -> bytes:
        return self._stream.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._stream.flush(zlib.Z_FINISH)


_COMPRESSORS: Final[dict[Algorithm, type[Zstd] | type[Brotli] | type[Gzip]]] = {
    "zstd": Zstd,
    "br": Brotli,
    "gzip": Gzip,
}


class CompressedBody(httpx.AsyncByteStream):
    """A body on its way through a compressor."""

    def __init__(self, inner: Pieces, compressor: Compressor, beginning: bytes = b"") -> None:
        self._inner = inner
        self._compressor = compressor
        self._pending = memoryview(beginning)
        self._ended = False
        """The inner body has."""
        self._unflushed = False
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        """Nothing yet: what is there is compressed in `next`, a slice at a time."""
        return b"", self.released

    async def next(self) -> tuple[bytes, bool]:
        if self.released:
            return b"", True
        pieces: list[bytes] = []
        size = 0
        while size < _PIECE:
            if not self._pending:
                if self._ended:
                    self.released = True
                    return b"".join([*pieces, self._compressor.finish()]), True
                if not self._unflushed and not size:
                    self._pending = await self._more()
                    continue
                await asyncio.sleep(0)  # what arrives meanwhile is compressed with the rest
                if not self._arrived():
                    pieces.append(self._compressor.flush())
                    self._unflushed = False
                    break
                continue
            data, self._pending = self._pending[:SLICE], self._pending[SLICE:]
            pieces.append(self._compressor.compress(data))
            self._unflushed = True
            size += len(data)
            if self._pending:
                await asyncio.sleep(0)
        return b"".join(pieces), False

    def _arrived(self) -> bool:
        data, self._ended = self._inner.take()
        self._pending = memoryview(data)
        return bool(data) or self._ended

    async def _more(self) -> memoryview:
        data, self._ended = await self._inner.next()
        return memoryview(data)

    def trailers(self) -> list[Pair]:
        return self._inner.trailers()

    async def aclose(self) -> None:
        self.released = True
        self._pending = memoryview(b"")
        if not self._inner.released:
            await self._inner.aclose()


class Compressing:
    """A route's shaper, its last one."""

    def __init__(self, policy: Compress) -> None:
        self._policy = policy

    def shape(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        """The answer as the client takes it, or as it is."""
        status, pairs = response.status_code, slim.raw_pairs(response)
        if not self._policy.takes(media_type(field(pairs, b"content-type"))) or status in BODILESS:
            return response
        pairs = _varying(pairs)
        algorithm = None if _is_fixed(status, pairs) else self._algorithm(exchange)
        if algorithm is None or _is_short(pairs, self._policy.min_size):
            return _same(response, pairs)
        if exchange.method == "HEAD":
            return with_body(response, _fields(pairs, algorithm, None), response.stream)  # type: ignore[arg-type]
        body = slim.body(response)
        data, done = body.take()
        if not done:
            compressed = CompressedBody(body, _COMPRESSORS[algorithm](), data)
            return with_body(response, _fields(pairs, algorithm, None), compressed)
        if len(data) < self._policy.min_size:
            return with_body(response, pairs, MemoryBody(data, body.trailers()))
        if len(data) <= SLICE:
            compressor = _COMPRESSORS[algorithm]()
            made = compressor.compress(data) + compressor.finish()
            fields = _fields(pairs, algorithm, len(made))
            return with_body(response, fields, MemoryBody(made, body.trailers()))
        inner = MemoryBody(b"", body.trailers())
        return with_body(
            response, _fields(pairs, algorithm, None), CompressedBody(inner, _COMPRESSORS[algorithm](), data)
        )

    def _algorithm(self, exchange: Exchange) -> Algorithm | None:
        accepted: list[bytes] = []
        for name, value in exchange.scope["headers"]:
            if name == b"accept-encoding":
                accepted.append(value)
            elif (name == b"cookie" and self._policy.except_cookies) or (
                name == b"authorization" and self._policy.except_authorization
            ):
                return None
        return chosen(b",".join(accepted), self._policy.algorithms) if accepted else None


def _is_fixed(status: int, pairs: Pairs) -> bool:
    """Whether these bytes must stay as they are."""
    if status == 206:
        return True
    for name, value in pairs:
        if name == b"content-range" or (name == b"content-encoding" and value.lower() != b"identity"):
            return True
        if name == b"cache-control" and b"no-transform" in value.lower():
            return True
    return False


def _is_short(pairs: Pairs, least: int) -> bool:
    length = field(pairs, b"content-length")
    return length.isdigit() and int(length) < least


def _varying(pairs: Pairs) -> list[Pair]:
    """With Vary, unless it says so already (RFC 9110 section 12.5.5)."""
    for name, value in pairs:
        if name == b"vary" and (b"*" in value or b"accept-encoding" in value.lower()):
            return list(pairs)
    return [*pairs, (b"vary", _VARY)]


def _fields(pairs: Pairs, algorithm: Algorithm, length: int | None) -> list[Pair]:
    kept = [pair for pair in mended(pairs, length) if pair[0] != b"content-encoding"]
    if length is not None:
        kept = [pair for pair in kept if pair[0] != b"transfer-encoding"]
    return [*kept, (b"content-encoding", algorithm.encode("ascii"))]


def _same(response: httpx.Response, pairs: list[Pair]) -> httpx.Response:
    return slim.response(response.status_code, pairs, response.stream, response.extensions, response.request)  # type: ignore[arg-type]
