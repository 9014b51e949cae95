"""Times in admin."""

from datetime import UTC, datetime

from django.utils.formats import localize


def test_times_are_unambiguous_and_have_seconds() -> None:
    """Operators compare them with logs."""
    assert localize(datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)) == "2026-03-04 15:06:07"
