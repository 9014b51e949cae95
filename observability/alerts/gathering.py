"""D: What is wrong now, by what workers have written down: breakers, targets, nodes, budgets, certificates."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import OuterRef, Subquery

from observability.alerts.certificates import Certificates
from observability.alerts.conditions import (
    BREAKER,
    BURN,
    CERTIFICATE,
    CRITICAL,
    REVISION,
    SCHEDULE,
    TARGET,
    WARNING,
    Condition,
)
from observability.slo.burning import PAGE, Burn, Counts, burning
from observability.slo.objectives import objectives_of
from resilience.models import BreakerState, BreakerTransition, TargetHealth
from routing.models import Node, Schedule
from routing.schedules import State
from routing.snapshot import Snapshot

STALE: Final = timedelta(minutes=1)
"""A node that has said nothing for so long has left."""
CONFLICTS_TOLD: Final = timedelta(days=1)
MOST_READ: Final = 1000


class Source(NamedTuple):
    """Where conditions of one kind come from, and how often it is worth a look."""

    kind: str
    every_s: float
    look: Callable[[datetime], list[Condition]]


def sources(
    snapshot: Callable[[], Snapshot | None], counts: Counts, certificates: Certificates
) -> tuple[Source, ...]:
    """All of them. They are asked in one thread, one after the other; each may raise."""

    def ending(now: datetime) -> list[Condition]:
        current = snapshot()
        return certificates.look({} if current is None else current.services, now.timestamp())

    def budgets(now: datetime) -> list[Condition]:
        current = snapshot()
        objectives = [] if current is None else objectives_of(current.routes.values())
        return [_burn(each) for each in burning(objectives, counts, now.timestamp())] if objectives else []

    return (
        Source(BREAKER, 2.0, lambda _: breakers(_services(snapshot))),
        Source(TARGET, 2.0, lambda _: targets(_services(snapshot))),
        Source(REVISION, 5.0, nodes),
        Source(BURN, 30.0, budgets),
        Source(CERTIFICATE, 600.0, ending),
        Source(SCHEDULE, 10.0, schedules),
    )


def _services(snapshot: Callable[[], Snapshot | None]) -> Mapping[str, object]:
    current = snapshot()
    return {} if current is None else current.services


def breakers(services: Mapping[str, object]) -> list[Condition]:
    """Open by what was measured; half open is still open. What somebody forces is known to whoever forced it."""
    opened = BreakerTransition.objects.filter(service=OuterRef("service"), after="open").order_by(
        "-at", "-pk"
    )
    rows = BreakerState.objects.filter(state__in=("open", "half_open")).annotate(
        counted=Subquery(opened.values("requests")[:1]), failed=Subquery(opened.values("failures")[:1])
    )[:MOST_READ]
    return [
        Condition(
            BREAKER,
            row.service,
            row.service,
            f"The breaker of {row.service} is open: requests are answered 503",
            CRITICAL,
            {"cause": row.cause, "failures": row.failed or 0, "requests": row.counted or 0},
        )
        for row in rows
        if row.service in services
    ]


def targets(services: Mapping[str, object]) -> list[Condition]:
    """Unhealthy by their checks."""
    return [
        Condition(
            TARGET,
            f"{row.service} {row.target}",
            row.service,
            f"Target {row.target} of {row.service} is down: {row.why or 'it fails its checks'}",
            WARNING,
            {"target": row.target, "why": row.why, "node": row.node},
        )
        for row in TargetHealth.objects.filter(healthy=False)[:MOST_READ]
        if row.service in services
    ]


def nodes(now: datetime) -> list[Condition]:
    """Those that go on with an old revision, because a new one does not compile there."""
    rows = Node.objects.exclude(error="").filter(heartbeat__gte=now - STALE)[:MOST_READ]
    return [
        Condition(
            REVISION,
            row.name,
            row.name,
            f"Node {row.name} refused a revision and goes on with {row.revision}: {row.error[:300]}",
            CRITICAL,
            {"node": row.name, "revision": row.revision},
        )
        for row in rows
    ]


def schedules(now: datetime) -> list[Condition]:
    """In conflict: told for a day, for nothing undoes it but another change."""
    rows = Schedule.objects.filter(state=State.CONFLICT.value, starts_at__gte=now - CONFLICTS_TOLD)[
        :MOST_READ
    ]
    return [
        Condition(
            SCHEDULE,
            str(row.pk),
            row.summary or f"schedule {row.pk}",
            f"A scheduled change of {row.author} was not made: {row.note[:300]}",
            WARNING,
            {"author": row.author, "reason": row.reason},
        )
        for row in rows
    ]


def _burn(burn: Burn) -> Condition:
    objective = burn.objective
    promised = f"{objective.name} {objective.target * 100:g} %"
    return Condition(
        BURN,
        f"{objective.route} {objective.name} {burn.rule.severity}",
        objective.route,
        f"Route {objective.route} burns the budget of its {promised} {burn.rate:.1f} times too fast",
        CRITICAL if burn.rule.severity == PAGE else WARNING,
        {
            "objective": objective.name,
            "target": objective.target,
            "rate": round(burn.rate, 2),
            "window_s": burn.long_s,
            "bad": burn.bad,
            "total": burn.total,
        },
    )
