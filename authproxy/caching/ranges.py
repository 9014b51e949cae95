"""P: A part of a stored body (RFC 9110 section 14): one range of bytes. Who asks for several gets the whole."""

import re
from typing import Final, NamedTuple

_ONE: Final = re.compile(rb"\s*bytes\s*=[\s,]*(\d{0,18})\s*-\s*(\d{0,18})[\s,]*", re.IGNORECASE)
LONGEST: Final = 100
"""Of a value that asks for one range."""


class Part(NamedTuple):
    """Bytes `first` to `last`, both of them in it."""

    first: int
    last: int


class Unsatisfiable(NamedTuple):
    """There is no such part: 416."""


def part_of(value: bytes, size: int) -> Part | Unsatisfiable | None:
    """What a Range asks for of `size` bytes; None for a Range that is ignored: another unit, several, or faulty."""
    found = _ONE.fullmatch(value) if len(value) <= LONGEST else None
    if found is None or found[1] == found[2] == b"":
        return None
    if found[1] == b"":
        wanted = int(found[2])
        return Part(max(0, size - wanted), size - 1) if wanted and size else Unsatisfiable()
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    return Part(first, min(last, size - 1)) if first < size else Unsatisfiable()


def content_range(part: Part | Unsatisfiable, size: int) -> bytes:
    """The Content-Range of a 206 or a 416."""
    if isinstance(part, Unsatisfiable):
        return b"bytes */%d" % size
    return b"bytes %d-%d/%d" % (part.first, part.last, size)
