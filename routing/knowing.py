"""D: What the database and this process know of breakers, targets and quotas, for whoever explains a request."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, InterfaceError
from django.db.models import Max
from django.utils import timezone

from resilience.models import BreakerState, TargetEjection, TargetHealth
from routing import canarying, livestates, quotasleft, readmitting
from routing.explainleases import discovered
from routing.knowledge import Knowledge, KnownCanary, Standing, Standings, standing_of
from routing.models import Lease, LeaseState
from routing.snapshot import CompiledService

FRESH_ROUNDS: Final = 3
FRESH_S: Final = 60.0
_OUT: Final = frozenset({"unhealthy", "ejected"})


def knowledge() -> Knowledge:
    """As of now. Where the database does not answer, nothing is known of what it would say."""
    return Knowledge(
        _breaker, _targets, time.time(), quotas=quotasleft.left, discovered=discovered, canary=_canary
    )


def left_out(services: Iterable[CompiledService]) -> dict[str, frozenset[str]]:
    """URLs of the targets that get no requests, by service: unhealthy or ejected, as `Knowledge.targets` says it.

    One query, however many services there are.
    """
    named = {service.name: service for service in services}
    found: dict[str, dict[str, Standing]] = {name: {} for name in named}
    rows: Iterable[Any] = readmitting.standings().filter(readmitting.is_out())
    for row in rows:
        if row.service in named and _counts(row, named[row.service]):
            found[row.service][row.target] = "unhealthy"
    seen = {name: {**written, **(livestates.standings(name) or {})} for name, written in found.items()}
    return {name: frozenset(url for url in urls if urls[url] in _OUT) for name, urls in seen.items()}


def _counts(row: Any, service: CompiledService) -> bool:
    """Whether one of `readmitting.standings` is of something that the service still has, and not too old."""
    if service.ejection is not None and row.ejected_by:
        return True
    if service.health is None or row.healthy is not False:
        return False
    return bool(row.checked_at >= _fresh_since(service.health.interval_s))


def _canary(route: str) -> KnownCanary | None:
    try:
        row = canarying.found(route)
    except (DatabaseError, InterfaceError):
        return None
    if row is None:
        return None
    following = canarying.next_at(row)
    return KnownCanary(
        state=row.stage.replace("_", " "),
        step=row.step + 1,
        steps=len(canarying.policy_of(row).steps),
        percent=canarying.percent_of(row),
        since=row.since.timestamp(),
        next_at=None if following is None else following.timestamp(),
        by=row.by,
        reason=row.reason,
    )


def _breaker(service: str) -> Mapping[str, Any] | None:
    try:
        row = BreakerState.objects.filter(service=service).first()
    except (DatabaseError, InterfaceError):
        return None
    if row is None:
        return None
    return {
        "state": row.state,
        "since": row.since.timestamp() if row.since else None,
        "forced": row.forced or None,
        "forced_by": row.forced_by or None,
        "reason": row.reason or None,
        "until": row.forced_until.timestamp() if row.forced_until else None,
    }


def _targets(service: CompiledService) -> Standings:
    """What this process sees counts more than what was written down, by whichever worker."""
    try:
        interval_s = _longest_interval_s(service)
        checked = {} if interval_s is None else _checked(service.name, interval_s)
        written = {**checked, **({} if service.ejection is None else _ejected(service.name))}
    except (DatabaseError, InterfaceError):
        written = {}
    return {**written, **(livestates.standings(service.name) or {})}


def _longest_interval_s(service: CompiledService) -> float | None:
    """Between two checks of one target; None: nobody checks. Registered targets are checked in any case."""
    if service.health is not None:
        return service.health.interval_s
    leases = Lease.objects.filter(service=service.name, state=LeaseState.APPROVED)
    longest: float | None = leases.aggregate(longest=Max("check_interval_s"))["longest"]
    return longest


def _ejected(service: str) -> Standings:
    """By some worker at least."""
    rows = TargetEjection.objects.filter(service=service, until__gt=timezone.now())
    return dict.fromkeys(rows.values_list("target", flat=True), standing_of(drain=False, is_ejected=True))


def _checked(service: str, interval_s: float) -> Standings:
    rows = TargetHealth.objects.filter(service=service, checked_at__gte=_fresh_since(interval_s))
    return {
        url: standing_of(drain=False, healthy=healthy)
        for url, healthy in rows.values_list("target", "healthy")
    }


def _fresh_since(interval_s: float) -> datetime:
    return timezone.now() - timedelta(seconds=max(FRESH_ROUNDS * interval_s, FRESH_S))
