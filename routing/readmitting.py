"""D: What operators do to targets: put back what is ejected or unhealthy. Every door comes through here.

The row is the order; each worker carries it out within a second, and sooner when woken.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from resilience.models import TargetEjection, TargetHealth, TargetReadmission
from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from routing.auditing import gathering, ordered
from routing.breaking import CHANNEL
from routing.dbtext import db_text
from routing.knowledge import Standing, standing_of
from routing.locking import clear_errors
from routing.models import Lease, Target
from routing.notify import tell
from routing.orderfeed import hold_orders
from routing.ordering import OrderRefused, require_service
from routing.problems import did_you_mean

LOG: Final = logging.getLogger("torana.targets")


class Told(NamedTuple):
    """How a target is, since when, until when at the latest if that is known, and why it is left out."""

    state: Standing
    since: datetime | None
    until: datetime | None
    why: str


def readmit(service: str, url: str, *, by: str, reason: str = "") -> TargetReadmission:
    """Puts a target back on every worker: neither ejected nor unhealthy, and all that was counted is forgotten."""
    return readmit_all([(service, url)], by=by, reason=reason)[0]


def readmit_all(targets: Iterable[tuple[str, str]], *, by: str, reason: str = "") -> list[TargetReadmission]:
    """The same for several (service, URL), all or none."""
    with clear_errors(), gathering():
        hold_orders()
        return [_readmit(service, url, by=by, reason=reason) for service, url in targets]


def standings(now: datetime | None = None) -> QuerySet[TargetHealth]:
    """How targets are, those that were checked or ejected; `ejected_by` workers since and until then, if any."""
    ejections = TargetEjection.objects.filter(
        service=OuterRef("service"), target=OuterRef("target"), until__gt=now or timezone.now()
    )
    by_target = ejections.order_by().values("service", "target")

    def over(figure: Any) -> Subquery:
        return Subquery(by_target.annotate(figure=figure).values("figure"))

    return TargetHealth.objects.annotate(
        ejected_by=over(Count("pk")),
        ejected_since=over(Min("since")),
        ejected_until=over(Max("until")),
        ejected_errors=over(Max("errors")),
        ejected_times=over(Max("times")),
    )


def is_ejected() -> Q:
    """Of `standings`: by some worker at least."""
    return Q(ejected_by__gt=0)


def is_unhealthy() -> Q:
    """Of `standings`: by its checks."""
    return Q(healthy=False)


def is_out() -> Q:
    """Of `standings`: those that get no requests, at some worker at least."""
    return is_unhealthy() | is_ejected()


def told_of(row: Any) -> Told:
    """One of `standings` in words."""
    state = standing_of(drain=False, is_ejected=bool(row.ejected_by), healthy=row.healthy)
    if not row.ejected_by:
        return Told(state, row.since, None, row.why)
    errors = f"{row.ejected_errors} requests in a row failed, at {_counted(row.ejected_by, 'worker')}"
    checks = f"; its checks: {row.why or 'unhealthy'}" if row.healthy is False else ""
    return Told(state, row.ejected_since, row.ejected_until, errors + checks)


def forget_unchecked() -> None:
    """Of targets that were ejected and never checked, those that are not ejected any more."""
    ejections = TargetEjection.objects.filter(service=OuterRef("service"), target=OuterRef("target"))
    TargetHealth.objects.filter(~Exists(ejections), checked_at=None).delete()


def history(service: str, url: str) -> QuerySet[TargetReadmission]:
    """Who put a target back, the latest first."""
    return TargetReadmission.objects.filter(service=service, target=url)


def _readmit(service: str, url: str, *, by: str, reason: str) -> TargetReadmission:
    _check(service, url)
    TargetEjection.objects.filter(service=service, target=url).delete()
    TargetHealth.objects.filter(service=service, target=url).update(healthy=None, since=None, run=0, why="")
    row = TargetReadmission.objects.create(
        service=service,
        target=url,
        at=timezone.now(),
        by=db_text(by, WHO_LENGTH),
        reason=db_text(reason, REASON_LENGTH),
    )
    ordered("target.readmit", "services", service, by=by, reason=reason, target=url)
    tell(CHANNEL, service)
    transaction.on_commit(lambda: _log(row))
    return row


def _log(row: TargetReadmission) -> None:
    LOG.info("%s of %s was put back by %s (%s)", row.target, row.service, ascii(row.by), ascii(row.reason))


def _check(service: str, url: str) -> None:
    """Whatever somebody typed."""
    require_service(service)
    known = _urls(service)
    if url not in known:
        raise OrderRefused("url", f'"{service}" has no target "{url}"{did_you_mean(url, known)}')


def _urls(service: str) -> set[str]:
    """Of its rows, of its leases, and of what workers have written down: variables may have replaced targets."""
    return {
        *Target.objects.filter(service__name=service).values_list("url", flat=True),
        *Lease.objects.filter(service=service, ended_at=None).values_list("url", flat=True),
        *TargetHealth.objects.filter(service=service).values_list("target", flat=True),
    }


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
