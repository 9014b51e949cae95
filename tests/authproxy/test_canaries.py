"""A canary as the control API and the command line show it."""

from datetime import UTC, datetime

from authproxy.canaries import as_json, event_json
from resilience.models import CanaryEvent, CanaryState

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
POLICY = {
    "steps": [5.0, 50.0],
    "every_s": 60.0,
    "max_error_ratio": 0.05,
    "min_requests": 5,
    "max_latency_ratio": None,
}


def test_everything_about_it() -> None:
    """Steps are counted from 1, as people do; where it goes on by itself, when."""
    row = CanaryState(
        route="r", service="new", policy=POLICY, step=1, since=AT, by="system", canary=[4, 1, {"0": 3}]
    )
    assert as_json(row) == {
        "route": "r",
        "service": "new",
        "state": "running",
        "step": 2,
        "steps": [5.0, 50.0],
        "percent": 50.0,
        "since": "2030-01-01T12:00:00Z",
        "next_at": "2030-01-01T12:01:00Z",
        "by": "system",
        "reason": None,
        "requests": 4,
        "failures": 1,
        "p95_s": 5 / 8 / 2**16,
        "others": {"requests": 0, "failures": 0, "p95_s": None},
    }
    row.stage = "rolled_back"
    assert (as_json(row)["percent"], as_json(row)["next_at"]) == (0.0, None)


def test_a_step_of_its_history() -> None:
    """Who, why, and the figures."""
    event = CanaryEvent(
        route="r", service="new", at=AT, stage="paused", step=0, percent=5, by="anna", reason="lunch"
    )
    assert event_json(event) == {
        "at": "2030-01-01T12:00:00Z",
        "state": "paused",
        "step": 1,
        "percent": 5,
        "by": "anna",
        "reason": "lunch",
        "requests": 0,
        "failures": 0,
    }
