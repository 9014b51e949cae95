"""D: A target as the control API and the command line show it."""

from typing import Any

from authproxy.moments import rfc3339
from resilience.models import TargetReadmission
from routing.readmitting import told_of


def as_json(row: Any) -> dict[str, Any]:
    """One of `readmitting.standings`."""
    told = told_of(row)
    return {
        "service": row.service,
        "url": row.target,
        "state": told.state,
        "since": rfc3339(told.since),
        "until": rfc3339(told.until),
        "why": told.why or None,
        "ejected_at_workers": row.ejected_by or 0,
        "checked_at": rfc3339(row.checked_at),
    }


def readmission_as_json(row: TargetReadmission) -> dict[str, Any]:
    """What an operator ordered."""
    return {
        "service": row.service,
        "url": row.target,
        "at": rfc3339(row.at),
        "by": row.by,
        "reason": row.reason or None,
    }
