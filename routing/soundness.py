"""P: Which entries of a document need no second look, because the same ones were checked before and nothing was found.

Whoever changes one route of ten thousand waits for the check of that one. An entry is known by its digest: it may have
come here by another worker's revision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

from routing.document.schema import KINDS
from routing.exactly import exactly_equal

Raw = Mapping[str, Any]
Names = frozenset[tuple[str, str]]
"""Of entries, by kind."""
ROOM: Final = 4
"""How many times as many entries are remembered as the last document had."""
_REFERRED_TO: Final = ("services", "quotas", "roles")
"""Kinds whose names other entries are checked against. That there are more of them makes no entry worse."""


@dataclass(frozen=True, slots=True)
class Sound:
    """`digests` of entries that are canonical, and of which nothing was found by `rules`, among these names."""

    rules: bytes = b""
    """Of the process: what entries are checked by."""
    defaults: Any = None
    """Routes are checked with these laid under them."""
    names: Names = frozenset()
    digests: frozenset[bytes] = frozenset()

    def unchanged(self, known: Raw, raw: Raw, rules: bytes) -> frozenset[int]:
        """Identities of entries of `known`, which is canonical, that need no look where they stand in `raw`."""
        if rules != self.rules or not exactly_equal(self.defaults, raw.get("defaults")):
            return frozenset()
        if not self.names <= _names(raw):
            return frozenset()
        return frozenset(
            id(entry) for kind, entry in _entries(known) if digest_of(kind, entry) in self.digests
        )

    def learned(self, document: Raw, noticed: Names, rules: bytes) -> "Sound":
        """With a canonical document that has no problems. `noticed` are those of which there was a warning."""
        names, defaults = _names(document), document.get("defaults")
        digests = frozenset(
            digest
            for kind, entry in _entries(document)
            if (kind, entry["name"]) not in noticed and (digest := digest_of(kind, entry))
        )
        is_alike = rules == self.rules and exactly_equal(defaults, self.defaults) and self.names <= names
        if is_alike and len(self.digests) <= ROOM * len(digests):
            digests |= self.digests
        return Sound(rules, defaults, names, digests)


def digest_of(kind: str, entry: Raw) -> bytes:
    """Of a canonical entry; empty for one that is looked at every time: it has to be filled in, or is no JSON."""
    try:
        text = orjson.dumps((kind, entry))
    except TypeError:
        return b""
    return b"" if b"${" in text else blake2b(text, digest_size=16).digest()


def _entries(document: Raw) -> Iterable[tuple[str, Raw]]:
    return ((kind, entry) for kind in KINDS for entry in document.get(kind) or ())


def _names(document: Raw) -> Names:
    """Of a document that may be anything."""
    found = set()
    for kind in _REFERRED_TO:
        entries = document.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping) and isinstance(name := entry.get("name"), str):
                found.add((kind, name))
    return frozenset(found)
