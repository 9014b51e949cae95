"""Schedules: what is due, and in which order."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.schedules import Due, Planned, State, Step, due

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("state", "starts", "until", "step"),
    [
        (State.SCHEDULED, 0, None, Step.BEGIN),
        (State.SCHEDULED, -60, 1, Step.BEGIN),
        (State.SCHEDULED, 1, None, None),
        (State.SCHEDULED, -60, 0, Step.MISS),
        (State.WAITING, -1, None, None),
        (State.WAITING, -2, -1, Step.MISS),
        (State.WAITING, 1, 2, None),
        (State.ACTIVE, -60, 0, Step.TAKE_BACK),
        (State.ACTIVE, -60, 1, None),
        (State.DONE, -60, -1, None),
        (State.CONFLICT, -60, -1, None),
        (State.CANCELLED, -60, -1, None),
        (State.MISSED, -60, -1, None),
    ],
)
def test_what_is_due(state: State, starts: int, until: int | None, step: Step | None) -> None:
    """At noon, of one schedule."""
    planned = Planned(1, state, at(starts), None if until is None else at(until))
    assert [each.step for each in due([planned], NOON)] == ([step] if step else [])


def test_the_order_is_that_of_the_times() -> None:
    """Whoever comes late does it in the order in which it was to happen; what ends makes way for what begins."""
    planned = [
        Planned(1, State.SCHEDULED, at(-5), None),
        Planned(2, State.ACTIVE, at(-60), at(-5)),
        Planned(3, State.SCHEDULED, at(-9), at(5)),
    ]
    assert due(planned, NOON) == [
        Due(3, Step.BEGIN, at(-9)),
        Due(2, Step.TAKE_BACK, at(-5)),
        Due(1, Step.BEGIN, at(-5)),
    ]
