"""D: The form of the document's `defaults`: route keys that every route has unless it has its own."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from routing.admin.forms.entry import EntryForm, entry_form
from routing.admin.forms.leaves import leaves
from routing.admin.sections import honoured
from routing.columns import DESTINATIONS, Entry, Table
from routing.document.schema import DefaultsSpec
from routing.models import RouteDefaults
from routing.problems import Problem
from routing.validation import check_document

KIND = "defaults"
# What a route matches and where it leads is its own; a document may have it here, admin keeps it as it is.
LEFT_OUT = ("match", "priority", *DESTINATIONS, "sticky", "canary", "grpc")


class DefaultsTable(Table):
    """One column holds the whole section."""

    __slots__ = ()

    def entry(self, row: Mapping[str, Any]) -> Entry:
        return dict(row["values"] or {})

    def row(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {"values": dict(entry) or None}


class DefaultsEntryForm(EntryForm):
    """The one row of defaults."""

    table: ClassVar[Table] = DefaultsTable(KIND, ("values",))

    class Meta:
        model = RouteDefaults
        fields = ()

    @classmethod
    def written(cls, row: RouteDefaults) -> Entry:
        return cls.table.entry({"values": row.values})

    def check(self, entry: Mapping[str, Any]) -> Iterable[Problem]:
        problems = check_document({"version": 1, KIND: dict(entry)}, env=os.environ).problems
        return [
            replace(problem, path=problem.path.removeprefix(KIND).removeprefix(".")) for problem in problems
        ]


DefaultsForm = entry_form(
    DefaultsEntryForm, honoured(KIND, [leaf for leaf in leaves(DefaultsSpec) if leaf.path[0] not in LEFT_OUT])
)
