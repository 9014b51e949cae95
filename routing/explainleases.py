"""D: The targets of a service that registered themselves, as the database has them, for whoever explains a request."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Exists, OuterRef, Q

from routing.knowledge import Discovered
from routing.leases import database_now
from routing.leasewatch import running
from routing.models import Lease, LeaseState, Trust
from routing.snapshot import CompiledService, CompiledTarget
from routing.targets import parse_target

MOST_ASIDE: Final = 100
"""That are shown although they take no traffic: of those in quarantine, and of those that left."""
State = Literal["approved", "quarantined", "draining"]


def discovered(service: CompiledService) -> Sequence[Discovered]:
    """First those that take traffic, in the order that workers have them.

    Where the database does not answer, those that this process knew last.
    """
    try:
        return _written(service.name, still_busy_s=service.total_timeout_s)
    except (DatabaseError, InterfaceError):
        return _remembered(service.name)


def _written(service: str, *, still_busy_s: float) -> list[Discovered]:
    """What has left is shown for as long as a request that it was sent may take."""
    now = database_now()
    rows = Lease.objects.filter(service=service)
    approved = [_found(row, now, "approved") for row in rows.filter(state=LeaseState.APPROVED)]
    pending = rows.filter(state=LeaseState.PENDING).order_by("url")[:MOST_ASIDE]
    ended = rows.filter(_took_traffic(), ended_at__gte=now - timedelta(seconds=still_busy_s))
    left = {row.url: row for row in ended.order_by("ended_at", "url")[:MOST_ASIDE]}
    found = sorted(approved, key=lambda each: each.target.url)
    found += [_found(row, now, "quarantined") for row in pending]
    there = {each.target.url for each in found}
    return found + [_found(left[url], now, "draining") for url in sorted(left.keys() - there)]


def _took_traffic() -> Q:
    """As far as an ended lease still tells: somebody approved it, or nobody had to."""
    decided = Trust.objects.filter(service=OuterRef("service"), consumer=OuterRef("consumer"))
    by_itself = Q(Exists(decided.filter(is_trusted=True)))
    if settings.CONFIG.discovery_approval == "auto":
        by_itself |= ~Q(Exists(decided))
    return Q(decided_at__isnull=False) | by_itself


def _found(row: Lease, now: datetime, state: State) -> Discovered:
    return Discovered(
        _target(row.url, row.weight),
        state,
        is_stale=row.expires_at is not None and row.expires_at < now,
        registered_by=row.consumer,
        expires_at=row.expires_at.timestamp() if row.expires_at else None,
    )


def _remembered(service: str) -> list[Discovered]:
    watch = running()
    known = watch.standing.targets.get(service, ()) if watch is not None else ()
    return [Discovered(_target(each.url, each.weight), is_stale=True) for each in known]


def _target(url: str, weight: int) -> CompiledTarget:
    return replace(parse_target(url), weight=weight)
