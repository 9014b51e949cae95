"""D: How often each route was asked in five minutes, an hour or a day that is whole, in one row: for ranking very many.

A tally is a list of counts, in the order of a roster: a row that names routes by their service, which many tallies
share, so that they are added number by number. A tally says nothing that rows do not say, and goes in the transaction
that changes one of them; one that does not count as many as there were is not asked. So it is right if it is there;
where it is missing, the rows themselves are asked. Its number tells it from every other, so that what several of them
come to may be kept.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from operator import add
from threading import Lock
from typing import Any, Final

import orjson

from observability.models import TrafficRow
from observability.rollups.minutes import ALL, ROUTE
from observability.rollups.tiers import BLOCK, DAY, HOUR

SCOPE: Final = "counts"
ROSTER: Final = "roster"
BEFORE: Final = "tally"
"""The scope of those that earlier versions made, which hold names themselves."""
TALLIED: Final = (BLOCK, HOUR, DAY)
KEPT_S: Final = {BLOCK: 26 * HOUR, HOUR: 31 * DAY, DAY: 31 * DAY}
"""As far back as rankings of dashboards begin with them."""
KEPT_SUMS: Final = 6
"""Of a worker; a megabyte each with ten thousand routes."""
Counts = Mapping[str, Mapping[str, int]]
"""Requests by service and route."""
Names = dict[str, list[str]]
"""A roster: routes by service."""


def rows(span: int) -> Any:
    """Tallies of a span."""
    return TrafficRow.objects.filter(span=span, scope=SCOPE)


def due(span: int, frontier: int, now: float) -> int | None:
    """The newest span of this length before the frontier that had requests and has no tally."""
    since = now - KEPT_S[span]
    asked = TrafficRow.objects.filter(span=span, scope=ALL, at__gte=since, at__lt=frontier)
    there = set(rows(span).filter(at__gte=since).values_list("at", flat=True))
    return max((at for at in asked.values_list("at", flat=True) if at not in there), default=None)


def make(span: int, at: int) -> None:
    """In the transaction of whoever alone changes these rows."""
    counts: dict[str, dict[str, int]] = {}
    routes = TrafficRow.objects.filter(span=span, scope=ROUTE, at=at)
    for name, service, count in routes.values_list("name", "service", "count"):
        counts.setdefault(service, {})[name] = count
    digest, roster = _roster_for(counts, is_anew=span == DAY)
    numbers = [counts.get(service, {}).get(name, 0) for service, names in roster.items() for name in names]
    TrafficRow.objects.filter(span=span, scope=BEFORE, at=at).delete()
    _write(span, at, SCOPE, numbers, count=sum(numbers), service=digest)


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
        """Of the tallies from `start` until before `end`; and the moments for which none is to be had."""
        found = _valid(span, start, end)
        key = tuple(found.values())
        with self._lock:
            known = self._sums.get(key)
            if known is not None:
                self._sums.move_to_end(key)
        if known is None and (known := added(key)) is None:
            return {}, list(range(start, end, span))
        self._keep(key, known)
        return known, [at for at in range(start, end, span) if at not in found]

    def _keep(self, key: tuple[int, ...], counts: Counts) -> None:
        with self._lock:
            self._sums[key] = counts
            while len(self._sums) > self._kept:
                self._sums.popitem(last=False)


def added(keys: tuple[int, ...]) -> Counts | None:
    """All of these tallies together; None: a roster was taken away meanwhile."""
    sums: dict[str, list[int]] = {}
    tallies = TrafficRow.objects.filter(pk__in=keys).values_list("service", "buckets")
    for digest, text in tallies.iterator(chunk_size=50):
        numbers, known = orjson.loads(text), sums.get(digest)
        sums[digest] = numbers if known is None else list(map(add, known, numbers))
    rosters = dict(_rosters().filter(name__in=sums).values_list("name", "buckets"))
    if rosters.keys() != sums.keys():
        return None
    total: dict[str, dict[str, int]] = {}
    for digest, numbers in sums.items():
        _add_named(orjson.loads(rosters[digest]), iter(numbers), total)
    return total


def _add_named(roster: Names, numbers: Iterator[int], total: dict[str, dict[str, int]]) -> None:
    for service, names in roster.items():
        into = total.setdefault(service, {})
        for name in names:
            if count := next(numbers):
                into[name] = into.get(name, 0) + count


def _valid(span: int, start: int, end: int) -> dict[int, int]:
    """Numbers of tallies by moment, of those that count all requests: whoever took an older version's word for one
    that should have gone would rank by it for a month."""
    counted = TrafficRow.objects.filter(span=span, at__gte=start, at__lt=end)
    asked = dict(counted.filter(scope=ALL).values_list("at", "count"))
    found = counted.filter(scope=SCOPE).order_by("at").values_list("at", "pk", "count")
    return {at: pk for at, pk, count in found if count == asked.get(at)}


def _rosters() -> Any:
    return TrafficRow.objects.filter(span=0, scope=ROSTER)


def _roster_for(counts: Counts, *, is_anew: bool) -> tuple[str, Names]:
    """The newest roster if it has all of these routes, else a new one. `is_anew`: unless most of it is gone."""
    newest = _rosters().order_by("-pk").values_list("name", "buckets").first()
    roster: Names = {} if newest is None else orjson.loads(newest[1])
    size = sum(map(len, roster.values()))
    if is_anew and size > 2 * sum(map(len, counts.values())):
        newest, roster = None, {}
    known = {service: set(names) for service, names in roster.items()}
    if newest is not None and all(names.keys() <= known.get(of, set()) for of, names in counts.items()):
        return newest[0], roster
    services = sorted(known.keys() | counts.keys())
    return _new_roster({of: sorted(known.get(of, set()) | counts.get(of, {}).keys()) for of in services})


def _new_roster(roster: Names) -> tuple[str, Names]:
    """Those that no tally goes by are deleted."""
    digest = hashlib.sha256(orjson.dumps(roster)).hexdigest()
    used = TrafficRow.objects.filter(span__in=TALLIED, scope=SCOPE).order_by().values("service")
    _rosters().exclude(name__in=used.distinct()).delete()
    _rosters().filter(name=digest).delete()
    _write(0, 0, ROSTER, roster, name=digest)
    return digest, roster


def _write(span: int, at: int, scope: str, what: Any, *, count: int = 0, **names: str) -> None:
    TrafficRow.objects.create(
        span=span,
        at=at,
        scope=scope,
        **names,
        count=count,
        errors=0,
        refused=0,
        seconds=0.0,
        upstream_s=0.0,
        received=0,
        sent=0,
        statuses="{}",
        buckets=orjson.dumps(what).decode(),
        is_summed=True,
    )
