"""D: Minutes become blocks, blocks hours, hours days; what is old goes.

Any worker may do it, one at a time: a lock of the database says who. A longer span is always made anew of all the
rows that it is made of, so doing it twice, or again after a late row, changes nothing that was right. Rows are marked
before they are read, in one transaction: what is written meanwhile stays unmarked and is taken the next time.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from observability.models import CallerRow, TrafficRow
from observability.rollups import tallies
from observability.rollups.figures import Figures
from observability.rollups.minutes import (
    ALL,
    CONNECTS,
    EVERYBODY_ELSE,
    ROUTE,
    SERVICE,
    Subject,
    add_tally,
)
from observability.rollups.tiers import BLOCK, DAY, GRACE_S, HOUR, MINUTE, SPANS, down
from observability.rollups.writing import (
    COLUMNS,
    caller_row,
    figures_of,
    traffic_row,
    write_callers,
    write_traffic,
)
from observability.traffic.folding import Caller, Tally
from routing.pruning import delete_some

SCOPES: Final = (ALL, SERVICE, ROUTE, CONNECTS)
LOCK_KEY: Final = 0x546F72616E62
KEPT_S: Final = {MINUTE: 48 * HOUR, BLOCK: 48 * HOUR, HOUR: 90 * DAY, DAY: 400 * DAY}
BUDGET_S: Final = 0.5
"""How long one round may take: the thread shares its process with traffic."""
NAMES_AT_ONCE: Final = 100
KEPT_CALLERS: Final = 300
"""For each longer span; the others are one row."""
PAUSE_S: Final = 0.002
FOREVER: Final = 1 << 62


def keep_house(
    now: float, *, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
) -> bool:
    """Sums up and prunes some; True if there is more to do."""
    until = clock() + BUDGET_S
    while step(now):
        pause(PAUSE_S)
        if clock() >= until:
            return True
    return prune(now)


def step(now: float) -> bool:
    """Sums up a few rows of the shortest and oldest span that is over, or else makes a tally; False: nothing to do."""
    for span, longer in pairwise(SPANS):
        for scope in SCOPES:
            block = _due(_rows(span, scope), longer, now)
            if block is not None:
                return _locked(partial(_sum_traffic, scope, block, span, longer))
        block = _due(_rows(span, None), longer, now)
        if block is not None:
            return _locked(partial(_sum_callers, block, span, longer))
    whole = frontiers(ROUTE)
    for span in tallies.TALLIED:
        at = tallies.due(span, whole[span], now)
        if at is not None:
            return _locked(partial(_tally, span, at))
    return False


def prune(now: float) -> bool:
    """Deletes some of what is too old; True if there may be more of it."""
    more = False
    for span, kept_s in KEPT_S.items():
        for scope in (*SCOPES, tallies.SCOPE, tallies.BEFORE):
            rows = TrafficRow.objects.filter(span=span, scope=scope, at__lt=now - kept_s)
            more |= delete_some(rows.order_by("at"))
        more |= delete_some(CallerRow.objects.filter(span=span, at__lt=now - kept_s).order_by("at"))
    return more


def frontiers(scope: str | None) -> dict[int, int]:
    """Before which moment each longer span is whole, of a scope's rows; None: of callers'."""
    found: dict[int, int] = {}
    bound = FOREVER
    for span, longer in pairwise(SPANS):
        first = _first_unsummed(_rows(span, scope))
        bound = down(bound if first is None else min(bound, first), longer)
        found[longer] = bound
    return found


def _rows(span: int, scope: str | None) -> "QuerySet[Any]":
    if scope is None:
        return CallerRow.objects.filter(span=span)
    return TrafficRow.objects.filter(span=span, scope=scope)


def _first_unsummed(rows: "QuerySet[Any]") -> int | None:
    found: int | None = rows.filter(is_summed=False).order_by("at").values_list("at", flat=True).first()
    return found


def _due(rows: "QuerySet[Any]", longer: int, now: float) -> int | None:
    """The first longer span that is over and has something to be added up."""
    first = _first_unsummed(rows)
    if first is None or down(first, longer) + longer + GRACE_S > now:
        return None
    return down(first, longer)


def _locked(work: Callable[[], None]) -> bool:
    """In a transaction, unless somebody else is at it; whether it was done."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
                if not cursor.fetchone()[0]:
                    return False
        work()
    return True


def _sum_traffic(scope: str, block: int, span: int, longer: int) -> None:
    if scope == ROUTE:
        tallies.forget(longer, block)
    rows = TrafficRow.objects.filter(span=span, scope=scope, at__gte=block, at__lt=block + longer)
    waiting = rows.filter(is_summed=False).order_by("name").values_list("name", flat=True)
    names = list(waiting.distinct()[:NAMES_AT_ONCE])
    mine = rows.filter(name__in=names)
    mine.filter(is_summed=False).update(is_summed=True)
    sums: dict[str, Figures] = {}
    services: dict[str, str] = {}
    for name, service, *values in mine.order_by("at").values_list("name", "service", *COLUMNS):
        sums.setdefault(name, Figures()).merge(figures_of(tuple(values)))
        services[name] = service
    write_traffic(
        traffic_row(
            longer, block, "", Subject(scope, name), figures, service=services[name], last=longer == SPANS[-1]
        )
        for name, figures in sums.items()
    )


def _tally(span: int, at: int) -> None:
    """Unless rows came meanwhile, or somebody else made it."""
    if at < frontiers(ROUTE)[span] and not tallies.rows(span).filter(at=at).exists():
        tallies.make(span, at)


def _sum_callers(block: int, span: int, longer: int) -> None:
    rows = CallerRow.objects.filter(span=span, at__gte=block, at__lt=block + longer)
    rows.filter(is_summed=False).update(is_summed=True)
    sums: dict[Caller, Tally] = {}
    for route, consumer, *values in rows.values_list("route", "consumer", "count", "errors", "refused"):
        add_tally(sums.setdefault(Caller(route, consumer), Tally()), Tally(*values))
    others = sums.pop(EVERYBODY_ELSE, Tally())
    ranked = sorted(sums.items(), key=lambda each: (-each[1].count, each[0]))
    for _, tally in ranked[KEPT_CALLERS:]:
        add_tally(others, tally)
    kept = [*ranked[:KEPT_CALLERS], *([(EVERYBODY_ELSE, others)] if others.count else [])]
    CallerRow.objects.filter(span=longer, at=block).delete()
    write_callers(caller_row(longer, block, "", *each, last=longer == SPANS[-1]) for each in kept)
