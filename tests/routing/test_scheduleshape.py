"""A scheduled change as programs see it."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

from routing.scheduleshape import as_json


def test_times_are_utc_and_what_is_not_there_is_null() -> None:
    """Whatever zone the row was read in."""
    row = SimpleNamespace(
        pk=1,
        state="scheduled",
        starts_at=datetime(2026, 6, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        ends_at=None,
        zone="Europe/Berlin",
        summary="s",
        reason="",
        author="anna",
        approved_by="",
        begun_revision=None,
        ended_revision=None,
        note="",
    )
    found = as_json(row)
    assert (found["from"], found["until"]) == ("2026-06-01T10:00:00Z", None)
    assert (found["approved_by"], found["note"], found["id"]) == (None, None, 1)
