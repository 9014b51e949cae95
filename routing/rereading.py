"""D: The rows as a document, read again and again: of rows that did not change, what was read before.

A row that changes has another version and time, as every door sees to. What else an entry holds is seen to here: routes
name services, whose names are in rows of their own; targets and backends change with the row that they belong to.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import TextField
from django.db.models.functions import Cast

from routing.columns import ROUTE, SERVICE, TABLES, Entry
from routing.loader import BATCH, MODELS, read_entries, read_rows
from routing.models import RouteDefaults

MOST: Final = BATCH
"""Of one kind: where more have changed, all are read, which is as quick."""
_STAMP: Final = (Cast("updated_at", TextField()),)  # a text is read several times as fast as a time
Stamp = tuple[int, str, int, str]
"""A row's number, name, version, and when it changed."""
_Known = dict[int, tuple[Stamp, Entry]]


class Rereading:
    """Remembers entries by their rows. Not for several threads at a time, and nobody may change what it returns."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def read(self) -> Entry:
        """What `read_rows` reads. Stamps are asked for first: what changes meanwhile is read again the next time."""
        stamps = {table.kind: _stamps(table.kind) for table in TABLES}
        if not self._known or not self._catch_up(stamps):
            return self._read_all(stamps)
        document: Entry = {"version": 1}
        defaults = RouteDefaults.objects.values_list("values", flat=True).first()
        if defaults:
            document["defaults"] = defaults
        for table in TABLES:
            known = self._known[table.kind]
            if entries := [known[stamp[0]][1] for stamp in stamps[table.kind]]:
                document[table.kind] = entries
        return document

    def _read_all(self, stamps: Mapping[str, Sequence[Stamp]]) -> Entry:
        document = read_rows()
        for kind, rows in stamps.items():
            entries = {entry["name"]: entry for entry in document.get(kind, ())}
            self._known[kind] = {
                stamp[0]: (stamp, entries[stamp[1]]) for stamp in rows if stamp[1] in entries
            }
        return document

    def _catch_up(self, stamps: Mapping[str, Sequence[Stamp]]) -> bool:
        """Whether all of what changed was few, and is known now."""
        if self._are_services_renamed(stamps[SERVICE.kind]):
            self._known[ROUTE.kind] = {}
        for kind, rows in stamps.items():
            before = self._known[kind]
            now = {stamp[0]: found for stamp in rows if (found := before.get(stamp[0])) and found[0] == stamp}
            if len(rows) - len(now) > MOST:
                return False
            now.update(_read([stamp for stamp in rows if stamp[0] not in now], kind))
            if len(now) < len(rows):  # one went, or got another name, after its stamp was read
                return False
            self._known[kind] = now
        return True

    def _are_services_renamed(self, stamps: Sequence[Stamp]) -> bool:
        names = {stamp[0]: stamp[1] for stamp in stamps}
        return any(names.get(key) != stamp[1] for key, (stamp, _) in self._known[SERVICE.kind].items())


def _stamps(kind: str) -> list[Stamp]:
    """In the order of the document."""
    rows = MODELS[kind]._default_manager.order_by("name")
    return list(rows.values_list("pk", "name", "version", *_STAMP))


def _read(stamps: Sequence[Stamp], kind: str) -> _Known:
    if not stamps:
        return {}
    rows: Any = MODELS[kind]._default_manager.filter(pk__in=[stamp[0] for stamp in stamps]).order_by("name")
    entries = {entry["name"]: entry for entry in read_entries(kind, rows)}
    return {stamp[0]: (stamp, entries[stamp[1]]) for stamp in stamps if stamp[1] in entries}
