"""P: multipart/form-data as it streams by (RFC 7578, RFC 2046 section 5.1.1), so that nobody can read it otherwise.

Only what every reader takes alike is taken: no text before the first boundary or behind the last, lines that end in
CRLF, no folded or repeated fields, no transfer encoding, and the boundary nowhere but between parts. A reader that
splits at what looks like a boundary so finds the same parts as one that does not.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MOST_PARTS: Final = 1000
MOST_HEADER_BYTES: Final = 8 * 1024
MOST_HEADERS: Final = 16
BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_CRLF: Final = b"\r\n"
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):([^\r\n\0]*)")
_NAME: Final = re.compile(rb'[;\s]name="([^"]*)"|[;\s]name=([^;\s"]+)', re.IGNORECASE)
_FILENAME: Final = re.compile(
    rb"""[;\s]filename="((?:[^"\\]|\\.)*)"|[;\s]filename=([^;\s"]*)|[;\s]filename\*=[^']*'[^']*'([^;\s]*)""",
    re.IGNORECASE,
)
_PLAIN: Final = (b"7bit", b"8bit", b"binary")


class Malformed(Exception):  # noqa: N818 - what was found, not a fault of the program
    """What is not multipart/form-data as everybody reads it; str() says why."""


class PartBegins(NamedTuple):
    """A part's header fields. `filename` is None for a part that is no file; it may be empty."""

    name: str
    filename: str | None
    content_type: str
    """As written; empty where there is none."""


class PartEnds(NamedTuple):
    """The part is over."""


Event = PartBegins | PartEnds | bytes


class MultipartReader:
    """Give it a body piece by piece. It keeps less than a boundary, or the header fields of one part."""

    __slots__ = ("_buffer", "_fixed", "_mark", "_parts", "_read", "other")

    def __init__(self, boundary: str) -> None:
        self._mark = b"--" + boundary.encode("ascii")
        self._buffer = b""
        self._parts = 0
        self._read = self._start
        self._fixed = False
        self.other = 0
        """Bytes so far that are not a part's content."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """What the next piece brings, in order. Raises Malformed at the place that is wrong."""
        self._buffer += data
        while True:
            found = self._read()
            if found is None:
                return
            yield from found

    def finish(self) -> None:
        """The body has ended. Raises Malformed where its last boundary has not come."""
        if self._read != self._end:
            raise Malformed("it is cut off before its last boundary")

    # One state each: events of one step, or None where more is needed

    def _start(self) -> tuple[Event, ...] | None:
        whole = len(self._mark)
        if self._buffer[:whole] != self._mark[: len(self._buffer)]:
            raise Malformed("it does not begin with its boundary")
        return self._boundary(0) if len(self._buffer) >= whole else None

    def _boundary(self, at: int, *events: Event) -> tuple[Event, ...] | None:
        """The boundary is at this place of the buffer: between two parts, or the last."""
        behind = at + len(self._mark)
        follows = self._buffer[behind : behind + 2]
        if follows == _CRLF[: len(follows)] or follows == b"--"[: len(follows)]:
            if len(follows) < 2:
                return None
            self._skip(behind + 2)
            self._read = self._end if follows == b"--" else self._headers
            return events
        raise Malformed("the boundary is inside a part, or is followed by something")

    def _headers(self) -> tuple[Event, ...] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MOST_HEADER_BYTES or (end < 0 and len(self._buffer) > MOST_HEADER_BYTES + 3):
            raise Malformed(f"a part has header fields of more than {MOST_HEADER_BYTES} bytes")
        if self._buffer.startswith(_CRLF):
            raise Malformed("a part has no Content-Disposition")
        if end < 0:
            return None
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Malformed(f"it has more than {MOST_PARTS} parts")
        part = _part(self._buffer[:end])
        self._skip(end + 4)
        self._read = self._content
        return (part,)

    def _content(self) -> tuple[Event, ...] | None:
        """The CRLF before a boundary belongs to the boundary."""
        at = self._buffer.find(self._mark)
        safe = at - 2 if at >= 0 else len(self._buffer) - len(self._mark) - 1
        if safe > 0:
            content, self._buffer = self._buffer[:safe], self._buffer[safe:]
            return (content,)
        if at < 0:
            return None
        if self._buffer[:2] != _CRLF or at != 2:
            raise Malformed("the boundary is inside a part")
        return self._boundary(2, PartEnds())

    def _end(self) -> tuple[Event, ...] | None:
        """A line's end may follow the last boundary, and nothing else."""
        follows = self._buffer
        if self._fixed or follows != _CRLF[: len(follows)]:
            if follows:
                raise Malformed("something follows its last boundary")
            return None
        if follows == _CRLF:
            self._fixed = True
            self._skip(2)
        return None

    def _skip(self, count: int) -> None:
        self._buffer = self._buffer[count:]
        self.other += count


def _part(block: bytes) -> PartBegins:
    lines = block.split(_CRLF)
    if len(lines) > MOST_HEADERS:
        raise Malformed(f"a part has more than {MOST_HEADERS} header fields")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise Malformed("a part has a malformed header field")
        name = found[1].lower()
        if name in fields:
            raise Malformed("a part has a header field twice")
        fields[name] = found[2].strip(b" \t")
    if fields.get(b"content-transfer-encoding", b"binary").lower() not in _PLAIN:
        raise Malformed("a part has a transfer encoding")
    return _described(fields)


def _described(fields: dict[bytes, bytes]) -> PartBegins:
    disposition = fields.get(b"content-disposition", b"")
    if disposition.partition(b";")[0].strip().lower() != b"form-data":
        raise Malformed("a part has no Content-Disposition of form-data")
    content_type = fields.get(b"content-type", b"").decode("latin-1")
    if content_type.lower().startswith("multipart/"):
        raise Malformed("a part is made of parts itself")
    filename = _text(_FILENAME.search(disposition))
    if filename is None and b"filename" in disposition.lower():
        filename = "?"  # however it is spelled: somebody may read it as a file's
    return PartBegins(_text(_NAME.search(disposition)) or "", filename, content_type)


def _text(found: re.Match[bytes] | None) -> str | None:
    if found is None:
        return None
    return next((group for group in found.groups() if group is not None), b"").decode("utf-8", "replace")
