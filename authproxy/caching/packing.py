"""P: An answer as it is kept outside of this process: a head of fixed size, lines of text, the body.

The lines are the route's name, the tags, then names and values of header fields in turn: none of them has a line break.
Whatever else is found where answers are kept is no answer.
"""

from struct import Struct
from typing import Final

from authproxy.caching.entry import Entry, Varying
from authproxy.caching.freshness import Times

_new = tuple.__new__
_ENTRY: Final = b"A2"
_NAMES: Final = b"N2"
_HEAD: Final = Struct("!2sHHHIIQdddd??")
"""Kind and version; status, tags, fields, bytes of the lines, bytes of the body, number of the purge; the times."""
_NAMES_HEAD: Final = Struct("!2sI")


def packed(entry: Entry) -> bytes:
    """For a store outside."""
    said = [(b"cache-status", entry.others_say.removesuffix(b", "))] if entry.others_say else []
    fields = [*entry.headers, *said]
    lines = [entry.route.encode(), *(tag.encode() for tag in entry.tags)]
    text = b"\n".join([*lines, *(part for pair in fields for part in pair)])
    sizes = (entry.status, len(entry.tags), len(fields), len(text), len(entry.body), entry.number)
    return b"".join((_HEAD.pack(_ENTRY, *sizes, *entry.times), text, entry.body))


def packed_names(varying: Varying) -> bytes:
    """The same, of what answers are distinguished by."""
    text = b"\n".join(varying.names)
    return _NAMES_HEAD.pack(_NAMES, len(text)) + text


def unpacked(data: object) -> Entry | Varying | None:
    """What was packed; None for anything else."""
    if not isinstance(data, bytes):
        return None
    kind = data[:2]
    if kind == _ENTRY and len(data) >= _HEAD.size:
        return _entry(data)
    if kind == _NAMES and len(data) >= _NAMES_HEAD.size:
        text = data[_NAMES_HEAD.size :]
        if len(text) == _NAMES_HEAD.unpack_from(data)[1]:
            return Varying(tuple(text.split(b"\n")) if text else ())
    return None


def _entry(data: bytes) -> Entry | None:
    _, status, tags, fields, text_size, body_size, number, *times = _HEAD.unpack_from(data)
    start = _HEAD.size + text_size
    if len(data) != start + body_size:
        return None
    lines = data[_HEAD.size : start].split(b"\n")
    if len(lines) != 1 + tags + 2 * fields:
        return None
    first = 1 + tags
    try:
        route = lines[0].decode()
        said = tuple([line.decode() for line in lines[1:first]]) if tags else ()
    except UnicodeDecodeError:
        return None
    return Entry(
        status,
        list(zip(lines[first::2], lines[first + 1 :: 2], strict=True)),
        data[start:],
        _new(Times, times),  # the class's own constructor costs twice
        route=route,
        tags=said,
        number=number,
    )
