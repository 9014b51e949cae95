"""D: A breaker as the control API and the command line show it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from authproxy.moments import rfc3339
from resilience.models import BreakerState


def as_json(row: BreakerState) -> dict[str, Any]:
    """`state` is what holds, `measured` what it would be if nothing were forced."""
    is_recent = counts_are_recent(row)
    return {
        "service": row.service,
        "state": row.effective,
        "measured": row.state,
        "since": rfc3339(row.since),
        "cause": row.cause or None,
        "requests": row.requests if is_recent else 0,
        "failures": row.failures if is_recent else 0,
        "last_errors": [
            {"at": rfc3339(datetime.fromtimestamp(at, UTC)), "error": why} for at, why in row.errors
        ],
        "forced": row.forced or None,
        "until": rfc3339(row.forced_until),
        "by": row.forced_by or None,
        "reason": row.reason or None,
    }


def counts_are_recent(row: BreakerState) -> bool:
    """Counts are written when something fails; after a window without that, there is nothing to count."""
    return row.counted_at is not None and row.counted_at + timedelta(seconds=row.window_s) >= timezone.now()
