"""What people and programs read."""

import orjson

from observability.alerts.messages import FIRING, RESOLVED, Told, as_json, as_mail

TOLD = Told(
    FIRING, "inc_1", "breaker", "critical", "orders", "The breaker\nof orders is open", "2026-01-01T00:00:00Z",
    None, {"cause": "reset"}, "torana",
)  # fmt: skip


def test_json() -> None:
    """Type, timestamp and data."""
    found = orjson.loads(as_json(TOLD, "2026-01-01T00:00:01Z"))
    assert (found["type"], found["timestamp"]) == ("alert.firing", "2026-01-01T00:00:01Z")
    assert found["data"] == {
        "incident": "inc_1",
        "kind": "breaker",
        "severity": "critical",
        "subject": "orders",
        "summary": "The breaker\nof orders is open",
        "since": "2026-01-01T00:00:00Z",
        "resolved_at": None,
        "details": {"cause": "reset"},
        "gateway": "torana",
    }


def test_mail() -> None:
    """A subject is one line, whatever somebody called something."""
    subject, text = as_mail(TOLD)
    assert subject == "[torana] FIRING: The breaker of orders is open"
    assert "cause: reset" in text
    over = TOLD._replace(event=RESOLVED, resolved_at="2026-01-01T00:05:00Z", summary="x" * 500)
    subject, text = as_mail(over)
    assert len(subject) == 200
    assert "Until:    2026-01-01T00:05:00Z" in text
