"""D: Incidents and messages as rows: what begins, what ends, whom it concerns, and what is to be sent."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Count, F, Q

from observability.alerts.conditions import CRITICAL, Condition, changes
from observability.alerts.messages import FIRING, RESOLVED, TEST, Told
from observability.alerts.retrying import Result, pause_s
from observability.models import AlertDelivery, AlertReceiver, Incident
from observability.rows.alerts import ERROR_LENGTH, FAILED, KEY_LENGTH, SENT, SUMMARY_LENGTH, WAITING
from routing.dbtext import db_text
from routing.pruning import prune_history

MOST_WAITING: Final = 500
"""Messages for one receiver; more are dropped, and counted."""
KEPT_FOR: Final = timedelta(days=90)
KEPT_ROWS: Final = 20_000
GONE_NOTE: Final = "switched off: the receiver answered 410 Gone"


class Recorded(NamedTuple):
    """How many conditions began or ended, and how many messages there was no room for."""

    changes: int = 0
    dropped: int = 0


def record(conditions: Iterable[Condition], looked_at: Collection[str], now: datetime) -> Recorded:
    """Writes down what begins and what ends, with a message to each receiver that it concerns."""
    going_on = {
        (each.kind, each.key): each for each in Incident.objects.filter(resolved_at=None, kind__in=looked_at)
    }
    found = changes(going_on, [_bounded(each) for each in conditions], looked_at)
    if not found.begun and not found.ended:
        return Recorded()
    dropped = 0
    with transaction.atomic():
        receivers = list(AlertReceiver.objects.filter(enabled=True))
        room = _room(receivers)
        for condition in found.begun:
            incident = Incident.objects.create(at=now, **condition._asdict())
            dropped += _tell(receivers, room, incident, FIRING, now)
        for identity in found.ended:
            incident = going_on[identity]
            # Somebody else may have ended it meanwhile: who changes the row tells of it.
            if Incident.objects.filter(pk=incident.pk, resolved_at=None).update(resolved_at=now):
                told = AlertDelivery.objects.filter(incident=incident, event=FIRING)
                heard = set(told.values_list("receiver_id", flat=True))
                concerned = [each for each in receivers if each.pk in heard]
                dropped += _tell(concerned, room, incident, RESOLVED, now)
    return Recorded(len(found.begun) + len(found.ended), dropped)


def concerns(receiver: AlertReceiver, kind: str, severity: str) -> bool:
    """Whether a receiver is told of this."""
    return (not receiver.alerts or kind in receiver.alerts) and (
        receiver.least != CRITICAL or severity == CRITICAL
    )


def test(receiver: AlertReceiver, now: datetime) -> AlertDelivery:
    """A message that says so, and goes the way of all others."""
    return _message(receiver, None, TEST, now)


def due(now: datetime, busy: Collection[int], limit: int) -> list[AlertDelivery]:
    """What is to be sent now, the oldest first; one for each receiver, and none for one that is busy."""
    rows = (
        AlertDelivery.objects.filter(state=WAITING, next_at__lte=now, receiver__enabled=True)
        .exclude(receiver_id__in=list(busy))
        .select_related("receiver", "incident")
        .order_by("next_at", "pk")
    )
    found: dict[int, AlertDelivery] = {}
    for row in rows[: limit * 20]:
        found.setdefault(row.receiver_id, row)
    return list(found.values())[:limit]


def settle(delivery: AlertDelivery, result: Result, now: datetime, chance: float) -> str:
    """Writes down how an attempt ended; the message's state after it."""
    attempts = delivery.attempts + 1
    pause = None if result.ok else pause_s(attempts, result, chance)
    is_over = result.ok or pause is None
    state = (SENT if result.ok else FAILED) if is_over else WAITING
    AlertDelivery.objects.filter(pk=delivery.pk).update(
        attempts=attempts,
        status=result.status,
        error=db_text(result.error, ERROR_LENGTH),
        state=state,
        done_at=now if is_over else None,
        next_at=now if pause is None else now + timedelta(seconds=pause),
    )
    if result.status == 410:
        AlertReceiver.objects.filter(pk=delivery.receiver_id).update(enabled=False, note=GONE_NOTE)
    return state


def waiting() -> int:
    """Messages that are still to be sent."""
    return AlertDelivery.objects.filter(state=WAITING).count()


def told(delivery: AlertDelivery, gateway: str) -> Told:
    """What a message says."""
    incident = delivery.incident
    if incident is None:
        said = "This is a test: alerts of this gateway reach you"
        return Told(
            TEST, delivery.message_id, TEST, "warning", "", said, _text(delivery.at), None, {}, gateway
        )
    is_over = delivery.event == RESOLVED
    return Told(
        delivery.event,
        f"inc_{incident.pk}",
        incident.kind,
        incident.severity,
        incident.subject,
        incident.summary,
        _text(incident.at),
        _text(incident.resolved_at) if is_over and incident.resolved_at else None,
        incident.details,
        gateway,
    )


def prune(now: datetime) -> None:
    """Old messages and incidents go; what waits and what goes on stays."""
    prune_history(AlertDelivery, now, kept_for=KEPT_FOR, kept=KEPT_ROWS)
    old = Incident.objects.filter(resolved_at__lt=now - KEPT_FOR).order_by("pk")
    Incident.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:1000])).delete()


def _bounded(condition: Condition) -> Condition:
    return condition._replace(
        key=db_text(condition.key, KEY_LENGTH),
        subject=db_text(condition.subject, KEY_LENGTH),
        summary=db_text(condition.summary, SUMMARY_LENGTH),
    )


def _room(receivers: Iterable[AlertReceiver]) -> dict[int, int]:
    waiting = AlertReceiver.objects.annotate(
        number=Count("deliveries", filter=Q(deliveries__state=WAITING))
    ).values_list("pk", "number")
    counted: dict[int, int] = dict(waiting)
    return {each.pk: MOST_WAITING - counted.get(each.pk, 0) for each in receivers}


def _tell(
    receivers: Iterable[AlertReceiver], room: dict[int, int], incident: Incident, event: str, now: datetime
) -> int:
    """How many were dropped."""
    dropped = 0
    for receiver in receivers:
        if not concerns(receiver, incident.kind, incident.severity):
            continue
        if room[receiver.pk] <= 0:
            AlertReceiver.objects.filter(pk=receiver.pk).update(dropped=F("dropped") + 1)
            dropped += 1
            continue
        room[receiver.pk] -= 1
        _message(receiver, incident, event, now)
    return dropped


def _message(receiver: AlertReceiver, incident: Incident | None, event: str, now: datetime) -> AlertDelivery:
    name: Any = f"msg_{uuid.uuid4().hex}"
    return AlertDelivery.objects.create(
        receiver=receiver, incident=incident, event=event, message_id=name, at=now, next_at=now
    )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
