"""P: What a route asks of headers and of the query, beside host, path and method."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class HeaderCondition:
    """A header must have this value, or fit this pattern; of a repeated header, any line may.

    Neither `value` nor `regex`: it is enough that the header is there.
    """

    name: bytes  # lower case
    value: bytes | None = None
    regex: re.Pattern[str] | None = None

    def holds(self, headers: Headers) -> bool:
        """Whether a request with these headers (names in lower case) satisfies the condition."""
        return any(name == self.name and _fits(value, self.value, self.regex) for name, value in headers)

    def __str__(self) -> str:
        return f"header {_show(self.name)}{_show_wanted(self.value, self.regex)}"


@dataclass(frozen=True, slots=True)
class QueryCondition:
    """A query parameter must have this value, or fit this pattern, in any of its occurrences."""

    name: bytes  # percent-decoded
    value: bytes | None = None
    regex: re.Pattern[str] | None = None

    def holds(self, query: bytes) -> bool:
        """Whether a request with this raw query string satisfies the condition."""
        return any(
            name == self.name and _fits(value, self.value, self.regex) for name, value in parameters(query)
        )

    def __str__(self) -> str:
        return f"query parameter {_show(self.name)}{_show_wanted(self.value, self.regex)}"


def parameters(query: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name-value pairs of a query, decoded as application/x-www-form-urlencoded (WHATWG URL)."""
    for piece in query.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            yield _decode(name), _decode(value)


def _decode(text: bytes) -> bytes:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    return unquote_to_bytes(text) if b"%" in text else text


def _fits(given: bytes, value: bytes | None, regex: re.Pattern[str] | None) -> bool:
    if value is not None:
        return given == value
    return regex is None or regex.fullmatch(given.decode("utf-8", "surrogateescape")) is not None


def _show(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _show_wanted(value: bytes | None, regex: re.Pattern[str] | None) -> str:
    if value is not None:
        return f" is {_show(value)!r}"
    return f" fits {regex.pattern!r}" if regex is not None else " is present"
