"""D: A dashboard's figures as JSON: of everything, a service or a route, in one of the ranges of time.

Durations are milliseconds, sizes bytes, rates requests per second, moments epoch seconds.
"""

from collections.abc import Mapping
from typing import Any, Final

from observability.rollups.figures import Figures, summed
from observability.rollups.minutes import ALL, ROUTE, SERVICE, Subject
from observability.rollups.reading import Point, Ranked, connects, consumers, ranking, series
from observability.rollups.tiers import Range

TOP: Final = 10
_QUANTILES: Final = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def board(subject: Subject, shown: Range, now: float, *, top: int = TOP) -> dict[str, Any]:
    """All that a dashboard shows of traffic."""
    start, end = shown.until(now)
    points = series(subject, start, end, shown.step)
    whole = summed(point.figures for point in points)
    opened = {point.at: point.figures for point in connects(subject, start, end, shown.step)}
    return {
        "of": {"scope": subject.scope, "name": subject.name},
        "range": shown.name,
        "start": start,
        "end": end,
        "step": shown.step,
        "totals": as_json(whole)
        | {"rate": round(whole.count / max(1.0, now - start), 3)}
        | _connects(summed(opened.values()) if opened else None),
        "series": [
            {"at": point.at} | _point(point, shown.step, now) | _connects(opened.get(point.at))
            for point in points
        ],
        "codes": _most(whole.codes, "code"),
        "statuses": _most(_by_status(whole), "status"),
        "top": _top(subject, start, end, top),
    }


def as_json(figures: Figures) -> dict[str, Any]:
    """Of any span."""
    return {
        "requests": figures.count,
        "errors": figures.errors,
        "error_share": round(figures.errors / figures.count, 6) if figures.count else 0.0,
        "refused": figures.refused,
        "classes": figures.classes,
        **_durations(figures),
        "received": figures.received,
        "sent": figures.sent,
    }


def _durations(figures: Figures) -> dict[str, float]:
    quantiles = {name: figures.quantile_s(share) for name, share in _QUANTILES.items()}
    return {name: round(each * 1000, 3) for name, each in {"mean_ms": figures.mean_s, **quantiles}.items()}


def _connects(figures: Figures | None) -> dict[str, Any]:
    """What opening connections took, of the requests for which some were opened; None: of a route, nothing."""
    return {} if figures is None else {"connects": {"requests": figures.count, **_durations(figures)}}


def _point(point: Point, step: int, now: float) -> dict[str, Any]:
    """The rate of the step that is now is of what has passed of it."""
    passed = min(float(step), max(1.0, now - point.at))
    return as_json(point.figures) | {"rate": round(point.figures.count / passed, 3)}


def _by_status(figures: Figures) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, count in figures.statuses.items():
        status = key.partition(" ")[0]
        found[status] = found.get(status, 0) + count
    return found


def _most(counts: Mapping[str, int], name: str) -> list[dict[str, Any]]:
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{name: key, "count": count} for key, count in ranked[:TOP]]


def _top(subject: Subject, start: int, end: int, limit: int) -> dict[str, Any]:
    """Of a route there are only consumers; of a service, its routes."""
    found: dict[str, Any] = {}
    if subject.scope != ROUTE:
        service = subject.name if subject.scope == SERVICE else None
        found["routes"] = _ranked(ROUTE, start, end, limit, service=service)
    if subject.scope == ALL:
        found["services"] = _ranked(SERVICE, start, end, limit)
    if subject.scope != SERVICE:
        route = subject.name if subject.scope == ROUTE else None
        rows = consumers(start, end, route=route, limit=limit)
        found["consumers"] = [
            {"name": row.consumer, "requests": row.count, "errors": row.errors, "refused": row.refused}
            for row in rows
        ]
    return found


def _ranked(
    scope: str, start: int, end: int, limit: int, *, service: str | None = None
) -> list[dict[str, Any]]:
    return [_line(row) for row in ranking(scope, start, end, service=service, limit=limit)]


def _line(row: Ranked) -> dict[str, Any]:
    figures = row.figures
    return {
        "name": row.name,
        "service": row.service,
        "requests": figures.count,
        "errors": figures.errors,
        "refused": figures.refused,
        "mean_ms": round(figures.mean_s * 1000, 3),
        "p95_ms": round(figures.quantile_s(0.95) * 1000, 3),
        "sent": figures.sent,
    }
