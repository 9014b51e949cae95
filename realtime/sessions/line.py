"""I: A client's connection: messages out of frames, and frames to the transport, with bounds. No task, no queue.

What a client does not take waits in the transport's buffer; when that holds too much, the client is too slow and the
connection is closed with a code. Nothing more is written to it from then on.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from authproxy.handshake import Taken
from realtime.closecodes import INVALID_DATA, TOO_SLOW
from realtime.sessions.frames import frame_of
from realtime.tunnel.closing import NO_CODE, payload_of
from realtime.tunnel.frames import BINARY, CLOSE, PING, PONG, FrameReader, encode
from realtime.tunnel.violation import Violation

LARGEST_MESSAGE: Final = 16 * 1024
"""Bytes of a client's message."""
MOST_QUEUED: Final = 1000
"""Messages that wait for a client that does not read."""
MOST_QUEUED_BYTES: Final = 1024 * 1024
HIGH_WATER: Final = 64 * 1024
LINGER_S: Final = 2.0


class Listener(Protocol):
    """Whom a line tells."""

    def heard(self, data: bytes) -> None:
        """A whole text message."""

    def lost(self) -> None:
        """The connection is gone: said once."""

    def relieved(self) -> None:
        """The client has taken what waited for it."""


class Line(asyncio.Protocol):
    """See the module docstring."""

    __slots__ = (
        "_bits",
        "_fragments",
        "_is_broken",
        "_listener",
        "_queued",
        "_reader",
        "_release",
        "code",
        "is_full",
        "is_live",
        "transport",
    )

    def __init__(self, taken: Taken, listener: Listener) -> None:
        inflate, self._bits = taken.deflate_bits or (0, 0)
        self.transport = taken.transport
        self._release: Callable[[], None] | None = taken.release
        self._listener = listener
        self._reader = FrameReader(masked=True, max_message=LARGEST_MESSAGE, inflate_bits=inflate)
        self._fragments = b""
        self._is_broken = False
        self._queued = 0
        self.is_full = False
        self.is_live = True
        """Something has come since somebody last looked."""
        self.code = 0
        """With which this side has closed; 0: it has not."""

    def open(self) -> None:
        """Begins to listen."""
        self.transport.set_write_buffer_limits(HIGH_WATER)
        if self.transport.is_closing():
            asyncio.get_running_loop().call_soon(self.connection_lost, None)
            return
        self.transport.set_protocol(self)
        self.transport.resume_reading()

    # Called by the transport

    def data_received(self, data: bytes) -> None:
        if self._is_broken:
            return  # what follows a violation has no meaning, and must not pile up until the connection is gone
        self.is_live = True
        self._reader.feed(data)
        try:
            while (piece := self._reader.next()) is not None:
                self._take(*piece)
        except Violation as violation:
            self._is_broken = True
            self.close(violation.code, violation.reason)

    def eof_received(self) -> None:
        """The transport closes."""

    def connection_lost(self, _error: Exception | None) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()
            self._listener.lost()

    def pause_writing(self) -> None:
        self.is_full, self._queued = True, 0

    def resume_writing(self) -> None:
        self.is_full = False
        self._listener.relieved()

    # Called by the session

    @property
    def deflate_bits(self) -> int:
        """The window of the compressor; 0: messages go as they are."""
        return self._bits

    def send(self, data: bytes) -> None:
        """One text message."""
        self.write(frame_of(data, self._bits))

    def write(self, frame: bytes) -> None:
        """One frame; nothing once the connection is at its end."""
        if self.code or self._release is None:
            return
        self.transport.write(frame)
        if self.is_full:
            self._queued += 1
            if self._queued > MOST_QUEUED or self.transport.get_write_buffer_size() > MOST_QUEUED_BYTES:
                self.close(TOO_SLOW, "messages were not taken in time")

    def ping(self) -> None:
        """Asks whether anybody is there."""
        if not self.is_full:
            self.write(encode(PING, True, b"", masked=False))

    def close(self, code: int, reason: str) -> None:
        """Says so, and hangs up once everything is written, or the client has not taken it in LINGER_S."""
        if self.code or self._release is None:
            return
        self.code = code
        self.transport.write(encode(CLOSE, True, payload_of(code, reason), masked=False))
        asyncio.get_running_loop().call_later(LINGER_S, self.transport.abort)

    # Its own

    def _take(self, op: int, fin: bool, data: bytes) -> None:
        if op == CLOSE:
            self._closed(data)
        elif self.code or op == PONG:
            return
        elif op == PING:
            self.write(encode(PONG, True, data, masked=False))
        elif op == BINARY:
            self.close(INVALID_DATA, "messages are text")
        elif fin and not self._fragments:
            self._listener.heard(data)
        else:
            self._fragments += data  # at most LARGEST_MESSAGE: the reader sees to it
            if fin:
                data, self._fragments = self._fragments, b""
                self._listener.heard(data)

    def _closed(self, payload: bytes) -> None:
        """The client's closing frame: the answer to ours, or to be answered."""
        if not self.code:
            code, _ = self._reader.close or (NO_CODE, "")
            self.code = code
            self.transport.write(encode(CLOSE, True, payload[:2], masked=False))
        self.transport.close()
