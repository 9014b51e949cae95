"""P: Server-sent events (WHATWG HTML section 9.2) as bytes, and what has not been sent yet of one stream."""

from collections import deque
from typing import Final

import orjson

from realtime.events import Event, as_json

RETRY_MS: Final = 2000
BEGINNING: Final = b"retry: %d\n\n" % RETRY_MS
HEARTBEAT: Final = b": \n\n"
"""A comment, so that nobody between takes the stream for dead."""
MOST_WAITING: Final = 1000
MOST_BYTES: Final = 1 << 20


def event_bytes(event: Event) -> bytes:
    """Without `event`: pages hear all of a topic in `onmessage`; the event's own type is in the data."""
    return b"id: %b\ndata: %b\n\n" % (event.id.encode(), as_json(event))


def gap_bytes(topic: str) -> bytes:
    """Something of the topic was lost: an event of the type `gap`."""
    return b"event: gap\ndata: %b\n\n" % orjson.dumps({"topic": topic})


def end_bytes(code: str, message: str) -> bytes:
    """Why the gateway ends the stream: an event of the type `end`."""
    return b"event: end\ndata: %b\n\n" % orjson.dumps({"code": code, "message": message})


class Backlog:
    """What waits for a client. `put` is False where there is no room: the client is too slow."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def has_room(self) -> bool:
        """For more than one event; half of it is kept for what comes live."""
        return len(self._parts) < MOST_WAITING // 2 and self._size < MOST_BYTES // 2

    def put(self, data: bytes) -> bool:
        if len(self._parts) >= MOST_WAITING or self._size >= MOST_BYTES:
            return False
        self._parts.append(data)
        self._size += len(data)
        return True

    def take(self) -> bytes:
        """All of it."""
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return data
