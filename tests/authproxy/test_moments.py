"""Times as JSON has them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from authproxy.moments import rfc3339


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2030, 1, 2, 3, 4, 5, 6, UTC), "2030-01-02T03:04:05Z"),
        (datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2030-01-02T01:04:05Z"),
        (None, None),
    ],
)
def test_times_are_shown_as_json_has_them(at: datetime | None, text: str | None) -> None:
    """In UTC, to the second."""
    assert rfc3339(at) == text
