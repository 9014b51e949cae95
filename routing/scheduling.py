"""D: Changes that come, and go again, by themselves: made, approved, cancelled, and carried out when they are due.

A step of a schedule and its revision are one transaction under the lock of all writers, and the schedule's state is
read under that lock: however many workers find it due, it is done once.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import DatabaseError

from routing.diff import ABSENT, Changes, diff
from routing.drafts import Actor, pending_authors
from routing.edits import Edit, edits_between, from_json, sketch
from routing.loader import MODELS
from routing.locking import StoreUnavailable, writing
from routing.models import RouteDefaults, Schedule
from routing.problems import ConfigurationInvalid
from routing.publishing import (
    PublishedEvent,
    PublishRefused,
    discard,
    live_and_draft,
    patched_live,
    publish_edits,
    tell,
    under_review,
)
from routing.quiet import collections_paused
from routing.rows.changes import WHY_LENGTH
from routing.schedules import OPEN, Due, Planned, State, Step, due

LOG: Final = logging.getLogger(__name__)
SOURCE: Final = "schedule"
MOST_OPEN: Final = 1000
MOST_TOLD: Final = 10
_SUMMARY_LENGTH: Final = 500


class BadTimes(PublishRefused):
    """They make no sense, now or ever."""


def add(
    document: Any,
    *,
    actor: Actor,
    zone: str,
    starts_at: datetime,
    ends_at: datetime | None = None,
    reason: str = "",
    now: datetime,
    may: Callable[[str], bool] = lambda _permission: True,
) -> Schedule:
    """Schedules a partial document: entries may have only the keys that change.

    `may` says which of Django's permissions the actor has. Raises ConfigurationInvalid and PublishRefused.
    """
    with writing():
        _check_times(starts_at, ends_at, now)
        live, target = patched_live(document)
        edits = edits_between(live, target)
        if missing := next((each for each in sorted(rights_for(edits)) if not may(each)), None):
            raise PublishRefused(f"this takes the permission {missing}")
        return _make(edits, actor, (actor.name,), zone, starts_at, ends_at, reason)


@collections_paused()
def add_draft(
    *,
    actor: Actor,
    zone: str,
    starts_at: datetime,
    ends_at: datetime | None = None,
    reason: str = "",
    now: datetime,
) -> Schedule:
    """Takes the draft off the rows, to be published at its time. Raises PublishRefused."""
    with writing():
        _check_times(starts_at, ends_at, now)
        edits = edits_between(*live_and_draft())
        authors = tuple(dict.fromkeys((*pending_authors(), actor.name)))
        made = _make(edits, actor, authors, zone, starts_at, ends_at, reason)
        discard(actor=actor, source=SOURCE)
        return made


def approve(key: int, *, actor: Actor, reason: str = "") -> Schedule:
    """Lets it run, by somebody who has no hand in it. Raises PublishRefused."""
    with writing():
        schedule = _found(key)
        if schedule.state != State.WAITING:
            raise PublishRefused(f"schedule {key} is {schedule.state}: there is nothing to approve")
        if has_hand_in(schedule, actor):
            raise PublishRefused(
                f'"{actor.name}" has a hand in this schedule: under PUBLISH=review somebody else must approve it'
            )
        schedule.state, schedule.approved_by = State.SCHEDULED, actor.name[:200]
        schedule.save()
        _tell("schedule.approve", schedule, actor, reason)
        return schedule


def cancel(key: int, *, actor: Actor, reason: str = "") -> Schedule:
    """Before it has begun, it never will; afterwards it is taken back now. Raises PublishRefused."""
    with writing():
        schedule = _found(key)
        if schedule.state not in (*OPEN, State.CONFLICT):
            raise PublishRefused(f"schedule {key} is {schedule.state}: it cannot be cancelled")
        said = f"cancelled by {actor.name}" + (f": {reason}" if reason else "")
        if schedule.state == State.ACTIVE:
            _step(schedule, Step.TAKE_BACK, actor=actor)
            said = f"{said}\n{schedule.note}".strip()
        else:
            schedule.state = State.CANCELLED
        schedule.note = said
        schedule.save()
        _tell("schedule.cancel", schedule, actor)
        return schedule


def has_hand_in(schedule: Schedule, actor: Actor) -> bool:
    """Whether the actor made it, by account or by name, or is an author of what it publishes."""
    is_same = actor.user_id is not None and schedule.user_id == actor.user_id
    return is_same or actor.name in (schedule.author, *schedule.authors)


def rights_for(edits: Sequence[Edit]) -> set[str]:
    """The permissions that it would take to make these edits in admin."""
    return {_right(edit) for edit in edits}


def _right(edit: Edit) -> str:
    model = MODELS.get(edit.kind, RouteDefaults)
    is_whole = not edit.key and edit.kind in MODELS
    verb = (
        "add"
        if is_whole and edit.before is ABSENT
        else "delete"
        if is_whole and edit.after is ABSENT
        else "change"
    )
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def changes_of(schedule: Schedule) -> Changes:
    """What it changes when it begins, for people."""
    return diff(*sketch(edits_of(schedule)), are_canonical=True)


def edits_of(schedule: Schedule) -> tuple[Edit, ...]:
    """What it changes when it begins."""
    return from_json(orjson.loads(schedule.edits))


def run_due(now: datetime) -> int:
    """Does what is due, each step in a transaction of its own; how many steps that were.

    One that cannot be carried out is in conflict, and holds up no other.
    """
    done = 0
    for each in _all_due(now):
        try:
            done += _run(each, now)
        except (StoreUnavailable, DatabaseError):
            raise  # all of them wait
        except Exception:
            LOG.exception("scheduled change %s failed", each.key)
            _give_up(each, now)
    return done


def _all_due(now: datetime, *keys: int) -> list[Due]:
    rows = Schedule.objects.filter(state__in=[each.value for each in OPEN], starts_at__lte=now)
    if keys:
        rows = rows.filter(pk__in=keys)
    values = rows.values_list("pk", "state", "starts_at", "ends_at")[: 2 * MOST_OPEN]
    return due((Planned(key, State(state), starts, until) for key, state, starts, until in values), now)


@collections_paused()
def _run(step: Due, now: datetime) -> bool:
    """False if another worker has done it meanwhile."""
    with writing():
        if step not in _all_due(now, step.key):
            return False
        schedule = Schedule.objects.get(pk=step.key)
        _step(schedule, step.step, actor=Actor(schedule.author, schedule.user_id))
        schedule.save()
        return True


def _give_up(step: Due, now: datetime) -> None:
    with writing():
        if step in _all_due(now, step.key):
            schedule = Schedule.objects.get(pk=step.key)
            who = Actor(schedule.author, schedule.user_id)
            _conflict(schedule, who, ["it failed in the gateway, whose log says why"])
            schedule.save()


def _step(schedule: Schedule, step: Step, *, actor: Actor) -> None:
    """Changes `schedule`, which the caller saves."""
    if step is Step.MISS:
        schedule.state = State.MISSED
        was = "nobody approved it in time" if not schedule.approved_by and under_review() else "nothing ran"
        schedule.note = f"its time passed: {was}"
        _tell("schedule.miss", schedule, actor)
        LOG.warning("scheduled change %s was missed: %s", schedule.pk, schedule.note)
        return
    is_begin = step is Step.BEGIN
    edits = edits_of(schedule) if is_begin else _back(schedule)
    message = _message(schedule, is_begin=is_begin)
    try:
        outcome, carried = publish_edits(edits, actor=actor, message=message, source=SOURCE)
    except ConfigurationInvalid as error:
        _conflict(schedule, actor, [f"it is not valid any more: {each}" for each in error.problems])
        return
    if outcome is None:
        _conflict(schedule, actor, [str(each) for each in carried.conflicts])
    elif is_begin:
        schedule.state = State.ACTIVE if schedule.ends_at else State.DONE
        schedule.applied = _text(carried.done)
        schedule.begun_revision = outcome.revision
    else:
        schedule.state = State.DONE
        schedule.ended_revision = outcome.revision


def _back(schedule: Schedule) -> tuple[Edit, ...]:
    return tuple(edit.reversed() for edit in reversed(from_json(orjson.loads(schedule.applied))))


def _conflict(schedule: Schedule, actor: Actor, why: Sequence[str]) -> None:
    more = f"\n… and {len(why) - MOST_TOLD} more" if len(why) > MOST_TOLD else ""
    schedule.state, schedule.note = State.CONFLICT, "\n".join(why[:MOST_TOLD]) + more
    _tell("schedule.conflict", schedule, actor)
    LOG.warning("scheduled change %s is in conflict, nothing was overwritten: %s", schedule.pk, why[0])


def _make(
    edits: Sequence[Edit],
    actor: Actor,
    authors: Sequence[str],
    zone: str,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: str,
) -> Schedule:
    if not edits:
        raise PublishRefused("nothing would change: there is nothing to schedule")
    if Schedule.objects.filter(state__in=[each.value for each in OPEN]).count() >= MOST_OPEN:
        raise PublishRefused(f"{MOST_OPEN} changes are scheduled already: cancel some of them")
    schedule = Schedule.objects.create(
        author=actor.name[:200],
        user_id=actor.user_id,
        authors=list(authors),
        reason=reason[:WHY_LENGTH],
        zone=zone,
        starts_at=starts_at,
        ends_at=ends_at,
        edits=_text(edits),
        summary=_summary(edits),
        state=State.WAITING if under_review() else State.SCHEDULED,
    )
    _tell("schedule.add", schedule, actor)
    return schedule


def _found(key: int) -> Schedule:
    schedule = Schedule.objects.filter(pk=key).first() if 0 < key < 2**63 else None
    if schedule is None:
        raise PublishRefused(f"there is no schedule {key}")
    return schedule


def _check_times(starts_at: datetime, ends_at: datetime | None, now: datetime) -> None:
    if ends_at is not None and ends_at <= starts_at:
        raise BadTimes("it must end after it begins")
    if ends_at is not None and ends_at <= now:
        raise BadTimes("its end has passed already")


def _message(schedule: Schedule, *, is_begin: bool) -> str:
    what = f"Schedule {schedule.pk}" if is_begin else f"Schedule {schedule.pk} ends"
    approved = f" (approved by {schedule.approved_by})" if schedule.approved_by else ""
    return f"{what}{approved}: {schedule.reason}" if schedule.reason else f"{what}{approved}"


def _summary(edits: Sequence[Edit]) -> str:
    text = ", ".join(edit.place for edit in edits)
    return text if len(text) <= _SUMMARY_LENGTH else f"{text[: _SUMMARY_LENGTH - 1]}…"


def _text(edits: Sequence[Edit]) -> str:
    return orjson.dumps([edit.as_json() for edit in edits]).decode()


def _tell(action: str, schedule: Schedule, actor: Actor, why: str = "") -> None:
    """What it changes is told when it is published."""
    reasons = "; ".join(filter(None, (schedule.reason, schedule.note, why)))
    summary = f"schedule {schedule.pk}: {schedule.summary}"
    tell(PublishedEvent(action, actor, SOURCE, reasons, None, Changes(), summary))
