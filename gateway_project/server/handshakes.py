"""I: uvicorn's WebSocket protocol, made to bear what clients send before their handshake is answered."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_ABNORMAL = 1006  # RFC 6455 section 7.1.5: the connection ended without a closing frame


class GatewayWebSocket(WebSocketsSansIOProtocol):
    """Frames that came too early are kept; bytes that are no frames end the connection, without a traceback."""

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        self.disconnected = self.handshake_complete = (
            True  # there is nobody left to answer, not even with a 500
        )
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _ABNORMAL, "reason": ""})
        self.transport.close()
