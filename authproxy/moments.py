"""P: Times as JSON has them."""

from datetime import UTC, datetime


def rfc3339(at: datetime | None) -> str | None:
    """In UTC, to the second: 2026-01-01T12:00:00Z; None for never."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None
