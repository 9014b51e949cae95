"""P: An event, as every subscriber of its topic gets it."""

from typing import Any, Final, NamedTuple

import orjson

LARGEST_DATA: Final = 64 * 1024
"""Bytes of an event's data as JSON: what is larger is stored elsewhere, and told of."""
LONGEST_TYPE: Final = 100


class Event(NamedTuple):
    """What happened. Made by a hub, and the same for all who get it."""

    id: str
    """Ordered within a topic, and opaque: only to be handed back, to go on behind this event."""
    topic: str
    type: str
    data: Any
    """What JSON has."""
    timestamp: str
    """RFC 3339, in UTC."""
    encoded: bytes = b""
    """`as_json`, kept by the hub: an event is written once for all its subscribers."""


def as_json(event: Event) -> bytes:
    """The event object: `data` of server-sent events, and what answers show of it."""
    return event.encoded or encode(
        event.id, event.topic, event.type, orjson.dumps(event.data), event.timestamp
    )


def encode(id: str, topic: str, type: str, data: bytes, timestamp: str) -> bytes:  # noqa: A002 - the fields' names
    """The event object, of data that is JSON already."""
    return b'{"id":%b,"topic":%b,"type":%b,"data":%b,"timestamp":%b}' % (
        orjson.dumps(id),
        orjson.dumps(topic),
        orjson.dumps(type),
        data,
        orjson.dumps(timestamp),
    )
