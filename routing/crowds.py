"""P: Very many routes at one place, told apart by the value of a header: one route for each tenant, say.

Trying them one by one would cost a microsecond each. A crowd looks the value up instead and tries
only the routes that ask for it, beside those that ask for no such value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from routing.entries import Entry, Wanted, first_of


class Crowd:
    """Entries at one place of a tree, in order, grouped by the header values that they ask for."""

    __slots__ = ("_by_value", "_everyone", "_rest")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._everyone = tuple(entries)
        self._rest: list[Entry] = []
        self._by_value: dict[bytes, dict[bytes, list[Entry]]] = {}
        common = Counter(name for entry in entries for name, _ in _exact_headers(entry))
        for entry in entries:
            asked = max(_exact_headers(entry), key=lambda pair: (common[pair[0]], pair), default=None)
            if asked is None:
                self._rest.append(entry)
            else:
                self._by_value.setdefault(asked[0], {}).setdefault(asked[1], []).append(entry)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._everyone)

    def first(self, wanted: Wanted, bound: int) -> Entry | None:
        """The first entry in order that takes the request, if its order is under the bound."""
        found = first_of(self._rest, wanted, bound)
        if found is not None:
            bound = found[0]
        for name, value in wanted[2]:
            values = self._by_value.get(name)
            entries = values.get(value) if values is not None else None
            if entries is not None:
                entry = first_of(entries, wanted, bound)
                if entry is not None:
                    found, bound = entry, entry[0]
        return found


def _exact_headers(entry: Entry) -> list[tuple[bytes, bytes]]:
    return [(item.name, item.value) for item in entry.route.headers if item.value is not None]
