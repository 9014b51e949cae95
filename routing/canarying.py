"""D: What becomes of canaries, for all workers at once: their schedule, their counts, and what operators say.

The row is the word. Whoever changes it holds it, and names the period that it decided about: of several workers that
come to the same decision, one writes it, whichever is first.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from resilience.canaries import BUCKETS, NOTHING, Counts, Wanted
from resilience.canary import CanaryPolicy, Standing, Word, decide, obey, percent
from resilience.clock import wall_clock
from resilience.models import CanaryEvent, CanaryState
from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from routing.auditing import ordered
from routing.breaking import CHANNEL
from routing.dbtext import db_text
from routing.locking import clear_errors
from routing.notify import tell
from routing.ordering import MOST_NAMES, OrderRefused
from routing.problems import did_you_mean

LOG: Final = logging.getLogger("torana.canaries")
SYSTEM: Final = "system"
ENDED: Final = "ended"
_SAID: Final = {"pause": "paused", "resume": "resumed", "promote": "promoted", "roll_back": "rolled back"}


def begin(route: str, wanted: Wanted, revision: int, now: float) -> None:
    """Makes the row, or makes it anew for another canary; not for a configuration older than the row's."""
    with transaction.atomic():
        row, is_new = CanaryState.objects.get_or_create(
            route=route, defaults={**_fields(wanted, revision), "since": _moment(now), "by": SYSTEM}
        )
        row = CanaryState.objects.select_for_update().get(pk=row.pk)
        is_over = row.stage == ENDED or row.mark != wanted.mark
        if is_new or (is_over and row.revision < revision):
            for name, value in _fields(wanted, revision).items():
                setattr(row, name, value)
            _move(row, Standing(now, reason="it began"), by=SYSTEM, told=NOTHING)


def end_others(routes: set[str], revision: int, now: float) -> None:
    """Of routes that have no canary any more."""
    gone = CanaryState.objects.filter(revision__lt=revision).exclude(stage=ENDED)
    for row in gone.exclude(route__in=routes):
        same = CanaryState.objects.filter(pk=row.pk, period=row.period)
        same.update(stage=ENDED, since=_moment(now), revision=revision, period=row.period + 1, reason="")


def advance(route: str, period: int, canary: Counts, others: Counts, now: float) -> None:
    """Adds counts of a step, and decides. What belongs to a step that is over is left."""
    with transaction.atomic():
        rows = CanaryState.objects.select_for_update().filter(route=route, period=period)
        row = rows.exclude(stage=ENDED).first()
        if row is None:
            return
        mine, theirs = unpacked(row.canary).plus(canary), unpacked(row.others).plus(others)
        row.canary, row.others = packed(mine), packed(theirs)
        found = decide(policy_of(row), standing_of(row), now, mine.seen(), theirs.seen())
        if found is None:
            row.save(update_fields=["canary", "others"])
        else:
            _move(row, found, by=SYSTEM, told=mine)


def steer(route: str, word: Word, *, by: str, reason: str = "") -> CanaryState:
    """An operator's word, on every worker within a second."""
    with clear_errors(), transaction.atomic():
        _require(route)
        row = CanaryState.objects.select_for_update().get(route=route)
        if row.stage == ENDED:
            raise OrderRefused("route", f'"{route}" has no canary any more')
        now = max(wall_clock(), row.since.timestamp())
        said = reason or _SAID.get(word, "restarted")
        found = obey(policy_of(row), standing_of(row), word, now, said)
        if found is None:
            stage = row.stage.replace("_", " ")
            raise OrderRefused("word", f"the canary is {stage}: {word.replace('_', ' ')} means nothing there")
        was = _picture(row)
        _move(row, found, by=by, told=unpacked(row.canary))
        ordered(f"canary.{word}", "routes", route, by=by, reason=reason, before=was, after=_picture(row))
    return row


def found(route: str) -> CanaryState | None:
    """The row of a route, if it has a canary; whatever somebody typed."""
    return None if "\0" in route else CanaryState.objects.filter(route=route).exclude(stage=ENDED).first()


def held(route: str) -> CanaryState | None:
    """The same, and nobody else changes it until the end of the transaction."""
    if "\0" in route:
        return None
    return CanaryState.objects.select_for_update().filter(route=route).exclude(stage=ENDED).first()


def history(route: str) -> Any:
    """The latest first."""
    return CanaryEvent.objects.filter(route=route)


def policy_of(row: CanaryState) -> CanaryPolicy:
    """As it was written down."""
    return CanaryPolicy(**{**row.policy, "steps": tuple(row.policy["steps"])})


def standing_of(row: CanaryState) -> Standing:
    """Where it stands."""
    stage: Any = row.stage
    return Standing(row.since.timestamp(), row.step, stage, row.reason)


def percent_of(row: CanaryState) -> float:
    """Its share now; of one that has ended, nothing."""
    return 0.0 if row.stage == ENDED else percent(policy_of(row), standing_of(row))


def next_at(row: CanaryState) -> datetime | None:
    """When the next step may begin, if enough requests were seen by then."""
    policy = policy_of(row)
    return _moment(row.since.timestamp() + policy.every_s) if row.stage == "running" else None


def packed(counts: Counts) -> list[Any]:
    """As rows hold it."""
    times = {str(bucket): number for bucket, number in enumerate(counts.times) if number}
    return [counts.requests, counts.failures, times]


def unpacked(said: list[Any]) -> Counts:
    """Back again."""
    if not said:
        return NOTHING
    times: dict[str, int] = said[2]
    return Counts(said[0], said[1], tuple(times.get(str(bucket), 0) for bucket in range(BUCKETS)))


def _picture(row: CanaryState) -> dict[str, Any]:
    """What an operator's word changes, for the audit trail."""
    return {"stage": row.stage, "step": row.step, "percent": percent_of(row)}


def _fields(wanted: Wanted, revision: int) -> dict[str, Any]:
    return {
        "service": wanted.service,
        "mark": wanted.mark,
        "revision": revision,
        "policy": asdict(wanted.policy),
    }


def _move(row: CanaryState, standing: Standing, *, by: str, told: Counts) -> None:
    """Writes down where it stands from now on, and that it came to it."""
    figures = (
        f": {told.failures} of {told.requests} requests failed" if by == SYSTEM and told.requests else ""
    )
    is_told = standing.stage == "rolled_back"  # its reason has figures
    row.step, row.stage, row.since = standing.step, standing.stage, _moment(standing.since)
    row.by = db_text(by, WHO_LENGTH)
    row.reason = db_text(standing.reason + ("" if is_told else figures), REASON_LENGTH)
    row.period += 1
    row.canary, row.others = [], []
    row.save()
    CanaryEvent.objects.create(
        route=row.route,
        service=row.service,
        at=row.since,
        stage=row.stage,
        step=row.step,
        percent=percent_of(row),
        by=row.by,
        reason=row.reason,
        requests=told.requests,
        failures=told.failures,
    )
    tell(CHANNEL, row.route)
    transaction.on_commit(_logger(row))


def _logger(row: CanaryState) -> Callable[[], None]:
    said = (row.route, row.stage, percent_of(row), ascii(row.by), ascii(row.reason))
    return lambda: LOG.info("canary of %s: %s at %g %% by %s (%s)", *said)


def _require(route: str) -> None:
    """Refuses, whatever somebody typed."""
    if found(route) is None:
        known = CanaryState.objects.exclude(stage=ENDED).values_list("route", flat=True)[:MOST_NAMES]
        raise OrderRefused("route", f'there is no canary of a route "{route}"{did_you_mean(route, known)}')


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
