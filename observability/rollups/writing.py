"""D: Figures as rows: written whole, so that a row is right however often it is written, and read back."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import models

from observability.models import CallerRow, TrafficRow
from observability.rollups.figures import Figures, packed, unpacked, unpacked_buckets
from observability.rollups.minutes import Subject
from observability.traffic.folding import Caller, Tally

COLUMNS: Final = ("count", "seconds", "upstream_s", "received", "sent", "statuses", "buckets")
"""What `figures_of` reads."""
_KEY: Final = ("span", "scope", "name", "at", "worker")
_VALUES: Final = ("service", "errors", "refused", *COLUMNS, "is_summed")
_CALLER_KEY: Final = ("span", "at", "route", "consumer", "worker")
_CALLER_VALUES: Final = ("count", "errors", "refused", "is_summed")


def traffic_row(
    span: int,
    at: int,
    worker: str,
    subject: Subject,
    figures: Figures,
    *,
    service: str = "",
    last: bool = False,
) -> TrafficRow:
    """`last`: no longer span is made of this one."""
    return TrafficRow(
        span=span,
        at=at,
        worker=worker,
        scope=subject.scope,
        name=subject.name,
        service=service,
        count=figures.count,
        errors=figures.errors,
        refused=figures.refused,
        seconds=figures.seconds,
        upstream_s=figures.upstream_s,
        received=figures.received,
        sent=figures.sent,
        statuses=packed(figures.statuses),
        buckets=packed(figures.buckets),
        is_summed=last,
    )


def caller_row(
    span: int, at: int, worker: str, caller: Caller, tally: Tally, *, last: bool = False
) -> CallerRow:
    return CallerRow(
        span=span,
        at=at,
        worker=worker,
        route=caller.route,
        consumer=caller.consumer,
        count=tally.count,
        errors=tally.errors,
        refused=tally.refused,
        is_summed=last,
    )


def write_traffic(rows: Iterable[TrafficRow]) -> None:
    """Each takes the place of the row that has its key."""
    _write(TrafficRow, rows, _KEY, _VALUES)


def write_callers(rows: Iterable[CallerRow]) -> None:
    """Each takes the place of the row that has its key."""
    _write(CallerRow, rows, _CALLER_KEY, _CALLER_VALUES)


def _write(model: type[models.Model], rows: Iterable[Any], key: Sequence[str], values: Sequence[str]) -> None:
    """In the order of their keys, so that two that write the same never wait for each other in a ring."""
    ordered = sorted(rows, key=lambda row: [getattr(row, name) for name in key])
    model._default_manager.bulk_create(
        ordered, batch_size=200, update_conflicts=True, unique_fields=key, update_fields=values
    )


def figures_of(row: tuple[Any, ...]) -> Figures:
    """Of the values of COLUMNS."""
    count, seconds, upstream_s, received, sent, statuses, buckets = row
    return Figures(count, seconds, upstream_s, received, sent, unpacked_buckets(buckets), unpacked(statuses))
