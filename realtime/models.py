"""D: What happens in real time, as rows, gathered for Django."""

from realtime.rows.bus import DeadLetter, WaitingEvent
from realtime.rows.livesockets import LiveSocket, SocketEnding

__all__ = ["DeadLetter", "LiveSocket", "SocketEnding", "WaitingEvent"]
