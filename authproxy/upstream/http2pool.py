"""I: httpcore's HTTP/2 connections, taught what sharing one asks for.

* A request that is given up resets its stream, whether its answer has begun or not, and what came for it and was not
  read is given back to the connection's window (RFC 9113 sections 5.2, 5.4.2, 6.4).
* The connection's window is as large as those of all streams together: a slow reader holds up nobody else.
* A connection that the upstream closed while it was idle is not used again.
* One to an address that the upstream's name no longer has takes no new request, and is closed when it is idle.

The overridden methods are httpcore's own affair: its version is pinned, and the tests notice when they change.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

import httpcore
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event
from h2.exceptions import ProtocolError

from authproxy.upstream.http2wire import Wire, Wires
from resilience.clock import monotonic

STREAM_WINDOW: Final = 1 << 18
MOST_STREAMS: Final = 100
"""At a time, as httpcore has it."""
CONNECTION_WINDOW: Final = MOST_STREAMS * STREAM_WINDOW
_INITIAL_WINDOW: Final = (1 << 16) - 1
"""RFC 9113 section 6.9.2."""


class Http2Pool(httpcore.AsyncConnectionPool):
    """Of `Http2Connection`s, each with the context of its time."""

    contexts: Callable[[], ssl.SSLContext]

    def create_connection(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        return _Dialled(
            origin,
            ssl_context=self.contexts(),
            keepalive_expiry=self._keepalive_expiry,
            http1=False,
            http2=True,
            network_backend=self._network_backend,
        )


def pool_of(
    *, tls: Callable[[], ssl.SSLContext], max_connections: int, max_idle: int, idle_s: float
) -> Http2Pool:  # fmt: skip
    """One service's connections."""
    made = Http2Pool(
        ssl_context=tls(),
        max_connections=max_connections,
        max_keepalive_connections=max_idle,
        keepalive_expiry=idle_s,
        http1=False,
        http2=True,
        network_backend=Wires(),
    )
    made.contexts = tls
    return made


class _Dialled(httpcore.AsyncHTTPConnection):
    """A connection from the moment that it is asked for."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        async with self._request_lock:
            if self._connect_failed:  # for whoever dialled; the pool has forgotten this one
                raise httpcore.ConnectionNotAvailable
            if self._connection is None:
                began = monotonic()
                try:
                    wire = await self._connect(request)
                except BaseException:
                    self._connect_failed = True
                    raise
                finally:
                    request.extensions["connecting_s"] = monotonic() - began
                self._connection = Http2Connection(self._origin, wire, self._keepalive_expiry)
        return await self._connection.handle_async_request(request)


class Http2Connection(httpcore.AsyncHTTP2Connection):
    """One shared connection."""

    def __init__(
        self, origin: httpcore.Origin, stream: httpcore.AsyncNetworkStream, keepalive_expiry: float | None
    ) -> None:
        super().__init__(origin, stream, keepalive_expiry)
        self._wire = cast("Wire", stream)
        self._h2_state = _Engine(self.CONFIG)
        self._short_of_room: dict[httpcore.Request, int] = {}
        """Those that wait for room in a window, with their streams."""

    def is_available(self) -> bool:
        return super().is_available() and not self._wire.is_left

    def has_expired(self) -> bool:
        return super().has_expired() or (self.is_idle() and (self._wire.is_over or self._wire.is_left))

    async def _wait_for_outgoing_flow(self, request: httpcore.Request, stream_id: int) -> int:
        """How many bytes may be sent on a stream, at least one. Raises RemoteProtocolError."""
        try:
            while (room := self._room(stream_id)) <= 0:
                self._short_of_room[request] = stream_id
                await self._receive_events(request)
        finally:
            self._short_of_room.pop(request, None)
        return room

    async def _read_incoming_data(self, request: httpcore.Request) -> list[Event]:
        """Nothing if there is room now: another one, whose turn to read it was, has read that."""
        stream_id = self._short_of_room.get(request)
        if stream_id is not None and self._room(stream_id) > 0:
            return []
        return await super()._read_incoming_data(request)

    async def _send_end_stream(self, request: httpcore.Request, stream_id: int) -> None:
        self._room(stream_id)
        await super()._send_end_stream(request, stream_id)

    def _room(self, stream_id: int) -> int:
        engine = self._h2_state
        stream = engine.streams.get(stream_id)
        if stream is None or stream.closed:
            raise httpcore.RemoteProtocolError("the upstream reset the stream")
        return min(engine.local_flow_control_window(stream_id), engine.max_outbound_frame_size)

    async def _response_closed(self, stream_id: int) -> None:
        """However it ended: what is left of it is let go at once, without waiting."""
        self._let_go(stream_id)
        await super()._response_closed(stream_id)

    def _let_go(self, stream_id: int) -> None:
        engine = self._h2_state
        events = self._events[stream_id]
        unread = sum(event.flow_controlled_length or 0 for event in events if isinstance(event, DataReceived))
        with suppress(ProtocolError, httpcore.WriteError):  # the connection is lost, and nobody can be told
            stream = engine.streams.get(stream_id)
            if stream is not None and not stream.closed:
                engine.reset_stream(stream_id, ErrorCodes.CANCEL)
            engine.acknowledge_received_data(unread, stream_id)
            self._wire.put(engine.data_to_send())


class _Engine(H2Connection):
    """With windows of our sizes: httpcore asks for 16 MB more for each, be it a stream or the connection."""

    def increment_flow_control_window(self, increment: int, stream_id: int | None = None) -> None:
        window = CONNECTION_WINDOW if stream_id is None else STREAM_WINDOW
        super().increment_flow_control_window(window - _INITIAL_WINDOW, stream_id)
