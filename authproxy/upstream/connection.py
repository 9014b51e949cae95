"""I: One HTTP/1.1 connection to an upstream: bytes in and out of a ResponseReader, deadlines, backpressure.

A connection serves one request at a time. Its pool takes it (`begin`), the request's coroutine waits on `waiter` and
reads `reader`, and the pool gets it back. Nothing here starts a task or a timer: deadlines are plain numbers, which
the transport's sweeper compares with the clock through `check`.
"""

import asyncio
import math
import socket
import ssl
from typing import Final, Protocol, cast

import httpx

from authproxy.upstream.errors import (
    BodyBroken,
    BodyTimeout,
    ConnectionLost,
    DeadlineExceeded,
    Progress,
    StaleConnection,
    with_progress,
)
from authproxy.upstream.parsing import BadResponse, ResponseReader

NEVER: Final = math.inf
_PEEK: Final = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)  # flags of the enumeration are added in Python
MAX_BUFFERED: Final = 262144
"""Bytes of an answer's body that may wait for the reader; more stay in the kernel, which slows the upstream down."""


class Owner(Protocol):
    """What a connection asks of its pool."""

    def lost_idle(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """See the module docstring. Times are the loop's."""

    __slots__ = (
        "_deadline_left_s",
        "_drained",
        "_heard",
        "_unsent",
        "address",
        "born",
        "closed",
        "deadline",
        "error",
        "idle_since",
        "in_use",
        "loop",
        "owner",
        "read_paused",
        "read_s",
        "read_until",
        "reader",
        "retire_at",
        "reused",
        "sock",
        "transport",
        "uploading",
        "waiter",
        "write_paused",
        "write_s",
        "write_until",
        "written",
    )

    transport: asyncio.Transport

    def __init__(
        self, owner: Owner, loop: asyncio.AbstractEventLoop, sock: socket.socket, address: object = None
    ) -> None:
        self.owner = owner
        self.loop = loop
        self.sock = sock
        self.address = address
        """The socket address it leads to; None for Unix sockets."""
        self.reader = ResponseReader()
        self.born = self.idle_since = loop.time()
        self.retire_at = NEVER
        """From then on it takes no new request."""
        self.in_use = self.reused = self.closed = False
        self.read_paused = self.write_paused = False
        self.uploading = False
        """The request's body is being written, which pauses its deadlines."""
        self.written = False
        """The last byte of the request's body has been handed to the transport."""
        self.error: httpx.TransportError | None = None
        """Why the request that it is serving has failed."""
        self.waiter: asyncio.Future[None] | None = None
        """Resolved when the reader has something new, or `error` is set. Whoever waits puts it here."""
        self._drained: asyncio.Future[None] | None = None
        self._heard = False
        self._unsent = 0
        self._deadline_left_s = NEVER
        self.read_s = self.write_s = NEVER
        self.read_until = self.write_until = self.deadline = NEVER

    def __repr__(self) -> str:
        state = "closed" if self.closed else "in use" if self.in_use else "idle"
        return f"<Connection to {self.address or 'unix socket'}, {state}>"

    # For the request

    def begin(self, *, to_head: bool, read_s: float, may_switch: bool = False) -> None:
        """Take up a new request. Its first byte must be written at once."""
        self.reader.begin(to_head=to_head, may_switch=may_switch)
        self.in_use = True
        self.read_s = read_s

    def await_answer(self, now: float, deadline: float) -> None:
        """The request is on its way whole: from now on the upstream has to answer."""
        self.read_until = now + self.read_s
        self.deadline = deadline

    def hold_deadline(self, now: float, deadline: float, write_s: float) -> None:
        """The request's body is still to come: until `uploaded`, only writing is timed."""
        self.uploading = True
        self.written = False
        self.write_s = write_s
        self._deadline_left_s = deadline - now

    @property
    def sent_whole(self) -> bool:
        """Whether the body that is being sent has left, all of it."""
        return self.written and not self.transport.get_write_buffer_size()

    def uploaded(self) -> None:
        """The request's body has been written, and most of it has left."""
        self.uploading = False
        if not self.reader.head_complete:
            now = self.loop.time()
            self.await_answer(now, now + self._deadline_left_s)

    @property
    def progress(self) -> Progress:
        return Progress(reused=self.reused, wrote=self.in_use, response_started=self.reader.started)

    async def drain(self) -> None:
        """Wait until the upstream has taken most of what was written, or the connection is gone."""
        if not self.write_paused or self.closed:
            return
        self._unsent = self.transport.get_write_buffer_size()
        self.write_until = self.loop.time() + self.write_s
        self._drained = self.loop.create_future()
        await self._drained
        self.write_until = NEVER

    def resume_reading(self) -> None:
        """The buffered body has been taken."""
        self.read_paused = False
        if not self.closed:
            self.transport.resume_reading()

    # For the pool

    def settle(self, now: float) -> bool:
        """The request is over. Whether another one may use the connection."""
        reader = self.reader
        clean = (
            reader.complete
            and reader.reusable
            and not self.closed
            and (not self.uploading or self.sent_whole)
            and self.error is None
            and now < self.retire_at
        )
        self.in_use = self.uploading = False
        self.error = None  # it leads back here through the frames that it was raised in
        self.read_until = self.write_until = self.deadline = NEVER
        if clean:
            self.reused = True
            self.idle_since = now
            if self.read_paused:
                self.resume_reading()
        return clean

    def looks_alive(self) -> bool:
        """Whether the kernel knows of nothing against it: no end of stream and no bytes that nobody asked for."""
        if self.transport.is_closing():
            return False
        try:
            self.sock.recv(1, _PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def check(self, now: float) -> None:
        """Fail the request if one of its deadlines has passed. Progress since the last check buys time."""
        if self._heard:
            self._heard = False
            if self.read_until != NEVER:
                self.read_until = now + self.read_s
        if now >= self.deadline:
            self.fail(DeadlineExceeded("the upstream did not answer by the request's deadline"))
        elif now >= self.read_until:
            kind = BodyTimeout if self.reader.head_complete else httpx.ReadTimeout
            self.fail(kind("the upstream sent nothing for too long"))
        elif now >= self.write_until:
            unsent = self.transport.get_write_buffer_size()
            if unsent >= self._unsent:
                self.fail(httpx.WriteTimeout("the upstream took nothing for too long"))
            self._unsent = unsent
            self.write_until = now + self.write_s

    def fail(self, error: httpx.TransportError) -> None:
        """End the request with `error` (the first one counts) and the connection with it."""
        if self.error is None and self.in_use:
            self.error = with_progress(error, self.progress)
        self.close()
        self._wake()

    def close(self) -> None:
        """Drop the connection at once."""
        if not self.closed:
            self.closed = True
            self.transport.abort()
        self._wake_writer()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        if not self.in_use:  # never the answer to a request that was not sent yet
            self._end_idle()
            return
        self._heard = True
        reader = self.reader
        try:
            reader.feed(data)
        except BadResponse as problem:
            kind = BodyBroken if reader.head_complete else httpx.RemoteProtocolError
            self.fail(kind(f"the upstream's answer is not valid: {problem}"))
            return
        if reader.buffered > MAX_BUFFERED and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def eof_received(self) -> bool:
        if not self.in_use:
            self._end_idle()
            return False
        if self._ended_in_order():
            self.reader.end()
        if self.reader.complete:
            self._wake()
        else:
            self.fail(self._loss(None))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if not self.in_use:
            self._end_idle()
        elif not self.reader.complete:
            self.fail(self._loss(error))
        self.closed = True
        self._wake_writer()
        self.reader.close()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        self._wake_writer()

    def _end_idle(self) -> None:
        if not self.closed:
            self.close()
            self.owner.lost_idle(self)

    def _ended_in_order(self) -> bool:
        """Whether the end of the stream is the upstream's word: on TLS that takes a close_notify (RFC 8446 6.1)."""
        tls = self.transport.get_extra_info("ssl_object")
        try:
            return tls is None or tls.read(1) == b""
        except ssl.SSLError:
            return False

    def _loss(self, error: Exception | None) -> httpx.TransportError:
        how = f"was lost ({error})" if error else "was closed by the upstream"
        reader = self.reader
        if reader.head_complete:
            return BodyBroken(f"the connection {how} in the middle of the answer's body")
        if self.reused and not reader.started:
            return StaleConnection(f"the reused connection {how} before any byte of the answer")
        return ConnectionLost(f"the connection {how} before the answer's head was complete")

    def _wake(self) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _wake_writer(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
