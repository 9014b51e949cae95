"""P: Compressed messages (RFC 7692), each for itself: nothing is kept between two of them, so that who is silent costs
nothing. A compressor is 30 kB, which is more than all else that a connection needs."""

import zlib
from typing import Any, Final

from realtime.tunnel.closing import PROTOCOL_ERROR, TOO_BIG
from realtime.tunnel.violation import Violation

LEAST_COMPRESSED: Final = 512
"""Bytes of a message's first piece: shorter ones go as they are."""
_TAIL: Final = b"\x00\x00\xff\xff"
_MEMORY_LEVEL: Final = 5
_QUICK: Final = 1


class Inflater:
    """One direction's. A decompressor lives from a message's first piece to its last."""

    __slots__ = ("_bits", "_stream")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._stream: Any = None

    def inflate(self, data: bytes, *, fin: bool, most: int) -> bytes:
        """What `data` stands for. Raises Violation where that is more than `most` bytes, or nothing."""
        stream = self._stream or zlib.decompressobj(-self._bits)
        self._stream = None if fin else stream
        try:
            found: bytes = stream.decompress(data + _TAIL if fin else data, most + 1)
        except zlib.error:
            raise Violation(PROTOCOL_ERROR, "bad compressed data") from None
        if len(found) > most:
            raise Violation(TOO_BIG, "the message is too large")
        return found


class Deflater:
    """One direction's. A compressor lives from a message's first piece to its last."""

    __slots__ = ("_bits", "_stream")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._stream: Any = None

    def begin(self, data: bytes) -> bool:
        """Whether the message that begins with `data` is worth it."""
        if len(data) < LEAST_COMPRESSED:
            return False
        self._stream = zlib.compressobj(_QUICK, zlib.DEFLATED, -self._bits, _MEMORY_LEVEL)
        return True

    @property
    def is_busy(self) -> bool:
        """Within a message that is compressed."""
        return self._stream is not None

    def deflate(self, data: bytes, *, fin: bool) -> bytes:
        """The next piece of the message."""
        stream = self._stream
        found: bytes = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
        if fin:
            self._stream = None
            return found[: -len(_TAIL)]
        return found
