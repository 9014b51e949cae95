"""P: The scopes that callers have by their roles, and the fields that tell of both: once for all who have the same."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

Roles = Mapping[str, frozenset[str]]
"""The scopes that each role brings, as the snapshot has it; the same object for as long as it is the same table."""
Words = frozenset[str]

SAFE: Final = "!#$&'()*+-./:;<=>?@[]^_`{|}~ \""
"""What a header field shows as it is; commas (which separate), percent signs and all else are percent-encoded."""
_SAFE_IN_LIST: Final = SAFE.replace(" ", "")  # where spaces separate
_MOST_KNOWN: Final = 1024
_LONGEST_KNOWN: Final = 512
"""Bytes of lines: tokens may have kilobytes of scopes."""


class Grant(NamedTuple):
    """`lines` are the fields X-User-Roles and X-User-Scopes, each with its line end; empty ones are not there."""

    scopes: Words
    lines: bytes


_Known = dict[tuple[Words, Words, Words | None], Grant]
_latest: tuple[Roles, _Known] = ({}, {})
"""The table that was asked of last, and what it granted."""


def grant(table: Roles, *, roles: Words, direct: Words, ceiling: Words | None) -> Grant:
    """What a caller with these roles and scopes of its own may do: (direct + what its roles bring) & ceiling."""
    global _latest
    latest, known = _latest
    if latest is not table or len(known) >= _MOST_KNOWN:
        known = {}
        _latest = table, known
    key = (roles, direct, ceiling)
    found = known.get(key)
    if found is None:
        found = _granted(table, *key)
        if len(found.lines) <= _LONGEST_KNOWN:
            known[key] = found
    return found


def quoted(text: str) -> str:
    """Whoever reads a field trims it, so that " admin" would be admin: spaces at an end are encoded."""
    return quote(text, safe=SAFE if text == text.strip(" ") else _SAFE_IN_LIST)


def _granted(table: Roles, roles: Words, direct: Words, ceiling: Words | None) -> Grant:
    scopes = direct.union(*(table.get(role, ()) for role in roles))
    if ceiling is not None:
        scopes &= ceiling
    return Grant(scopes, _line(b"x-user-roles", roles, ",") + _line(b"x-user-scopes", scopes, " "))


def _line(name: bytes, words: Words, separator: str) -> bytes:
    shown = map(quoted, sorted(words))
    joined = separator.join(word.replace(" ", "%20") if separator == " " else word for word in shown)
    return b"%b: %b\r\n" % (name, joined.encode()) if joined else b""
