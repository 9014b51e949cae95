"""D: What dashboards, objectives and alerts ask of the roll-ups. Moments are epoch seconds, whole minutes.

series(3600-second range, step)   figures of each step
connects(range, step)             what opening connections took in each step
totals(range)                     figures of all of it
routes(range), consumers(range)   who had most
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from heapq import nsmallest
from typing import Any, Final, Literal, NamedTuple

from django.db.models import Q, Sum

from observability.models import CallerRow, TrafficRow
from observability.rollups.figures import Figures
from observability.rollups.minutes import ALL, CONNECTS, ROUTE, Subject
from observability.rollups.summing import frontiers
from observability.rollups.tallies import TALLIED, Sums
from observability.rollups.tiers import MINUTE, Segment, coarsest_for, cover, down
from observability.rollups.writing import COLUMNS, figures_of

EVERYTHING: Final = Subject(ALL, "")
_SUMS: Final = Sums()
Order = Literal["count", "errors", "refused", "seconds"]


class Point(NamedTuple):
    """What ended from `at` until a step later."""

    at: int
    figures: Figures


class Ranked(NamedTuple):
    """A route or a service among those with most."""

    name: str
    service: str
    """Of a route: the one that took its last request."""
    figures: Figures


@dataclass(frozen=True, slots=True)
class RankedConsumer:
    """Who asked most; "(other)" are all that are too small to be told apart."""

    consumer: str
    count: int
    errors: int
    refused: int


def series(subject: Subject, start: int, end: int, step: int = MINUTE) -> list[Point]:
    """A point for each step, also where nothing was asked. `step` is a multiple of a minute and `start` one of it.

    A `step` of MINUTE sees two days back; of 3600 and more, 90 days.
    """
    found = {at: Figures() for at in range(start, end, step)}
    for segment in cover(start, end, frontiers(subject.scope), coarsest=coarsest_for(step)):
        for at, *values in _rows(segment, subject).values_list("at", *COLUMNS):
            found[down(at - start, step) + start].merge(figures_of(tuple(values)))
    return [Point(at, figures) for at, figures in found.items()]


def connects(subject: Subject, start: int, end: int, step: int = MINUTE) -> list[Point]:
    """What opening connections to a service took, or to all of them: durations, and a count of the requests for which
    some were opened. As `series`; of a route there is nothing."""
    if subject.scope == ROUTE:
        return []
    return series(Subject(CONNECTS, subject.name), start, end, step)


def totals(subject: Subject, start: int, end: int) -> Figures:
    """Of the whole range."""
    return totals_of(subject.scope, [subject.name], start, end).get(subject.name, Figures())


def totals_of(scope: str, names: Iterable[str], start: int, end: int) -> dict[str, Figures]:
    """Of each of some routes or services that had any requests."""
    segments = cover(start, end, frontiers(scope))
    return {each.name: each.figures for each in _ranked(scope, list(names), segments)}


def ranking(
    scope: str,
    start: int,
    end: int,
    *,
    by: Order = "count",
    limit: int = 10,
    service: str | None = None,
) -> list[Ranked]:
    """The routes or services that have most; `service`: only routes that it takes. Most first, then by name.

    Of very many, one number each is added up, by tallies or an index if it is the count; all others only of those that
    are given.
    """
    sums: dict[str, int] = {}
    segments = cover(start, end, frontiers(scope))
    for segment in segments:
        if scope == ROUTE and by == "count" and segment.span in TALLIED:
            _add_tallied(segment, service, sums)
        else:
            _add_up(_of(segment, scope), by, service, sums)
    first = nsmallest(limit, sums.items(), key=lambda each: (-each[1], each[0]))
    names = [name for name, total in first if total]
    found = {each.name: each for each in _ranked(scope, names, segments)}
    return [found[name] for name in names if name in found]


def _add_tallied(segment: Segment, service: str | None, sums: dict[str, int]) -> None:
    counts, missing = _SUMS.of(*segment)
    for name, each in counts.items():
        if service in (None, name):
            for route, count in each.items():
                sums[route] = sums.get(route, 0) + count
    if missing:
        _add_up(_of(segment, ROUTE).filter(at__in=missing), "count", service, sums)


def _add_up(rows: Any, by: Order, service: str | None, sums: dict[str, int]) -> None:
    of_service = rows if service is None else rows.filter(service=service)
    grouped = of_service.order_by().values("name").annotate(total=Sum(by))
    for name, total in grouped.values_list("name", "total"):
        sums[name] = sums.get(name, 0) + total


def _ranked(scope: str, names: list[str], segments: list[Segment]) -> list[Ranked]:
    """In no order."""
    found: dict[str, Ranked] = {}
    for segment in segments if names else ():
        rows = _of(segment, scope).filter(name__in=names).order_by("at")
        for name, service, *values in rows.values_list("name", "service", *COLUMNS):
            known = found.get(name)
            figures = Figures() if known is None else known.figures
            figures.merge(figures_of(tuple(values)))
            found[name] = Ranked(name, service, figures)
    return list(found.values())


def consumers(start: int, end: int, *, route: str | None = None, limit: int = 10) -> list[RankedConsumer]:
    """Who asked most, of all routes or of one."""
    where = Q() if route is None else Q(route=route)
    sums: dict[str, RankedConsumer] = {}
    for segment in cover(start, end, frontiers(None)):
        rows = CallerRow.objects.filter(span=segment.span, at__gte=segment.start, at__lt=segment.end)
        grouped = (
            rows.filter(where)
            .values("consumer")
            .annotate(counted=Sum("count"), failed=Sum("errors"), turned=Sum("refused"))
        )
        for name, *more in grouped.values_list("consumer", "counted", "failed", "turned"):
            known = astuple(sums[name])[1:] if name in sums else (0, 0, 0)
            sums[name] = RankedConsumer(name, *(a + b for a, b in zip(known, more, strict=True)))
    return sorted(sums.values(), key=lambda each: (-each.count, each.consumer))[:limit]


def _of(segment: Segment, scope: str) -> Any:
    return TrafficRow.objects.filter(
        span=segment.span, scope=scope, at__gte=segment.start, at__lt=segment.end
    )


def _rows(segment: Segment, subject: Subject) -> Any:
    return _of(segment, subject.scope).filter(name=subject.name)
