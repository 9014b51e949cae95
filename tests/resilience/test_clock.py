"""The clocks' formats."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from resilience import clock


def test_timestamp_is_the_contracts_form() -> None:
    """UTC to the second, with a Z, and about now."""
    written = clock.timestamp()

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", written)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(written)).total_seconds()) < 5


def test_http_date_is_an_imf_fixdate() -> None:
    """RFC 9110 section 5.6.7, readable back as now."""
    written = clock.http_date().decode()

    assert written.endswith(" GMT")
    assert abs((datetime.now(UTC) - parsedate_to_datetime(written)).total_seconds()) < 5


def test_monotonic_does_not_go_back() -> None:
    """Two readings are in order."""
    first = clock.monotonic()

    assert clock.monotonic() >= first
