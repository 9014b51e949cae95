"""What a row of somebody who is limited says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authproxy.models import LimitedCaller


def row(**more: object) -> LimitedCaller:
    now = timezone.now()
    values = {"quota": "free", "caller": "consumer:ada|route:r", "last_at": now, "retry_after_s": 5.0}
    return LimitedCaller(**{**values, **more})


@pytest.mark.parametrize(
    ("more", "is_limited"),
    [
        ({}, True),
        ({"is_enforced": False}, False),
        ({"last_at": timezone.now() - timedelta(seconds=6)}, False),
    ],
)
def test_limited_until_there_is_room(more: dict[str, object], is_limited: bool) -> None:
    """And never by a quota that only counts."""
    assert row(**more).is_limited is is_limited


def test_what_it_is_called() -> None:
    """In words; the newest request comes first."""
    found = row(request_ids="c b a")
    assert str(found) == "consumer ada, route r by quota free"
    assert found.room_at == found.last_at + timedelta(seconds=5)
    assert (found.request_id, row().request_id) == ("c", "")
