"""P: A scheduled change as programs see it: `--json` and the control API."""

from datetime import UTC, datetime
from typing import Any


def as_json(row: Any) -> dict[str, Any]:
    """Of a row of Schedule; times are UTC."""
    return {
        "id": row.pk,
        "state": row.state,
        "from": _time(row.starts_at),
        "until": _time(row.ends_at),
        "zone": row.zone,
        "changes": row.summary,
        "reason": row.reason,
        "author": row.author,
        "approved_by": row.approved_by or None,
        "begun_revision": row.begun_revision,
        "ended_revision": row.ended_revision,
        "note": row.note or None,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
