"""P: Entries of the stream that all workers share, as Redis has them.

An event has the fields t (topic), y (type), d (data, JSON), s (timestamp) and k (key). A confession has g: JSON of the
topics of which one worker (n) delivered events alone while Redis was away, or null for any. An entry without either
only marks a place.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import orjson

from realtime.hub.ids import EventId, parse_id


class Draft(NamedTuple):
    """An event that has no id yet."""

    topic: str
    type: str
    data: bytes
    """JSON."""
    timestamp: str
    key: str
    """The same for the same event, however often it is sent."""


class Confession(NamedTuple):
    """Others have missed events of these topics; None: of any."""

    node: str
    topics: tuple[str, ...] | None


class Entry(NamedTuple):
    """`what` is None for a mere mark."""

    id: EventId
    what: Draft | Confession | None


MARK: Final = (b"h", b"1")


def of_draft(draft: Draft) -> tuple[bytes | str, ...]:
    """The fields of an event."""
    return b"t", draft.topic, b"y", draft.type, b"d", draft.data, b"s", draft.timestamp, b"k", draft.key


def of_confession(node: str, topics: Iterable[str] | None) -> tuple[bytes | str, ...]:
    """The fields of a confession."""
    return b"g", orjson.dumps(None if topics is None else [*topics]), b"n", node


def read(id: bytes, fields: Mapping[bytes, bytes]) -> Entry | None:  # noqa: A002 - the field's name
    """None for what this version cannot read, such as what others put there."""
    place = parse_id(id.decode("ascii", "replace"))
    if place is None:
        return None
    try:
        if b"d" in fields:
            return Entry(place, _draft(fields))
        if b"g" in fields:
            topics = orjson.loads(fields[b"g"])
            named = None if topics is None else tuple(str(topic) for topic in topics)
            return Entry(place, Confession(fields.get(b"n", b"").decode(), named))
    except (KeyError, ValueError, TypeError):
        return None
    return Entry(place, None)


def _draft(fields: Mapping[bytes, bytes]) -> Draft:
    orjson.loads(fields[b"d"])
    topic, kind, stamp, key = (fields[name].decode() for name in (b"t", b"y", b"s", b"k"))
    return Draft(topic, kind, fields[b"d"], stamp, key)
