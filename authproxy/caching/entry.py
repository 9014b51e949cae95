"""P: An answer as it is kept, in this process and outside of it.

Outside: the length of the head in 4 bytes, the head as JSON, the body. Whatever else is found there is no entry.
"""

from typing import Any, Final

import orjson

from authproxy.caching.freshness import NEVER, Times
from authproxy.caching.keys import Values
from authproxy.headers import Pair

VERSION: Final = 1
_OVERHEAD: Final = 600
"""Bytes of memory that an entry takes beside its texts, roughly."""


class Entry:
    """A complete answer. Nothing of it changes, but `values` of several variants may be kept apart."""

    __slots__ = (
        "body",
        "etag",
        "headers",
        "last_modified",
        "number",
        "others_say",
        "plainly_until",
        "ready",
        "route",
        "size",
        "status",
        "tags",
        "times",
    )

    def __init__(
        self,
        status: int,
        headers: list[Pair],
        body: bytes,
        times: Times,
        *,
        route: str,
        tags: tuple[str, ...] = (),
        number: int = 0,
    ) -> None:
        self.status = status
        self.others_say = b""
        """Cache-Status of earlier caches, with a comma after it."""
        self.etag: bytes | None = None
        self.last_modified: bytes | None = None
        size = _OVERHEAD + len(body) + 120 * len(headers)
        for name, value in headers:
            size += len(name) + len(value)
            if name in _READ:
                self._note(name, value)
        self.size = size
        if self.others_say:
            headers = [pair for pair in headers if pair[0] != b"cache-status"]
        self.headers = headers
        """Without those of one hop and of one request; Content-Length and Date are there. Not to be changed."""
        self.body = body
        self.times = times
        self.plainly_until = NEVER if times.always_asks else times.fresh_until
        """Until when it is served to requests that say nothing of caches."""
        self.ready: tuple[int, str, list[Pair]] | None = None
        """The fields of an answer as it goes out, by its age in seconds and the client's scheme."""
        self.route = route
        self.tags = tags
        self.number = number
        """The newest purge that was known when the service was asked: later ones may be about this answer."""

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"cache-status":
            self.others_say += value + b", "
        elif name == b"etag":
            self.etag = self.etag or value
        else:
            self.last_modified = self.last_modified or value

    @property
    def kept_until(self) -> float:
        """When it is of no more use, in seconds of the epoch; that it could still be asked about is worth an hour."""
        times = self.times
        extra = max(times.while_revalidate_s, times.if_error_s)
        return times.fresh_until + max(extra, VALIDATED_S if self.etag or self.last_modified else 0.0)

    def __repr__(self) -> str:
        return f"<Entry {self.status} of {self.route}, {len(self.body)} bytes>"


VALIDATED_S: Final = 3600.0
_READ: Final = frozenset({b"etag", b"last-modified", b"cache-status"})


class Varying:
    """In place of an answer: by which fields of the request answers are distinguished."""

    __slots__ = ("names",)
    size = _OVERHEAD

    def __init__(self, names: tuple[bytes, ...]) -> None:
        self.names = names


def packed(entry: Entry) -> bytes:
    """For a store outside."""
    said = [(b"cache-status", entry.others_say.removesuffix(b", "))] if entry.others_say else []
    head = {
        "v": VERSION,
        "s": entry.status,
        "h": b"\n".join([part for pair in [*entry.headers, *said] for part in pair]).decode("latin-1"),
        "f": len(entry.headers) + len(said),
        "t": list(entry.times),
        "r": entry.route,
        "g": entry.tags,
        "n": entry.number,
        "l": len(entry.body),
    }
    return _framed(head, entry.body)


def packed_names(varying: Varying) -> bytes:
    """The same, of what answers are distinguished by."""
    return _framed({"v": VERSION, "y": [name.decode("latin-1") for name in varying.names]}, b"")


def unpacked(data: object) -> Entry | Varying | None:
    """What was packed; None for anything else."""
    if not isinstance(data, bytes) or len(data) < 4:
        return None
    end = 4 + int.from_bytes(data[:4], "big")
    try:
        head = orjson.loads(data[4:end])
        if head["v"] != VERSION:
            return None
        if "y" in head:
            return Varying(tuple([name.encode("latin-1") for name in head["y"]]))
        return _entry(head, data[end:])
    except (KeyError, TypeError, ValueError):
        return None


def _entry(head: dict[str, Any], body: bytes) -> Entry | None:
    if head["l"] != len(body):
        return None
    parts = head["h"].encode("latin-1").split(b"\n") if head["f"] else []
    if len(parts) != 2 * head["f"]:  # no field has a line break
        return None
    headers = list(zip(parts[::2], parts[1::2], strict=True))
    return Entry(
        head["s"],
        headers,
        body,
        Times(*head["t"]),
        route=head["r"],
        tags=tuple(head["g"]),
        number=head["n"],
    )


def values_size(values: Values) -> int:
    """Bytes that a variant's key takes."""
    return sum(len(value) for value in values if value is not None)


def _framed(head: dict[str, Any], body: bytes) -> bytes:
    text = orjson.dumps(head)
    return len(text).to_bytes(4, "big") + text + body
