"""D: Rows → document in a constant number of queries, and document → rows, writing only what differs.

The only place that reads or writes configuration rows in bulk. It neither validates nor publishes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from django.db import models
from django.db.models import ExpressionWrapper, F
from django.utils import timezone

from routing.columns import (
    BACKEND,
    IDENTITY_PROVIDER,
    PLAN,
    QUOTA,
    ROLE,
    ROUTE,
    SERVICE,
    TABLES,
    TARGET,
    TOPIC,
    Entry,
    Table,
    by_name,
)
from routing.exactly import exactly_equal
from routing.fields import TEXTS
from routing.models import (
    IdentityProvider,
    Plan,
    Quota,
    RoleScopes,
    Route,
    RouteBackend,
    RouteDefaults,
    Service,
    Target,
    TopicRule,
)

BATCH: Final = 500
MODELS: Final[dict[str, type[models.Model]]] = {
    SERVICE.kind: Service,
    ROUTE.kind: Route,
    QUOTA.kind: Quota,
    PLAN.kind: Plan,
    ROLE.kind: RoleScopes,
    IDENTITY_PROVIDER.kind: IdentityProvider,
    TOPIC.kind: TopicRule,
}


def read_rows() -> Entry:
    """The whole configuration as written, sorted by name; ten queries at any size."""
    document: Entry = {"version": 1}
    defaults = RouteDefaults.objects.values_list("values", flat=True).first()
    if defaults:
        document["defaults"] = defaults
    for table in TABLES:
        rows = MODELS[table.kind]._default_manager.order_by("name")
        entries = [table.entry(row) for row in _rows(table, rows)]
        if entries:
            document[table.kind] = entries
    _attach(document.get("services"), "targets", _children(Target.objects.all(), "service__name", TARGET))
    _attach(document.get("routes"), "backends", _children(RouteBackend.objects.all(), "route__name", BACKEND))
    return document


def read_entries(kind: str, rows: "models.QuerySet[Any]") -> list[Entry]:
    """The entries of some rows of one kind, as written, in the order of the rows; two queries at most."""
    table = next(each for each in TABLES if each.kind == kind)
    found = [table.entry(row) for row in _rows(table, rows)]
    if found and table.child is not None:
        child_model, child_table, parent = _CHILDREN[kind]
        names = [entry["name"] for entry in found]
        there = child_model._default_manager.filter(**{f"{parent}__name__in": names})
        _attach(found, table.child, _children(there, f"{parent}__name", child_table))
    return found


def write_rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Makes rows that hold `old` hold `new` (both canonical). What is equal in both is not touched.

    Runs inside the caller's transaction, which holds the configuration lock.
    """
    if old.get("defaults") != new.get("defaults"):
        _write_defaults(new.get("defaults"))
    changes = [(table, by_name(old.get(table.kind)), by_name(new.get(table.kind))) for table in TABLES]
    for table, before, after in changes:
        _upsert(
            table, before.keys(), [e for name, e in after.items() if not exactly_equal(before.get(name), e)]
        )
    # Routes let go of services before services go.
    for table, before, after in reversed(changes):
        for names in _batches([name for name in before if name not in after]):
            MODELS[table.kind]._default_manager.filter(name__in=names).delete()


def _rows(table: Table, rows: "models.QuerySet[Any]") -> Iterator[dict[str, Any]]:
    """What each row has in its columns. Most hold nothing: of those, fields are not asked one by one what it means."""
    paths = {"service": "service__name"} if table is ROUTE else {}
    readers = _readers(rows.model, table.columns)
    asked = [
        ExpressionWrapper(F(column), output_field=models.TextField())
        if column in readers
        else paths.get(column, column)
        for column in table.columns
    ]
    reads = [(column, readers.get(column)) for column in table.columns]
    empty = dict.fromkeys(table.columns)
    for values in rows.values_list(*asked).iterator(chunk_size=2000):
        row = empty.copy()
        for (column, read), value in zip(reads, values, strict=True):
            if value is not None:
                row[column] = value if read is None else read(value)
        yield row


def _readers(model: type[models.Model], columns: Iterable[str]) -> dict[str, Callable[[str], Any]]:
    """What makes values of texts, of the columns that hold some."""
    return {
        column: field.read for column in columns if isinstance(field := model._meta.get_field(column), TEXTS)
    }


def _children(rows: "models.QuerySet[Any]", parent: str, table: Table) -> Mapping[str, list[Entry]]:
    paths = {"service": "service__name"} if table is BACKEND else {}
    columns = (paths.get(column, column) for column in table.columns)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for name, *row in rows.order_by("position", "pk").values_list(parent, *columns):
        found[name].append(table.entry(dict(zip(table.columns, row, strict=True))))
    return found


def _attach(parents: list[Entry] | None, key: str, children: Mapping[str, list[Entry]]) -> None:
    for parent in parents or ():
        if parent["name"] in children:
            parent[key] = children[parent["name"]]


def _write_defaults(values: Mapping[str, Any] | None) -> None:
    row = RouteDefaults.objects.first() or RouteDefaults()
    row.values = dict(values) if values else None
    row.save()


def _upsert(table: Table, existing: Iterable[str], entries: Sequence[Mapping[str, Any]]) -> None:
    """Inserts or overwrites by name in bulk; a changed row keeps its identity, its notes and its history."""
    if not entries:
        return
    model = MODELS[table.kind]
    names = [entry["name"] for entry in entries]
    versions = _versions(model, names) if existing else {}
    ids = _ids(Service) if table is ROUTE else {}
    now = timezone.now()
    rows = []
    for entry in entries:
        columns = table.row(entry)
        if table is ROUTE:
            columns["service_id"] = ids.get(columns.pop("service"))
        version = versions.get(entry["name"], 0) + 1
        rows.append(model(**columns, version=version, created_at=now, updated_at=now))
    changed = [column for column in table.columns if column != "name"]
    model._default_manager.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=[*changed, "version", "updated_at"],
    )
    if table.child is not None:
        _write_children(table, entries)


def _write_children(table: Table, entries: Sequence[Mapping[str, Any]]) -> None:
    """Children have no identity of their own: those of a changed parent are written anew."""
    parent_ids = _ids(MODELS[table.kind])
    child_model, child_table, parent = _CHILDREN[table.kind]
    service_ids = _ids(Service) if child_table is BACKEND else {}
    for batch in _batches([parent_ids[entry["name"]] for entry in entries]):
        child_model._default_manager.filter(**{f"{parent}_id__in": batch}).delete()
    rows = []
    for entry in entries:
        for position, child in enumerate(entry.get(table.child or "") or ()):
            columns = child_table.row(child)
            if child_table is BACKEND:
                columns["service_id"] = service_ids[columns.pop("service")]
            columns |= {f"{parent}_id": parent_ids[entry["name"]], "position": position}
            rows.append(child_model(**columns))
    child_model._default_manager.bulk_create(rows, batch_size=BATCH)


_CHILDREN: Final[dict[str, tuple[type[models.Model], Table, str]]] = {
    SERVICE.kind: (Target, TARGET, "service"),
    ROUTE.kind: (RouteBackend, BACKEND, "route"),
}


def _versions(model: type[models.Model], names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in _batches(names):
        found.update(model._default_manager.filter(name__in=batch).values_list("name", "version"))
    return found


def _ids(model: type[models.Model]) -> dict[str, int]:
    return dict(model._default_manager.values_list("name", "pk"))


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
