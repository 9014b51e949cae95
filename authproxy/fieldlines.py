"""P: Header fields that many requests send alike, as the lines that HTTP/1.1 has of them (RFC 9112 section 5).

Made and checked once; whoever wants the fields one by one reads them out of the lines.
"""

import re
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final, Self, overload

Pair = tuple[bytes, bytes]

_END: Final = b"\r\n"
_BETWEEN: Final = b": "
_line_of: Final = _BETWEEN.join
_name_of: Final = itemgetter(0)
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
CONTROLS: Final = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])
"""What no header field may hold (RFC 9110 section 5.5): all but the tab."""
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
"""Fields that say where a body ends."""
_MAX_CACHED: Final = 64
_good: set[bytes] = set()
"""A cache of names."""


class FieldLines(Sequence[Pair]):
    """Immutable. `lines` is `name: value CRLF` for each field. None of them may frame a body."""

    __slots__ = ("lines",)

    def __init__(self, pairs: Sequence[Pair]) -> None:
        """Raises ValueError if a name is no lower-case token, or a value holds a control byte other than a tab."""
        if not _good.issuperset(map(_name_of, pairs)):
            _judge_names(pairs)
        lines = _END.join(map(_line_of, pairs)) + _END if pairs else b""
        if len(lines.translate(None, CONTROLS)) != len(lines) - 2 * len(pairs):
            raise ValueError("control byte in a header field")
        self.lines: Final = lines

    @classmethod
    def of_lines(cls, lines: bytes) -> Self:
        """Of lines that are known to be as they must be: they are not looked at."""
        made = cls.__new__(cls)
        made.lines = lines  # type: ignore[misc] # as the constructor does
        return made

    def __iter__(self) -> Iterator[Pair]:
        return iter(read(self.lines))

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | Sequence[Pair]:
        return tuple(self)[index]

    def __len__(self) -> int:
        return self.lines.count(_END)

    def __eq__(self, other: object) -> bool:
        return self.lines == other.lines if isinstance(other, FieldLines) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.lines)

    def __repr__(self) -> str:
        return f"<FieldLines {[name.decode() for name, _ in self]}>"  # values may be somebody's secrets


def _judge_names(pairs: Sequence[Pair]) -> None:
    for name, _ in pairs:
        if not _NAME.fullmatch(name) or name in FRAMING:
            raise ValueError("not the name of a header field that many share")
        if len(_good) < _MAX_CACHED:
            _good.add(name)


def read(lines: bytes) -> list[Pair]:
    """The fields that `lines` of `FieldLines` have."""
    pairs = []
    for line in lines.split(_END)[:-1]:
        name, _, value = line.partition(_BETWEEN)
        pairs.append((name, value))
    return pairs
