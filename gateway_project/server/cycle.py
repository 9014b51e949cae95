"""I: One request and its response: the `receive` and `send` that the ASGI application is given.

It never ends the framing of a response that is not what its head promised: such a connection is aborted.
Beyond plain HTTP it speaks `http.response.trailers`, sent on every chunked answer since a recipient may
always discard them (RFC 9110 section 6.5.1), and `http.response.informational` (`status`, `headers`), an
interim response before the final one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import FlowControl

from authproxy.exchange import ResponseAborted
from gateway_project.server import departure, framing

Message = dict[str, Any]
Application = Callable[
    [Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

EXTENSIONS: dict[str, dict[str, object]] = {"http.response.trailers": {}, "http.response.informational": {}}
_JOINED_UP_TO = 65_536  # a larger first body is written after the head: copying it costs more than a write

logger = logging.getLogger(__name__)


class Connection(Protocol):
    """What a cycle needs of the connection that it runs on."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: FlowControl

    def may_persist(self, cycle: RequestCycle) -> bool: ...
    def hold_head(self, cycle: RequestCycle) -> None: ...
    def resume_body(self) -> None: ...
    def answered(self, cycle: RequestCycle) -> None: ...
    def failed(self, cycle: RequestCycle) -> None: ...


class RequestCycle:
    """Lives from the end of a request's head to the end of its response."""

    __slots__ = (
        "_broken",
        "_chunks",
        "_connection",
        "_delivered",
        "_mode",
        "_remaining",
        "_trailer_fields",
        "_trailers",
        "_waiter",
        "app",
        "awaits_continue",
        "buffered",
        "finished",
        "gone",
        "head",
        "keep_alive",
        "request_complete",
        "scope",
        "started",
        "task",
    )

    def __init__(
        self,
        connection: Connection,
        app: Application,
        scope: dict[str, Any],
        keep_alive: bool,
        awaits_continue: bool,
    ) -> None:
        self.app = app
        self.scope = scope
        self.keep_alive = keep_alive
        self.awaits_continue = awaits_continue
        self.task: asyncio.Task[None] | None = None
        self.buffered = 0
        self.request_complete = False
        self.started = False  # the application began its response; `head` may not be on its way yet
        self.head: bytes | None = None
        self.finished = False
        self.gone = False  # the response cannot reach the client any more
        self._connection = connection
        self._chunks: list[bytes] = []
        self._delivered = False
        self._waiter: asyncio.Future[None] | None = None
        self._mode = framing.NO_BODY
        self._remaining = 0
        self._trailers = False
        self._trailer_fields: list[tuple[bytes, bytes]]
        self._broken = False

    def __repr__(self) -> str:
        state = (
            "finished" if self.finished else "gone" if self.gone else "started" if self.started else "waiting"
        )
        return f"<RequestCycle {self.scope['method']} {self.scope['raw_path']!r} {state}>"

    @property
    def committed(self) -> bool:
        """Whether the client has seen some of the final response."""
        return self.started and self.head is None

    def cut_off(self) -> None:
        """Ends the connection so that the client can tell that the answer is not whole."""
        transport = self._connection.transport
        if self._mode == framing.UNTIL_CLOSE:
            departure.reset(transport)
        transport.abort()

    async def run(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.gone:
                self.cut_off()
                raise
        except ResponseAborted:
            pass  # the application has recorded why; the connection is cut below
        except Exception:
            if not self.gone:
                logger.exception("The application failed on %r", self)
        else:
            if not (self.finished or self.gone):
                logger.error("The application returned without completing its response: %r", self)
        if not (self.finished or self.gone):
            self._connection.failed(self)

    # The request's body

    def feed(self, body: bytes) -> None:
        self._chunks.append(body)
        self.buffered += len(body)
        self.wake()

    def end_request(self) -> None:
        self.request_complete = True
        self.wake()

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def receive(self) -> Message:
        while not (self.gone or self.finished):
            if self.buffered or (self.request_complete and not self._delivered):
                return self._take_body()
            if self.awaits_continue:
                self.awaits_continue = False
                self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._waiter = self._connection.loop.create_future()
            await self._waiter
        return {"type": "http.disconnect"}

    def _take_body(self) -> Message:
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        self.buffered = 0
        self._delivered = self.request_complete
        if not self.request_complete:
            self._connection.resume_body()
        return {"type": "http.request", "body": body, "more_body": not self._delivered}

    # The response

    async def send(self, message: Message) -> None:
        flow = self._connection.flow
        if flow.write_paused and not self.gone:
            await flow.drain()
        if self.gone:
            return
        kind = message["type"]
        if self._broken or self.finished:
            raise framing.InvalidResponse(f"{kind} after the end of the response")
        try:
            if kind == "http.response.body" and self.started:
                self._send_body(message.get("body", b""), more=message.get("more_body", False))
            elif kind == "http.response.start" and not self.started:
                self._send_start(message)
            elif kind == "http.response.trailers" and self.started:
                self._send_trailers(message)
            elif kind == "http.response.informational" and not self.started:
                self._send_informational(message)
            else:
                raise framing.InvalidResponse(f"{kind} is out of order")
        except framing.InvalidResponse:
            self._broken = True
            raise

    def _send_start(self, message: Message) -> None:
        connection = self._connection
        scope = self.scope
        head, self._mode, self._remaining, self.keep_alive = framing.response_head(
            message["status"],
            message.get("headers", ()),
            method=scope["method"],
            version=scope["http_version"],
            keep_alive=self.keep_alive and connection.may_persist(self),
        )
        self._trailers = message.get("trailers", False)
        if self._trailers:
            self._trailer_fields = []
        self.started = True
        self.head = head
        connection.hold_head(self)

    def flush_head(self) -> None:
        """Writes a head that no body has followed within the same turn of the loop."""
        if self.head is not None and not self.gone:
            head, self.head = self.head, None
            self._connection.transport.write(head)

    def _send_body(self, body: bytes, *, more: bool) -> None:
        mode = self._mode
        data = body
        if mode == framing.SIZED:
            self._remaining -= len(body)
            if self._remaining < 0 or (self._remaining and not more):
                side = "longer" if self._remaining < 0 else "shorter"
                raise framing.InvalidResponse(f"the response's body is {side} than its Content-Length")
        elif mode == framing.CHUNKED:
            data = framing.chunk(body, last=not (more or self._trailers))
        elif mode == framing.NO_BODY:
            data = b""
        write = self._connection.transport.write
        head = self.head
        if head is not None:
            self.head = None
            if len(data) < _JOINED_UP_TO:
                data = b"".join((head, data))
            else:
                write(head)
        if data:
            write(data)
        if not (more or self._trailers):
            self._finish()

    def _send_trailers(self, message: Message) -> None:
        """The ASGI trailers extension; an answer that is not chunked has no place for them."""
        if not self._trailers or (self._mode == framing.SIZED and self._remaining):
            raise framing.InvalidResponse("trailers come after a body whose head announced them")
        self._trailer_fields += message.get("headers", ())
        if message.get("more_trailers", False):
            return
        self.flush_head()
        if self._mode == framing.CHUNKED:
            self._connection.transport.write(framing.last_chunk(self._trailer_fields))
        self._finish()

    def _send_informational(self, message: Message) -> None:
        head = framing.informational_head(message["status"], message.get("headers", ()))
        if self.scope["http_version"] == "1.1":
            self.awaits_continue = self.awaits_continue and message["status"] != 100
            self._connection.transport.write(head)

    def _finish(self) -> None:
        self.finished = True
        self.wake()
        self._connection.answered(self)
