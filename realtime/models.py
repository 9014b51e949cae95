"""D: What happens in real time, as rows, gathered for Django."""

from realtime.rows.livesockets import LiveSocket, SocketEnding

__all__ = ["LiveSocket", "SocketEnding"]
