"""D: Finding events of the trail, the same way for every door, in bounded time however many there are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson
from django.db.models import Max, QuerySet

from observability.audit.chain import Link
from observability.audit.writing import content_of
from observability.models import AuditEvent, AuditObject

SEARCHED: Final = 100_000
"""A search for words looks at so many of the newest events that the other filters leave to look at."""
COLUMNS: Final = (
    "id",
    "at",
    "action",
    "actor",
    "actor_kind",
    "user_id",
    "door",
    "address",
    "reason",
    "summary",
)
_CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; nothing that is empty narrows it. `until` and `before` are exclusive, `since` inclusive."""

    actor: str = ""
    kind: str = ""
    name: str = ""
    action: str = ""
    door: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    before: int | None = None


def find(wanted: Wanted, *, is_bounded: bool = True) -> "QuerySet[AuditEvent]":
    """The newest first. Moments become numbers first: the order of numbers is that of times.

    `is_bounded` False: words are looked for in all events, however long that takes.
    """
    if "\0" in f"{wanted.actor}{wanted.kind}{wanted.name}{wanted.action}{wanted.door}{wanted.text}":
        return AuditEvent.objects.none()
    rows = AuditEvent.objects.defer("content", "words")
    for column in ("actor", "action", "door"):
        if value := getattr(wanted, column):
            rows = rows.filter(**{column: value})
    if wanted.kind or wanted.name:
        rows = rows.filter(pk__in=_about(wanted).values("event_id"))
    if wanted.before is not None:
        rows = rows.filter(pk__lt=wanted.before)
    if wanted.since is not None:
        rows = rows.filter(pk__gte=first_from(wanted.since))
    if wanted.until is not None:
        rows = rows.filter(pk__lt=first_from(wanted.until))
    if wanted.text:
        rows = searched(rows, wanted.text) if is_bounded else _having(rows, wanted.text)
    return rows.order_by("-pk")


def searched(rows: "QuerySet[AuditEvent]", text: str) -> "QuerySet[AuditEvent]":
    """Of the newest SEARCHED rows those that have these words."""
    return _having(rows, text).filter(pk__gt=_floor(rows))


def further(wanted: Wanted) -> int | None:
    """Where a search for words stopped: all events from that number on were looked at, and `before` it goes on behind
    them. None: it looked at all."""
    if not wanted.text or "\0" in wanted.text:
        return None
    return stopped_at(find(replace(wanted, text="")))


def stopped_at(rows: "QuerySet[AuditEvent]") -> int | None:
    """The same, of the rows that `searched` would look at."""
    floor = _floor(rows)
    return floor + 1 if floor > 0 and rows.filter(pk__lte=floor).exists() else None


def _floor(rows: "QuerySet[AuditEvent]") -> int:
    return (rows.order_by().aggregate(newest=Max("pk"))["newest"] or 0) - SEARCHED


def _having(rows: "QuerySet[AuditEvent]", text: str) -> "QuerySet[AuditEvent]":
    return rows.filter(words__contains=text.lower())


def links(*, after: int = 0) -> Iterator[Link]:
    """Every row from the first, a thousand in memory at a time."""
    last = after
    while True:
        rows = list(AuditEvent.objects.filter(pk__gt=last).order_by("pk")[:_CHUNK])
        for row in rows:
            columns = content_of({name: getattr(row, name) for name in COLUMNS})
            yield Link(row.pk, row.content, row.previous, row.hash, columns)
        if len(rows) < _CHUNK:
            return
        last = rows[-1].pk


def in_order(wanted: Wanted) -> Iterator[AuditEvent]:
    """All that is wanted, the oldest first, a thousand in memory at a time; of words, too."""
    last = 0
    while rows := list(
        find(wanted, is_bounded=False).filter(pk__gt=last).order_by("pk").defer(None)[:_CHUNK]
    ):
        yield from rows
        last = rows[-1].pk


def as_json(row: AuditEvent) -> dict[str, Any]:
    """The whole of an event, with its place in the chain."""
    content: dict[str, Any] = orjson.loads(row.content)
    content["objects"] = [{"kind": kind, "name": name} for kind, name in content["objects"]]
    return {**content, "previous": row.previous, "hash": row.hash}


def line(row: AuditEvent) -> str:
    """One line for people."""
    when = row.at.strftime("%Y-%m-%d %H:%M:%S")
    parts = (
        f"{row.pk:>6}",
        when,
        row.action,
        row.actor,
        f"{row.door} {row.address}".strip(),
        row.summary,
        row.reason,
    )
    return "  ".join(" ".join(each.split()) if place else each for place, each in enumerate(parts) if each)


def _about(wanted: Wanted) -> "QuerySet[AuditObject]":
    rows = AuditObject.objects.all()
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    return rows.filter(name=wanted.name) if wanted.name else rows


def first_from(moment: datetime) -> int:
    """The number of the first event from then on."""
    row = AuditEvent.objects.filter(at__gte=moment).order_by("at", "pk").values_list("pk", flat=True).first()
    return row or (AuditEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0) + 1
