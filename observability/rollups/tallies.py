"""D: How often each route was asked in an hour or a day that is whole, in one row: for ranking very many routes.

A tally says nothing that rows do not say, and goes in the transaction that changes one of them. So it is right
if it is there; where it is missing, the rows themselves are asked. Its number tells it from every other, so that what
several of them come to may be kept.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Final

import orjson

from observability.models import TrafficRow
from observability.rollups.minutes import ALL, ROUTE
from observability.rollups.tiers import DAY, HOUR

SCOPE: Final = "tally"
TALLIED: Final = (HOUR, DAY)
KEPT_S: Final = 31 * DAY
"""As far back as dashboards look."""
KEPT_SUMS: Final = 6
"""Of a worker: two for each of the longer ranges; a megabyte each with ten thousand routes."""
Counts = Mapping[str, Mapping[str, int]]
"""Requests by service and route."""


def rows(span: int) -> Any:
    """Tallies of a span."""
    return TrafficRow.objects.filter(span=span, scope=SCOPE)


def due(span: int, frontier: int, now: float) -> int | None:
    """The newest hour or day before the frontier that had requests and has no tally."""
    since = now - KEPT_S
    asked = TrafficRow.objects.filter(span=span, scope=ALL, at__gte=since, at__lt=frontier)
    there = set(rows(span).filter(at__gte=since).values_list("at", flat=True))
    return max((at for at in asked.values_list("at", flat=True) if at not in there), default=None)


def make(span: int, at: int) -> None:
    """In the transaction of whoever alone changes these rows."""
    counts: dict[str, dict[str, int]] = {}
    routes = TrafficRow.objects.filter(span=span, scope=ROUTE, at=at)
    for name, service, count in routes.values_list("name", "service", "count"):
        counts.setdefault(service, {})[name] = count
    TrafficRow.objects.create(
        span=span,
        at=at,
        scope=SCOPE,
        count=sum(sum(each.values()) for each in counts.values()),
        errors=0,
        refused=0,
        seconds=0.0,
        upstream_s=0.0,
        received=0,
        sent=0,
        statuses="{}",
        buckets=orjson.dumps(counts).decode(),
        is_summed=True,
    )


def forget(span: int, at: int) -> None:
    """What it says is not so any more."""
    rows(span).filter(at=at).delete()


class Sums:
    """What tallies come to. For several threads."""

    def __init__(self, kept: int = KEPT_SUMS) -> None:
        self._kept = kept
        self._lock = Lock()
        self._sums: OrderedDict[tuple[int, ...], Counts] = OrderedDict()

    def of(self, span: int, start: int, end: int) -> tuple[Counts, list[int]]:
        """Of the tallies from `start` until before `end`; and the hours or days that have none."""
        found = dict(rows(span).filter(at__gte=start, at__lt=end).order_by("at").values_list("at", "pk"))
        missing = [at for at in range(start, end, span) if at not in found]
        key = tuple(found.values())
        with self._lock:
            known = self._sums.get(key)
            if known is not None:
                self._sums.move_to_end(key)
        return self._added(key) if known is None else known, missing

    def _added(self, key: tuple[int, ...]) -> Counts:
        texts = TrafficRow.objects.filter(pk__in=key).values_list("buckets", flat=True)
        counts = added(map(orjson.loads, texts.iterator(chunk_size=10)))
        with self._lock:
            self._sums[key] = counts
            while len(self._sums) > self._kept:
                self._sums.popitem(last=False)
        return counts


def added(many: Iterable[Counts]) -> Counts:
    """All of them together."""
    sums: dict[str, dict[str, int]] = {}
    for counts in many:
        for service, routes in counts.items():
            into = sums.get(service)
            if into is None:
                sums[service] = dict(routes)
                continue
            known = into.get
            for name, count in routes.items():
                into[name] = known(name, 0) + count
    return sums
