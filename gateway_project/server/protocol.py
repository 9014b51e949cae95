"""I: One client connection: uvicorn's httptools protocol, hardened for an edge.

Requests go to the application in order, answers to the client. Every wait has a deadline and every size a bound;
a request that is not plainly well-formed is refused before the application sees it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from authproxy import ids
from gateway_project.server import departure, refusals
from gateway_project.server.context import ServerContext
from gateway_project.server.cycle import EXTENSIONS, RequestCycle
from gateway_project.server.deadlines import UploadMeter, WriteMeter
from gateway_project.server.reader import RequestReader
from gateway_project.server.refusals import Refusal
from resilience.clock import http_date, timestamp

_SLICE = 4096  # bytes parsed at a time while requests may be pipelined, so that few are ever waiting
_QUEUE_ENOUGH = 16  # waiting requests at which the rest stays unparsed
_IPV4_MAPPED = "::ffff:"


class GatewayProtocol(HttpToolsProtocol):
    """Idle, reading a head, answering (`active`) or leaving.

    `since_s` is when it last became idle, began a head or began to leave, as the sweeper's clock tells it.
    """

    reader: RequestReader

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        context: ServerContext,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = None  # type: ignore[assignment]  # the reader has its own
        self.context = context
        self.limits = context.limits
        self.sweeper = context.sweeper
        self.hold_head = context.hold_head
        self.since_s = 0.0
        self.active: RequestCycle | None = None
        self.queue: deque[RequestCycle] = deque()  # read, and waiting for the one before to be answered
        self.backlog = b""  # not even read
        self.postponed: Refusal | None = None
        self.deaf = False  # whatever comes is thrown away
        self.leaving = False
        self.eof = False
        self.download: WriteMeter | None = None

    def __repr__(self) -> str:
        return f"<GatewayProtocol {self.client} active={self.active!r} queued={len(self.queue)}>"

    # Called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None and self.client[0].startswith(_IPV4_MAPPED):
            self.client = (self.client[0].removeprefix(_IPV4_MAPPED), self.client[1])
        self.reader = RequestReader(
            self,
            self.app,
            scope_base={
                "type": "http",
                "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
                "server": self.server,
                "client": self.client,
                "scheme": self.scheme,
                "root_path": "",
                "extensions": EXTENSIONS,
            },
            app_state=self.app_state,
            limits=self.limits,
            good_hosts=self.context.good_hosts,
        )
        self.sweeper.add(self)
        self.since_s = self.sweeper.now_s
        if len(self.connections) > self.limits.max_connections:
            self._answer_refusal(refusals.TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        self.sweeper.discard(self)
        for cycle in self.queue:
            cycle.gone = True
        self.queue.clear()
        if self.active is not None:
            self._give_up(self.active)
        self.flow.resume_writing()
        self.reader.close()

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        if len(data) > _SLICE:
            self._read_slices(data)
        else:
            refusal = self.reader.feed(data)
            if refusal is not None:
                self.refuse(refusal)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stays open for the answer to a complete request: the client may only have finished sending."""
        self.eof = True
        if self.leaving:
            return False
        if self.active is None:
            if self.reader.in_head:
                self.refuse(refusals.malformed("the request ended within its head"))
            return False
        if self.reader.in_body:
            return False
        self.loop.call_later(self.limits.half_close_probe_s, self._probe, self.active)
        return True

    def resume_writing(self) -> None:
        self.download = None
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """Nothing: while draining, idle connections are closed by the sweep, busy ones after their answer."""

    def _read_slices(self, data: bytes) -> None:
        while data and not self.deaf:
            if len(self.queue) >= _QUEUE_ENOUGH:
                self.backlog = data
                self.flow.pause_reading()
                return
            piece, data = (data, b"") if self.reader.in_body else (data[:_SLICE], data[_SLICE:])
            refusal = self.reader.feed(piece)
            if refusal is not None:
                self.refuse(refusal)

    # Called by the reader

    def head_began(self) -> None:
        self.since_s = self.sweeper.now_s

    def accept(self, cycle: RequestCycle) -> None:
        if self.active is None:
            self._start(cycle)
        elif len(self.queue) < self.limits.max_pipelined:
            self.queue.append(cycle)
            self.flow.pause_reading()
        else:
            raise refusals.Refused(refusals.TOO_MANY_PIPELINED)

    def body_drained(self) -> None:
        """The rest of a body that the application did not want has been thrown away."""
        self.since_s = self.sweeper.now_s

    def may_become_websocket(self) -> bool:
        return self.active is None and self.ws_protocol_class is not None

    def become_websocket(self, scope: dict[str, Any], rest: bytes) -> None:
        """Hands the transport over to uvicorn's WebSocket protocol, which reads the handshake anew."""
        self.connections.discard(self)
        self.sweeper.discard(self)
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        fields = b"".join(b"%b: %b\r\n" % header for header in scope["headers"])
        assert self.ws_protocol_class is not None
        protocol: Any = self.ws_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        if rest:
            self.transport.close()  # a client must wait for the answer (RFC 6455 section 4.1)
        else:
            protocol.data_received(b"GET %b HTTP/1.1\r\n%b\r\n" % (target, fields))
        self.reader.close()

    # Called by the cycle

    def may_persist(self, cycle: RequestCycle) -> bool:
        """Whether the connection can carry another request after this answer, which is about to begin."""
        if self.context.drain.draining and not (self.queue or self.backlog):
            return False
        if cycle.request_complete:
            return True
        length = self.reader.content_length
        return not cycle.awaits_continue and length is not None and length <= self.limits.drain_body_bytes

    def resume_body(self) -> None:
        if not self.eof:
            self.flow.resume_reading()

    def answered(self, cycle: RequestCycle) -> None:
        self.server_state.total_requests += 1
        self.active = None
        if not cycle.keep_alive:
            self._leave(linger=self.deaf or not cycle.request_complete)
            return
        self.since_s = self.sweeper.now_s
        if self.queue:
            self._start(self.queue.popleft())
        if self.backlog or self.postponed is not None or self.eof:
            self.loop.call_soon(self._carry_on)
        elif not self.queue:
            self.flow.resume_reading()

    def failed(self, cycle: RequestCycle) -> None:
        """The application ended without a whole response: say so, or cut it off where the client sees it."""
        cycle.gone = True
        self.active = None
        if cycle.committed:
            cycle.cut_off()
        else:
            self._answer_refusal(refusals.APPLICATION_FAILED, bodiless=cycle.scope["method"] == "HEAD")

    # Its own

    def _start(self, cycle: RequestCycle) -> None:
        self.active = cycle
        task = cycle.task = asyncio.Task(
            cycle.run(), loop=self.loop, name="request"
        )  # others number their tasks
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _carry_on(self) -> None:
        """What had to wait for answers: unread requests, then a refusal, then the client's end of input."""
        if self.leaving or self.transport.is_closing():
            return
        if self.backlog and len(self.queue) < _QUEUE_ENOUGH:
            data, self.backlog = self.backlog, b""
            self.data_received(data)
            if not (self.queue or self.backlog):
                self.flow.resume_reading()
        if self.active is not None:
            return
        if self.postponed is not None:
            self._answer_refusal(self.postponed)
        elif self.eof:
            self._leave(linger=False)

    def refuse(self, refusal: Refusal) -> None:
        """Refuses what is being read, after the answers to all that was read before."""
        self.deaf = True
        reader = self.reader
        cycle = reader.incoming if reader.in_body else None
        if (
            cycle is None
            and not reader.in_head
            and reader.incoming is not None
            and not reader.incoming.keep_alive
        ):
            return  # more input after a request that the client itself called its last
        if cycle is not None and cycle in self.queue:
            self.queue.remove(cycle)
        if self.active is not None and self.active is not cycle:
            self.postponed = refusal
        elif cycle is None:
            self._answer_refusal(refusal)
        elif cycle.finished:
            self._leave(linger=True)
        else:
            self._give_up(cycle)
            if cycle.committed:
                cycle.cut_off()
            else:
                self._answer_refusal(refusal, bodiless=cycle.scope["method"] == "HEAD")

    def _give_up(self, cycle: RequestCycle) -> None:
        """The response can't reach the client any more: nobody needs what the application still does for it."""
        self.active = None
        cycle.gone = True
        cycle.wake()
        task, cycle.task = cycle.task, None
        if task is not None:
            task.cancel()

    def _answer_refusal(self, refusal: Refusal, *, bodiless: bool = False) -> None:
        request_id = refusals.sane_request_id(self.reader.headers) or ids.request_id().decode("ascii")
        answer = refusals.render(
            refusal, request_id=request_id, timestamp=timestamp(), date=http_date(), bodiless=bodiless
        )
        if not self.transport.is_closing():
            self.transport.write(answer)
            self._leave(linger=True)
        self.context.tell_refusal(refusal, self.client[0] if self.client else "", request_id)

    def _leave(self, *, linger: bool) -> None:
        """Closes once everything is written. To `linger` is to wait for the client's close before, throwing away
        what it sends: a close with unread input is a reset, and could destroy the answer on its way
        (RFC 9112 section 9.6)."""
        self.deaf = self.leaving = True
        self.since_s = self.sweeper.now_s
        if linger and not self.eof and self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()

    # Called by the sweeper

    def on_sweep(self, now_s: float, elapsed_s: float) -> None:
        if self._reader_stalled(elapsed_s):
            (self.active.cut_off if self.active is not None else self.transport.abort)()
        elif self.leaving:
            self._check_lingering(now_s)
        elif self.active is not None:
            if self.reader.in_body:
                self._check_upload(elapsed_s)
            elif self.eof:
                self._check_departure(self.active, now_s)
        elif self.reader.in_body:
            self._check_upload(elapsed_s)
        elif self.reader.in_head:
            if self._waited(now_s, self.limits.head_timeout_s):
                self.refuse(refusals.HEAD_TOO_SLOW)
        else:
            self._check_idle(now_s)

    def _waited(self, now_s: float, timeout_s: float) -> bool:
        return now_s - self.since_s > timeout_s + self.sweeper.period_s

    def _reader_stalled(self, elapsed_s: float) -> bool:
        """Whether the client takes too little of what is ready for it. Only looked at while nothing is added."""
        buffered = self.transport.get_write_buffer_size()
        if not buffered or not (self.flow.write_paused or self.leaving or self.active is None):
            self.download = None
            return False
        if self.download is None:
            limits = self.limits
            self.download = WriteMeter(
                limits.min_transfer_bytes_per_s, patience_s=limits.write_timeout_s, buffered=buffered
            )
            return False
        return self.download.stalled(elapsed_s, buffered)

    def _check_lingering(self, now_s: float) -> None:
        if self.download is not None:
            self.since_s = now_s
        elif self._waited(now_s, self.limits.linger_timeout_s):
            self.transport.abort()

    def _check_upload(self, elapsed_s: float) -> None:
        reader, cycle = self.reader, self.reader.incoming
        assert cycle is not None
        if self.flow.read_paused or (cycle.awaits_continue and not cycle.finished):
            return
        if reader.upload is None:
            limits = self.limits
            reader.upload = UploadMeter(
                limits.min_transfer_bytes_per_s,
                grace_s=limits.upload_grace_s,
                patience_s=limits.body_timeout_s,
            )
        elif reader.upload.too_slow(elapsed_s):
            self.refuse(refusals.BODY_TOO_SLOW)

    def _check_idle(self, now_s: float) -> None:
        limits = self.limits
        timeout_s = (
            limits.first_byte_timeout_s if self.reader.incoming is None else limits.keep_alive_timeout_s
        )
        draining = self.context.drain.draining
        if draining:
            self.since_s = max(self.since_s, self.context.draining_since_s)
            timeout_s = min(timeout_s, limits.drain_idle_s)
        if self._waited(now_s, timeout_s) and not departure.has_unread_input(self.transport):
            self._leave(linger=False)

    # A client that has closed its side

    def _probe(self, cycle: RequestCycle) -> None:
        """Makes the kernel find out whether anybody is still there, if the answer does not do so by itself."""
        if self.active is cycle and not cycle.started and cycle.scope["http_version"] == "1.1":
            self.transport.write(departure.PROBE)
            self.loop.call_later(self.limits.half_close_probe_s / 6, self._abort_if_gone, cycle)

    def _abort_if_gone(self, cycle: RequestCycle) -> None:
        if self.active is cycle and departure.peer_state(self.transport).gone:
            self.transport.abort()

    def _check_departure(self, cycle: RequestCycle, now_s: float) -> None:
        """A reset that came in answer to what we wrote; or, within a response, silence that nothing will end."""
        state = departure.peer_state(self.transport)
        silent = cycle.committed and state.silent_s > self.limits.half_close_idle_s
        if state.gone or (silent and self._waited(now_s, self.limits.half_close_idle_s)):
            self.transport.abort()
