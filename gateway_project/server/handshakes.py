"""I: uvicorn's WebSocket protocol, made to bear handshakes that are refused or followed by the wrong bytes."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_ABNORMAL = 1006  # RFC 6455 section 7.1.5: the connection ended without a closing frame


class GatewayWebSocket(WebSocketsSansIOProtocol):
    """Clients cannot fill the log: a refusal is an answer, and bytes that are no frames end the connection."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # else uvicorn reports each refusal as the application's error

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        # Nobody is left to answer, not even with a 500.
        self.disconnected = self.handshake_complete = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _ABNORMAL, "reason": ""})
        self.transport.close()
