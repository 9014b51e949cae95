"""Local times: what people write in a zone, across changes of the clocks."""

from datetime import UTC, datetime

import pytest

from routing.localtimes import BadTime, moment, shown, zone_named

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-01-15 09:00", BERLIN, "2026-01-15T08:00"),
        ("2026-07-15T09:00", BERLIN, "2026-07-15T07:00"),
        ("2026-07-15T09:00:30", "UTC", "2026-07-15T09:00:30"),
        ("2026-03-29 01:59", BERLIN, "2026-03-29T00:59"),
        ("2026-03-29 03:00", BERLIN, "2026-03-29T01:00"),
        ("2026-10-25 02:30+02:00", BERLIN, "2026-10-25T00:30"),
        ("2026-10-25 02:30+01:00", BERLIN, "2026-10-25T01:30"),
        ("2026-10-25 03:00", BERLIN, "2026-10-25T02:00"),
        ("2026-11-01 01:30-05:00", "America/New_York", "2026-11-01T06:30"),
        ("2026-04-05 02:00+10:30", "Australia/Lord_Howe", "2026-04-04T15:30"),
        ("2026-07-15 09:00+02:00", BERLIN, "2026-07-15T07:00"),
    ],
)
def test_a_time_is_one_moment(text: str, zone: str, utc: str) -> None:
    """Summer and winter; on the days of the change; an offset tells two times apart."""
    assert moment(text, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "why"),
    [
        ("2026-03-29 02:30", BERLIN, "does not exist"),
        ("2026-03-29 02:30+01:00", BERLIN, "does not exist"),
        ("2026-10-25 02:30", BERLIN, "02:30:00[+]02:00 or 2026-10-25 02:30:00[+]01:00"),
        ("2026-11-01 01:30", "America/New_York", "comes twice"),
        ("2026-10-25 02:30+05:00", BERLIN, "another offset"),
        ("2026-07-15 09:00+01:00", BERLIN, "another offset"),
        ("tomorrow", BERLIN, "is not a time"),
        ("", BERLIN, "is not a time"),
        ("0001-01-01 00:00", BERLIN, "too far away"),
        ("2026-07-15 09:00", "Mars/Base", "is not a time zone"),
        ("2026-07-15 09:00", "../etc/passwd", "is not a time zone"),
        ("2026-07-15 09:00", "", "is not a time zone"),
    ],
)
def test_what_is_unclear_is_refused(text: str, zone: str, why: str) -> None:
    """With the reason, and what to write instead."""
    with pytest.raises(BadTime, match=why):
        moment(text, zone)


def test_times_are_shown_as_the_zone_shows_them() -> None:
    """With the zone's short name, which tells summer from winter."""
    assert shown(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BERLIN) == "2026-10-25 02:30 CEST"
    assert shown(datetime(2026, 10, 25, 1, 30, 5, tzinfo=UTC), BERLIN) == "2026-10-25 02:30:05 CET"
    assert zone_named(BERLIN).key == BERLIN
