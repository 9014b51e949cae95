"""A breaker as the control API and the command line show it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from authproxy.breakers import as_json
from resilience.models import BreakerState

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_everything_about_it() -> None:
    """What holds and what is measured, who forced it and why, what was wrong last."""
    row = BreakerState(
        service="shop", state="half_open", since=AT, cause="recovery timeout is over", requests=9, failures=5,
        window_s=10.0, counted_at=timezone.now(), errors=[[AT.timestamp(), "connect_refused"]], forced="open",
        forced_until=AT, forced_by="anna", reason="maintenance",
    )  # fmt: skip
    assert as_json(row) == {
        "service": "shop",
        "state": "open",
        "measured": "half_open",
        "since": "2030-01-01T12:00:00Z",
        "cause": "recovery timeout is over",
        "requests": 9,
        "failures": 5,
        "last_errors": [{"at": "2030-01-01T12:00:00Z", "error": "connect_refused"}],
        "forced": "open",
        "until": "2030-01-01T12:00:00Z",
        "by": "anna",
        "reason": "maintenance",
    }


@pytest.mark.parametrize(("age_s", "shown"), [(None, 0), (9, 5), (11, 0)])
def test_counts_of_a_window_that_is_over_are_not_shown(age_s: int | None, shown: int) -> None:
    """They are written only when something fails."""
    at = timezone.now() - timedelta(seconds=age_s) if age_s is not None else None
    found = as_json(BreakerState(service="shop", requests=5, failures=5, window_s=10.0, counted_at=at))
    assert (found["requests"], found["failures"]) == (shown, shown)
    assert (found["forced"], found["cause"], found["since"]) == (None, None, None)
