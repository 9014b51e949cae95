"""P: What is to be done about scheduled changes, and in which order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How a scheduled change stands."""

    WAITING = "waiting"
    """Somebody else must approve it."""
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    """Published, and to be taken back."""
    DONE = "done"
    CONFLICT = "conflict"
    """Somebody changed the same meanwhile, or it is no longer valid: nothing was overwritten."""
    MISSED = "missed"
    """Its whole time passed unapproved, or while no worker ran."""
    CANCELLED = "cancelled"


OPEN = (State.WAITING, State.SCHEDULED, State.ACTIVE)


class Step(StrEnum):
    """What is due."""

    BEGIN = "begin"
    TAKE_BACK = "take back"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Planned:
    """What is decided by. `until` is None for what stays."""

    key: int
    state: State
    starts: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """One step, and when it should have been done."""

    key: int
    step: Step
    at: datetime


def due(schedules: Iterable[Planned], now: datetime) -> list[Due]:
    """What is due, in the order in which it was to happen; of the same moment, first what ends."""
    found = [each for schedule in schedules if (each := _due(schedule, now)) is not None]
    return sorted(found, key=lambda each: (each.at, each.step is Step.BEGIN, each.key))


def _due(schedule: Planned, now: datetime) -> Due | None:
    is_over = schedule.until is not None and schedule.until <= now
    if schedule.state is State.ACTIVE and is_over:
        assert schedule.until is not None
        return Due(schedule.key, Step.TAKE_BACK, schedule.until)
    if schedule.state in (State.WAITING, State.SCHEDULED) and is_over:
        return Due(schedule.key, Step.MISS, schedule.starts)
    if schedule.state is State.SCHEDULED and schedule.starts <= now:
        return Due(schedule.key, Step.BEGIN, schedule.starts)
    return None
