"""D: What one consumer asked, of which routes, from the roll-ups. Moments are epoch seconds, whole minutes."""

from typing import Final, NamedTuple

from django.db.models import Sum

from observability.models import CallerRow
from observability.rollups.minutes import CONSUMER_LENGTH
from observability.rollups.summing import frontiers
from observability.rollups.tiers import cover
from routing.dbtext import db_text

MOST_ROUTES: Final = 100


class Used(NamedTuple):
    """Of one route. An empty route stands for what no route took."""

    route: str
    requests: int
    errors: int
    refused: int


def used(consumer: str, start: int, end: int) -> list[Used]:
    """By route, the most asked first. Among very many consumers the smallest are not told apart, and have nothing."""
    consumer = db_text(consumer, CONSUMER_LENGTH)  # as it was written down
    sums: dict[str, Used] = {}
    for segment in cover(start, end, frontiers(None)):
        rows = CallerRow.objects.filter(
            span=segment.span, at__gte=segment.start, at__lt=segment.end, consumer=consumer
        )
        grouped = rows.values("route").annotate(
            counted=Sum("count"), failed=Sum("errors"), turned=Sum("refused")
        )
        for route, *more in grouped.values_list("route", "counted", "failed", "turned"):
            known = sums.get(route, Used(route, 0, 0, 0))
            sums[route] = Used(route, *(a + b for a, b in zip(known[1:], more, strict=True)))
    return sorted(sums.values(), key=lambda each: (-each.requests, each.route))
