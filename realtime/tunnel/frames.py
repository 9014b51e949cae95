"""I: Frames out of bytes and bytes out of frames (RFC 6455 section 5), as strict as the RFC is, and as they come.

A frame goes on whole; of one that is longer than STREAMED, what has come goes on as a fragment, so that no message is
ever held. Checked are reserved bits and opcodes, masking, the shortest form of lengths, control frames, the order of
fragments, text (UTF-8, across fragments), closing frames, and the size of messages.
"""

import codecs
import os
from struct import Struct
from typing import Final

from websockets.speedups import apply_mask

from realtime.tunnel.closing import INVALID_DATA, PROTOCOL_ERROR, TOO_BIG, read_payload
from realtime.tunnel.deflating import Inflater
from realtime.tunnel.violation import Violation

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
STREAMED: Final = 65_536
"""Bytes of a payload: a longer one goes on in pieces."""
_LEAST_PIECE: Final = 4096
_FIN, _RSV1, _OTHER_RSV, _MASKED = 0x80, 0x40, 0x30, 0x80
_OPCODES: Final = frozenset({CONT, TEXT, BINARY, CLOSE, PING, PONG})
_SHORT: Final = Struct("!BBH").pack
_LONG: Final = Struct("!BBQ").pack
_utf8 = codecs.getincrementaldecoder("utf-8")

Piece = tuple[int, bool, bytes]
"""Opcode, whether the message ends with it, and the data; a piece goes on as one frame."""


def encode(opcode: int, fin: bool, data: bytes, *, masked: bool, compressed: bool = False) -> bytes:
    """One frame. Clients mask, with a key that nobody can foretell (RFC 6455 section 5.3)."""
    first = opcode | (_FIN if fin else 0) | (_RSV1 if compressed else 0)
    size = len(data)
    mark = _MASKED if masked else 0
    if size < 126:
        head = bytes((first, mark | size))
    elif size < 65_536:
        head = _SHORT(first, mark | 126, size)
    else:
        head = _LONG(first, mark | 127, size)
    if not masked:
        return head + data
    key = os.urandom(4)
    return head + key + apply_mask(data, key)


class FrameReader:
    """What one peer sends. `feed` what came, then call `next` until it says None, or for as long as there is room."""

    __slots__ = (
        "_at",
        "_data",
        "_fin",
        "_inflater",
        "_is_deflated",
        "_is_streamed",
        "_is_text",
        "_key",
        "_left",
        "_masked",
        "_max_message",
        "_op",
        "_size",
        "_text",
        "close",
        "in_message",
    )

    def __init__(self, *, masked: bool, max_message: int, inflate_bits: int = 0) -> None:
        """`masked`: the peer is a client. `inflate_bits`: the window of its compressed messages; 0: it has none."""
        self._masked = masked
        self._max_message = max_message
        self._inflater = Inflater(inflate_bits) if inflate_bits else None
        self._data = b""
        self._at = 0
        self._left = -1  # of the frame's payload; -1: between frames
        self._op = 0
        self._fin = False
        self._key = b""
        self._is_streamed = False
        self._is_deflated = self._is_text = False
        self._size = 0
        self._text: codecs.IncrementalDecoder | None = None
        self.in_message = False
        """A message has begun and not ended."""
        self.close: tuple[int, str] | None = None
        """What the peer's closing frame says; nothing that follows is looked at."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        if self._at == len(self._data):
            self._data = data
        else:
            self._data = self._data[self._at :] + data
        self._at = 0

    def next(self) -> Piece | None:
        """The next piece; None: not before more has come. Raises Violation."""
        while True:
            if self._left < 0 and not self._begin():
                return None
            payload = self._take()
            if payload is None:
                return None
            op, self._op = self._op, CONT
            if op >= CLOSE:
                return self._control(op, payload)
            fin = self._fin and self._left < 0
            if self._is_deflated:
                payload = self._inflated(payload, fin)
                if not (payload or fin or op):
                    continue
            if self._is_text:
                self._check_text(payload, fin)
            if fin:
                self.in_message = self._is_deflated = self._is_text = False
                self._size = 0
            return op, fin, payload

    def _take(self) -> bytes | None:
        """The rest of the frame's payload, or a piece of a long one; None: too little has come."""
        data, at, left = self._data, self._at, self._left
        have = len(data) - at
        if have >= left:
            end, self._left = at + left, -1
        elif self._is_streamed and have >= _LEAST_PIECE:
            end = at + have - have % 4  # so that the key goes on from its beginning
            self._left = left - (end - at)
        else:
            return None
        payload = data[at:end]
        self._at = end
        if end == len(data):
            self._data, self._at = b"", 0
        return apply_mask(payload, self._key) if self._masked else payload

    def _begin(self) -> bool:
        """The head of a frame; False: it has not come whole."""
        data, at = self._data, self._at
        have = len(data) - at
        if have < 2 or self.close is not None:
            return False
        first, second = data[at], data[at + 1]
        op, size = first & 0x0F, second & 0x7F
        self._check_head(first, op, second)
        at += 2
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[at : at + width], "big")
            at += width
            if at <= len(data) and (size < 126 if width == 2 else not 65_536 <= size < 1 << 63):
                raise Violation(PROTOCOL_ERROR, "bad length")
        if self._masked:
            self._key = data[at : at + 4]
            at += 4
        if at > len(data):
            return False
        self._at, self._left = at, size
        if op >= CLOSE:
            self._op, self._fin, self._is_streamed = op, True, False
        else:
            self._begin_data(first, op, size)
        return True

    def _check_head(self, first: int, op: int, second: int) -> None:
        if op not in _OPCODES or first & _OTHER_RSV:
            raise Violation(PROTOCOL_ERROR, "reserved bits or opcode")
        if first & _RSV1 and (self._inflater is None or op not in (TEXT, BINARY)):
            raise Violation(PROTOCOL_ERROR, "reserved bits or opcode")
        if bool(second & _MASKED) is not self._masked:
            raise Violation(PROTOCOL_ERROR, "wrong masking")
        if op >= CLOSE:
            if not first & _FIN or second & 0x7F > 125:
                raise Violation(PROTOCOL_ERROR, "bad control frame")
        elif (op == CONT) is not self.in_message:
            raise Violation(PROTOCOL_ERROR, "fragments out of order")

    def _begin_data(self, first: int, op: int, size: int) -> None:
        if op != CONT:
            self._is_deflated = bool(first & _RSV1)
            self._is_text = op == TEXT
            self.in_message = True
        if not self._is_deflated:
            self._size += size
            if self._size > self._max_message:
                raise Violation(TOO_BIG, f"messages may have {self._max_message} bytes")
        self._op, self._fin, self._is_streamed = op, bool(first & _FIN), size > STREAMED

    def _inflated(self, payload: bytes, fin: bool) -> bytes:
        assert self._inflater is not None
        data = self._inflater.inflate(payload, fin=fin, most=self._max_message - self._size)
        self._size += len(data)
        return data

    def _check_text(self, payload: bytes, fin: bool) -> None:
        try:
            if self._text is None and fin:
                if not payload.isascii():
                    payload.decode()
                return
            self._text = self._text or _utf8()
            self._text.decode(payload, fin)
            if fin:
                self._text = None
        except UnicodeDecodeError:
            raise Violation(INVALID_DATA, "text that is not UTF-8") from None

    def _control(self, op: int, payload: bytes) -> Piece:
        if op == CLOSE:
            self.close = read_payload(payload)
        return op, True, payload
