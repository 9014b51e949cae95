"""P: What a client of PostgreSQL sends, counted by message (PostgreSQL documentation, section 55.7)."""

from typing import Final

_STATEMENTS: Final = frozenset(b"QE")
"""Query, and Execute of the extended protocol: each runs one statement (or one text of several)."""
_LENGTH: Final = 4
_HEAD: Final = 1 + _LENGTH


class StatementCounter:
    """Reads one connection's bytes as they come, in pieces of any size. The first message has no type."""

    __slots__ = ("_begun", "_head", "_skip", "statements")

    def __init__(self) -> None:
        self.statements = 0
        self._head = bytearray()
        self._skip = 0
        self._begun = False

    def feed(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            wanted = _HEAD if self._begun else _LENGTH
            piece = data[at : at + wanted - len(self._head)]
            self._head += piece
            at += len(piece)
            if len(self._head) == wanted:
                self._enter()

    def _enter(self) -> None:
        """The length counts itself, but not the type."""
        if self._begun and self._head[0] in _STATEMENTS:
            self.statements += 1
        self._skip = int.from_bytes(self._head[-_LENGTH:], "big") - _LENGTH
        self._begun = True
        self._head.clear()
