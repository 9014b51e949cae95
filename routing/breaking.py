"""D: What operators do to breakers: force and reset. Every door (admin, API, command line) comes through here.

The row is the word; each worker reads it within a second, and sooner when woken.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from resilience.breaker import Cause, State
from resilience.models import BreakerState, BreakerTransition
from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from routing.admin import snapshots
from routing.auditing import ordered
from routing.dbtext import db_text
from routing.locking import clear_errors
from routing.notify import tell
from routing.ordering import OrderConflict, OrderRefused, require_service
from routing.problems import ConfigurationInvalid

LOG: Final = logging.getLogger("torana.breakers")
CHANNEL: Final = "torana_breakers"


class BreakerOrdered(NamedTuple):
    """Somebody forced a breaker, took that back (`forced` None), or reset it."""

    service: str
    forced: State | None
    is_reset: bool
    by: str
    reason: str
    until: datetime | None


Listener = Callable[[BreakerOrdered], None]
_listeners: list[Listener] = []


def bind(listener: Listener) -> Callable[[], None]:
    """Lets `listener` hear of all that operators do, after the commit, until the answered function is called."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener) if listener in _listeners else None


def force(
    service: str, state: State | None, *, by: str, reason: str = "", until: datetime | None = None
) -> BreakerState:
    """Holds a breaker open or closed until then or until it is taken back, which is what None does.

    Raises OrderConflict where the service has no breaker: nothing would be held.
    """
    now = timezone.now()
    if state is State.HALF_OPEN:
        raise OrderRefused("force", "a breaker can be forced open or closed, not half open")
    if until is not None and (state is None or until <= now):
        why = "must be in the future" if state is not None else "means nothing where nothing is forced"
        raise OrderRefused("until", why)
    with clear_errors(), transaction.atomic():
        row = _locked(service)
        if state is not None:
            _require_breaker(service)
        before, was = row.effective, _picture(row)
        row.forced = state or ""
        row.forced_until, row.forced_at = until, now if state is not None else None
        row.forced_by, row.reason = (
            (db_text(by, WHO_LENGTH), db_text(reason, REASON_LENGTH)) if state else ("", "")
        )
        row.save()
        cause = Cause.FORCED if state is not None else Cause.RELEASED
        _write_down(row, before, cause, by=by, reason=reason, until=until, at=now)
        word = "breaker.force" if state is not None else "breaker.release"
        ordered(word, "services", service, by=by, reason=reason, before=was, after=_picture(row))
        _announce(BreakerOrdered(service, state, False, by, reason, until))
    return row


def reset(service: str, *, by: str, reason: str = "") -> BreakerState:
    """Closes a breaker and forgets what was counted, on every worker. What is forced stays forced."""
    now = timezone.now()
    with clear_errors(), transaction.atomic():
        row = _locked(service)
        before, was = row.effective, _picture(row)
        row.resets += 1
        row.state, row.since, row.cause = State.CLOSED, now, Cause.RESET
        row.requests = row.failures = 0
        row.save()
        _write_down(row, before, Cause.RESET, by=by, reason=reason, until=None, at=now)
        ordered("breaker.reset", "services", service, by=by, reason=reason, before=was, after=_picture(row))
        _announce(BreakerOrdered(service, State(row.forced) if row.forced else None, True, by, reason, None))
    return row


def found(service: str) -> BreakerState | None:
    """The row of a service, if there is one; whatever somebody typed."""
    return None if "\0" in service else BreakerState.objects.filter(service=service).first()


def held(service: str) -> BreakerState | None:
    """The same, and nobody else changes it until the end of the transaction. Raises OrderRefused for no service."""
    row = (
        None if "\0" in service else BreakerState.objects.select_for_update().filter(service=service).first()
    )
    if row is None:
        require_service(service)
    return row


def release_expired(now: datetime) -> int:
    """Takes back what was forced until before now, once, whichever worker comes first; how many."""
    expired = list(BreakerState.objects.exclude(forced="").filter(forced_until__lte=now))
    released = 0
    for row in expired:
        same = BreakerState.objects.filter(pk=row.pk, forced=row.forced, forced_until=row.forced_until)
        with transaction.atomic():
            if same.update(forced="", forced_until=None, forced_at=None, forced_by="", reason=""):
                before, was, row.forced, row.forced_until = row.effective, _picture(row), "", None
                _write_down(row, before, Cause.RELEASED, by="", reason="", until=None, at=now)
                ordered(
                    "breaker.release",
                    "services",
                    row.service,
                    by="system",
                    reason="what was forced has expired",
                    before=was,
                    after=_picture(row),
                )
                released += 1
    return released


def _picture(row: BreakerState) -> dict[str, str | None]:
    """What an order changes, for the audit trail."""
    until = row.forced_until.isoformat() if row.forced_until else None
    return {"state": str(row.state), "forced": str(row.forced) or None, "forced_until": until}


def _locked(service: str) -> BreakerState:
    """The row, made if there is none yet; nobody else changes it until the end of the transaction."""
    if found(service) is None:
        require_service(service)
        BreakerState.objects.bulk_create(
            [BreakerState(service=service, since=timezone.now())], ignore_conflicts=True
        )
    return BreakerState.objects.select_for_update().get(service=service)


def _require_breaker(service: str) -> None:
    """Refuses for a service that is live without one. What is not live gets no requests, and may be forced before."""
    try:
        live = snapshots.live()
    except ConfigurationInvalid:  # workers keep what they had, and nobody here knows what that is
        return
    found = live.snapshot.services.get(service) if live is not None else None
    if found is not None and found.breaker is None:
        raise OrderConflict("force", f"{service} has no breaker to force: {_why_none()}")


def _why_none() -> str:
    if not snapshots.options().traffic.breaks:
        return "CIRCUIT_BREAKER_ENABLED is off"
    return "breaker: {enabled: true} gives it one"


def _write_down(
    row: BreakerState,
    before: str,
    cause: Cause,
    *,
    by: str,
    reason: str,
    until: datetime | None,
    at: datetime,
) -> None:
    BreakerTransition.objects.create(
        service=row.service,
        at=at,
        before=before,
        after=row.effective,
        cause=cause,
        by=db_text(by, WHO_LENGTH),
        reason=db_text(reason, REASON_LENGTH),
        until=until,
        requests=row.requests,
        failures=row.failures,
    )


def _announce(event: BreakerOrdered) -> None:
    tell(CHANNEL, event.service)
    transaction.on_commit(lambda: _emit(event))


def _emit(event: BreakerOrdered) -> None:
    what = "reset" if event.is_reset else f"forced {event.forced}" if event.forced else "no longer forced"
    LOG.info("breaker of %s: %s by %s (%s)", event.service, what, ascii(event.by), ascii(event.reason))
    for listener in tuple(_listeners):
        listener(event)
