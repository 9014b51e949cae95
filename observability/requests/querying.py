"""D: Kept requests by anything, the newest first, a page at a time, however many there are.

A page is looked for in stretches of the table, newest first, each a few times as long as the one before if that fits
into the time, until there are enough rows or the time is over; then the page says how far it has looked, and the next
goes on from there. So a rare combination costs many short queries at most, never one that runs through a million rows.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Min, Q, QuerySet

from observability.models import KeptRequest

PAGE: Final = 50
BUDGET_S: Final = 0.2
_FIRST_STRETCH: Final = 2000
_LONGEST_STRETCH: Final = 10_000
"""Where what lies in the cache ends, a row may take a hundred times as long: of this many, about a second."""
_DISORDER: Final = timedelta(seconds=30)
"""Workers write at their own times, so that rows are in the order of time but for this."""
Rows = QuerySet[KeptRequest]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is empty does not matter. `status` is a number or a class such as 5xx; `path` is any part of it."""

    status: str = ""
    code: str = ""
    route: str = ""
    service: str = ""
    consumer: str = ""
    client: str = ""
    method: str = ""
    path: str = ""
    request_id: str = ""
    would: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def given(self) -> dict[str, object]:
        """Those that matter."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name))}


@dataclass(frozen=True, slots=True)
class Page:
    """`before` leads to older ones; None: there are none. `looked_until`: the time was over there."""

    rows: list[KeptRequest]
    before: int | None
    looked_until: datetime | None = None


def status_fault(text: str) -> str:
    """What is wrong with a status that somebody asks for; empty: nothing."""
    is_class = len(text) == 3 and text[0] in "12345" and text[1:].lower() == "xx"
    return "" if not text or is_class or (text.isdecimal() and len(text) == 3) else "want 404, or 4xx"


def page_of(
    wanted: Filters,
    *,
    before: int | None = None,
    size: int = PAGE,
    clock: Callable[[], float] = time.monotonic,
    budget_s: float = BUDGET_S,
) -> Page:
    """Those that fit, older than the row `before`."""
    rows = filtered(wanted)
    if wanted.request_id:
        found = list(rows.order_by("-pk")[:size])
        return Page(found, None)
    lowest, top = _range(wanted, before)
    found, length, now = [], _FIRST_STRETCH, clock()
    ends_at = now + budget_s
    while top > lowest and len(found) <= size:
        if now > ends_at:
            return Page(found, top, _moment_of(top))
        bottom = max(lowest, top - length)
        stretch = rows.filter(pk__lt=top, pk__gte=bottom).order_by("-pk")
        found += stretch[: size + 1 - len(found)]
        top, began, now = bottom, now, clock()
        length = next_stretch(length, now - began, ends_at - now)
    more = len(found) > size
    return Page(found[:size], found[size - 1].pk if more else None)


def next_stretch(length: int, took_s: float, left_s: float) -> int:
    """How many keys to look at after `length` that took so long: a few times as many, or what fits into the time."""
    fitting = int(length * left_s / took_s) if took_s > 0 else _LONGEST_STRETCH
    return max(_FIRST_STRETCH, min(_LONGEST_STRETCH, length * 4, fitting))


def newest(wanted: Filters, *, after: int, size: int = PAGE) -> list[KeptRequest]:
    """Those that fit and are newer than the row `after`, the oldest first."""
    return list(filtered(wanted).filter(pk__gt=after).order_by("pk")[:size])


def filtered(wanted: Filters) -> Rows:
    """The rows that fit, in no order. `facts` are left aside until somebody asks."""
    rows: Rows = KeptRequest.objects.defer("facts")
    for name in ("code", "route", "service", "consumer", "client"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.status:
        rows = rows.filter(_status(wanted.status))
    if wanted.method:
        rows = rows.filter(method=wanted.method.upper())
    if wanted.path:
        rows = rows.filter(path__contains=wanted.path)
    if wanted.request_id:
        rows = rows.filter(Q(request_id=wanted.request_id) | Q(trace_id=wanted.request_id))
    if wanted.would:
        rows = rows.filter(would__contains=f" {wanted.would} ")
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    return rows.filter(at__lte=wanted.until) if wanted.until else rows


def found(key: str) -> KeptRequest | None:
    """By the number of its row, or by the request's id; of several with one id the newest."""
    rows = KeptRequest.objects.order_by("-pk")
    row = rows.filter(request_id=key).first() if "\0" not in key else None
    if row is None and key.isdecimal() and len(key) < 19:
        row = rows.filter(pk=int(key)).first()
    return row


def _status(text: str) -> Q:
    if text[1:].lower() == "xx":
        return Q(status__gte=int(text[0]) * 100, status__lt=int(text[0]) * 100 + 100)
    return Q(status=int(text))


def _range(wanted: Filters, before: int | None) -> tuple[int, int]:
    """The first key that may fit, and the one behind the last."""
    # In one query SQLite would run through the whole table.
    first_key = KeptRequest.objects.aggregate(key=Min("pk"))["key"]
    last_key = KeptRequest.objects.aggregate(key=Max("pk"))["key"]
    if first_key is None or last_key is None:
        return 0, 0
    lowest, top = first_key, last_key + 1
    by_time = KeptRequest.objects.order_by("at").values_list("pk", flat=True)
    if wanted.since:
        first = by_time.filter(at__lt=wanted.since - _DISORDER).last()
        lowest = lowest if first is None else first
    if wanted.until:
        last = by_time.filter(at__gt=wanted.until + _DISORDER).first()
        top = top if last is None else last
    return lowest, top if before is None else min(top, before)


def _moment_of(key: int) -> datetime | None:
    return KeptRequest.objects.filter(pk__gte=key).order_by("pk").values_list("at", flat=True).first()
