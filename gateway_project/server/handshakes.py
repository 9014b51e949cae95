"""I: uvicorn's WebSocket protocol, made for an edge.

It keeps little, streams refusals, and gives connections away. Until a handshake is answered nothing of what follows it
is read, and a client that leaves takes its request along.
"""

import asyncio
import email.utils
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from authproxy.exchange import ResponseAborted
from authproxy.handshake import TAKE_OVER, Leaving, Taken
from authproxy.headers import Pairs
from gateway_project.server.deflate import OFFERED, Deflate

_ABNORMAL: Final = 1006  # RFC 6455 section 7.1.5: the connection ended without a closing frame
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class GatewayWebSocket(WebSocketsSansIOProtocol):
    """Clients cannot fill the log: a refusal is an answer, and bytes that are no frames end the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [OFFERED]
        self._task: asyncio.Task[None] | None = None
        self._is_refusing = False
        self._is_taken = False

    # Called by the transport

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated and not self.handshake_complete:
            self._end()  # a client must wait for the answer (RFC 6455 section 4.1)
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_taken:
            return  # it broke while it was given away: whoever took it sees to it
        if not self.handshake_complete and self._task is not None:
            self._task.cancel()
        super().connection_lost(exc)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = cast("dict[str, Any]", self.scope["extensions"])
            extensions[TAKE_OVER] = self.take_over

    # The application's side

    async def run_asgi(self) -> None:
        self._task = asyncio.current_task()
        try:
            await self.app(self.scope, self.receive, self.send)
        except (ClientDisconnected, asyncio.CancelledError):
            pass
        except ResponseAborted:
            self.transport.abort()
        except Exception:
            self.logger.exception("Exception in ASGI application\n")
            self.send_500_response()
        else:
            if not self.handshake_complete:
                self.logger.error("ASGI callable returned without completing handshake.")
                self.send_500_response()
        if self.close_timer is None and not self._is_taken:
            self.transport.close()

    async def send(self, message: Any) -> None:
        kind = message["type"]
        if kind.startswith("websocket.http.response."):
            await self._refuse(kind.removeprefix("websocket.http.response."), message)
            return
        await super().send(message)

    def take_over(self, who: Leaving, fields: Pairs) -> Taken | None:
        """See `authproxy.handshake.TakeOver`."""
        if self.handshake_complete or self.transport.is_closing():
            return None
        self.handshake_complete = self._is_taken = True
        del self.response.headers["Date"]
        for name, value in fields:
            self.response.headers[name.decode("latin-1")] = value.decode("latin-1")
        self.conn.send_response(self.response)
        self.transport.write(b"".join(self.conn.data_to_send()))
        stand_in = _StandIn(who, self.transport)
        self.connections.discard(self)
        self.connections.add(stand_in)  # type: ignore[arg-type]
        deflate = next((each for each in self.conn.extensions if isinstance(each, Deflate)), None)
        bits = (deflate.remote_max_window_bits, deflate.local_max_window_bits) if deflate else None
        del self.conn, self.request, self.response, self.queue
        return Taken(self.transport, bits, lambda: self.connections.discard(stand_in))

    async def _refuse(self, part: str, message: Any) -> None:
        """An answer instead of the upgrade, piece by piece."""
        await self.writable.wait()
        if self.disconnected or self.transport.is_closing():
            raise ResponseAborted
        if part == "start":
            self._is_refusing = self.handshake_complete = self.close_sent = True
            self.transport.write(_head(message["status"], message.get("headers", ())))
        elif part == "body":
            if data := message.get("body", b""):
                self.transport.write(data)
            if not message.get("more_body", False):
                self.transport.close()

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        self._end()

    def _end(self) -> None:
        """Nobody is left to answer, not even with a 500."""
        self.disconnected = self.handshake_complete = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _ABNORMAL, "reason": ""})
        self.transport.close()


class _StandIn:
    """Among the server's connections: one that is another's now."""

    __slots__ = ("_who", "transport")

    def __init__(self, who: Leaving, transport: asyncio.Transport) -> None:
        self._who = who
        self.transport = transport

    def shutdown(self) -> None:
        self._who.shutdown()


def _head(status: int, fields: Pairs) -> bytes:
    """The connection ends with the answer, so its body needs no framing of its own (RFC 9112 section 6.3)."""
    named = {name.lower() for name, _ in fields}
    lines = [b"HTTP/1.1 %d %b" % (status, _PHRASES.get(status, "").encode("ascii"))]
    lines += [b"%b: %b" % pair for pair in fields if pair[0].lower() != b"connection"]
    if b"date" not in named:
        lines.append(b"date: " + email.utils.formatdate(usegmt=True).encode("ascii"))
    return b"\r\n".join([*lines, b"connection: close", b"", b""])
