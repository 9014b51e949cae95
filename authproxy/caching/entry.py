"""P: An answer as it is kept."""

from typing import Final

from authproxy.caching.freshness import NEVER, Times
from authproxy.caching.keys import Values
from authproxy.headers import Pair

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


def values_size(values: Values) -> int:
    """Bytes that a variant's key takes."""
    return sum(len(value) for value in values if value is not None)
