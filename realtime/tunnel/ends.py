"""I: One side of a proxied connection: frames from its peer go to the other side in the very callback that brings them.

No task, no queue: where the other side's buffer is full, this side is not read until it has room again. What is written
ahead of a peer that does not read is one read of the event loop's at most, and the transport's own buffer.
"""

import asyncio
import os
from typing import Final, Protocol

from realtime.tunnel.deflating import Deflater
from realtime.tunnel.frames import CLOSE, CONT, PING, PONG, FrameReader, encode
from realtime.tunnel.violation import Violation

LINGER_S: Final = 2.0
"""How long a peer has for taking what was written before its connection is cut off."""
_PING_BYTES: Final = 8


class Whole(Protocol):
    """What an end tells of: the connection as a whole."""

    def moved(self) -> None:
        """Something came that counts as life."""

    def closing_began(self, end: "End", payload: bytes) -> None: ...
    def violated(self, end: "End", violation: Violation) -> None: ...
    def lost(self, end: "End") -> None: ...
    def shutdown(self) -> None: ...


class End(asyncio.Protocol):
    """See the module docstring. `course` and `other` are set before anything comes."""

    __slots__ = (
        "_deflater",
        "_held",
        "_ping",
        "_unsent",
        "close_received",
        "close_sent",
        "course",
        "heard",
        "is_asked",
        "is_client",
        "is_deaf",
        "is_full",
        "is_lost",
        "loop",
        "other",
        "reader",
        "received",
        "transport",
    )

    course: Whole
    other: "End"
    transport: asyncio.Transport

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        is_client: bool,
        max_message: int,
        deflate_bits: tuple[int, int] | None = None,
    ) -> None:
        self.loop = loop
        self.is_client = is_client
        inflate, deflate = deflate_bits or (0, 0)
        self.reader = FrameReader(masked=is_client, max_message=max_message, inflate_bits=inflate)
        self._deflater = Deflater(deflate) if deflate else None
        self.received = 0
        """Bytes that have come from the peer."""
        self.heard = True
        """Something has come since somebody last looked."""
        self.is_asked = False
        """A ping is on its way, and nothing has come since."""
        self.is_full = False
        """The peer does not take what is written."""
        self.is_deaf = False
        """What comes is thrown away, but for a closing frame."""
        self.is_lost = self.close_sent = self.close_received = False
        self._held = False  # not read, because the other side is full
        self._ping = b""
        self._unsent = 0

    # Called by the transport

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self.received += len(data)
        if not self.close_received:
            self.reader.feed(data)
            self._pass_on()

    def eof_received(self) -> None:
        """WebSocket knows no half-close: the transport closes."""

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.is_lost:
            self.is_lost = True
            self.course.lost(self)

    def pause_writing(self) -> None:
        self.is_full = True
        self._unsent = self.transport.get_write_buffer_size()
        self.other.hold()

    def resume_writing(self) -> None:
        self.is_full = False
        self.other.go_on()

    def adopt(self, early: bytes) -> None:
        """Takes over an open connection, `transport`, and what has come on it already."""
        if self.transport.is_closing():
            self.loop.call_soon(self.connection_lost, None)
        else:
            self.transport.set_protocol(self)
            self.transport.resume_reading()
        if early:
            self.data_received(early)

    # Called by the other end

    def hold(self) -> None:
        """Nothing more is read: the other side has no room."""
        if not (self._held or self.is_deaf or self.is_lost):
            self._held = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """The other side has room again, first of all for what has been read already."""
        if self._held and not self.is_lost:
            self._pass_on()
            if not self.other.is_full:
                self._held = False
                self.transport.resume_reading()

    # Called by the course

    def shutdown(self) -> None:
        """The server's word that the process is going away."""
        self.course.shutdown()

    def close(self, payload: bytes) -> None:
        """Sends a closing frame. The rest of what the peer sends is thrown away, but for its own closing frame."""
        self.is_deaf = True
        self.send_close(payload)
        if self._held and not self.is_lost:
            self._held = False
            self.transport.resume_reading()

    def send_close(self, payload: bytes) -> None:
        """Sends a closing frame, unless there was one."""
        if not (self.close_sent or self.is_lost):
            self._send(CLOSE, True, payload)

    def hang_up(self) -> None:
        """Closes once everything is written, or the peer has not taken it in LINGER_S."""
        if not self.is_lost:
            self.transport.close()
            self.loop.call_later(LINGER_S, self.transport.abort)

    def abort(self) -> None:
        """Drops the connection."""
        if not self.is_lost:
            self.transport.abort()

    def ping(self) -> None:
        """Asks whether anybody is there. Not where the peer has much to read already."""
        if not (self.is_full or self.close_sent or self.is_lost):
            self._ping = os.urandom(_PING_BYTES)
            self._send(PING, True, self._ping)

    @property
    def is_readable(self) -> bool:
        """Whether silence is the peer's own."""
        return not self._held

    def is_stuck(self) -> bool:
        """Whether the peer took nothing of what waits for it since somebody last asked."""
        if not self.is_full:
            return False
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        return self._unsent >= unsent

    # Its own

    def _pass_on(self) -> None:
        """As much as the other side has room for."""
        reader, other = self.reader, self.other
        try:
            while self.is_deaf or not other.is_full:
                piece = reader.next()
                if piece is None:
                    return
                op, fin, data = piece
                if op < CLOSE:
                    if self.is_deaf:
                        continue
                    self.course.moved()
                    other.send(op, fin, data)
                else:
                    self._control(op, data)
        except Violation as violation:
            self.close_received = True  # nothing of what follows can be read
            self.course.violated(self, violation)

    def _control(self, op: int, data: bytes) -> None:
        if op == CLOSE:
            self.close_received = True
            self.course.closing_began(self, data)
        elif self.is_deaf:
            return
        elif op == PONG and self._ping and data == self._ping:
            self._ping = b""
        else:
            self.course.moved()
            self.other.send(op, True, data)

    def send(self, op: int, fin: bool, data: bytes) -> None:
        """One frame to the peer, unless the connection is at its end."""
        if self.close_sent or self.is_lost:
            return
        deflater = self._deflater
        if deflater is not None and op < CLOSE:
            is_first = op != CONT and deflater.begin(data)
            if is_first or (op == CONT and deflater.is_busy):
                data = deflater.deflate(data, fin=fin)
                self.transport.write(encode(op, fin, data, masked=False, compressed=is_first))
                return
        self._send(op, fin, data)

    def _send(self, op: int, fin: bool, data: bytes) -> None:
        self.close_sent = self.close_sent or op == CLOSE
        self.transport.write(encode(op, fin, data, masked=not self.is_client))
