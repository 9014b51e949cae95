"""D: Which policies are in mode log by the rows as they are, read from the few columns that take a mode."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from observability.requests.enforcing import POLICIES, Named, in_mode_log
from routing.document.canonical import canonicalise
from routing.loader import read_entries
from routing.models import Quota, Route, RouteDefaults

_COLUMNS: Final = ("name", "auth_level", *POLICIES)
_WRITTEN: Final = '"mode":"log"'
"""As it stands in a column's text (`routing.fields.encode`)."""


def logged_now(route: str = "") -> Iterator[Named]:
    """Of all routes, by name, or of one. Four queries at most."""
    document: dict[str, Any] = {
        "version": 1,
        "defaults": RouteDefaults.objects.values_list("values", flat=True).first(),
        "quotas": read_entries("quotas", Quota.objects.filter(mode="log")),
    }
    rows = Route.objects.filter(name=route) if route else Route.objects.all()
    # Of ten thousand routes few write it; what stands elsewhere may concern each of them.
    if not document["quotas"] and not any(in_mode_log({**document, "routes": [{"name": ""}]})):
        rows = _writing_it(rows)
    entries = rows.order_by("name").values(*_COLUMNS).iterator(chunk_size=2000)
    return in_mode_log(canonicalise({**document, "routes": [_entry(each) for each in entries]}))


def _writing_it(rows: "QuerySet[Route]") -> "QuerySet[Route]":
    found = Q()
    for policy in POLICIES:
        rows = rows.alias(**{f"{policy}_text": Cast(policy, TextField())})
        found |= Q(**{f"{policy}_text__contains": _WRITTEN})
    return rows.filter(found)


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    entry = {key: row[key] for key in ("name", *POLICIES) if row[key] is not None}
    if row["auth_level"] is not None:
        entry["auth"] = {"level": row["auth_level"], **(row["auth"] or {})}
    return entry
