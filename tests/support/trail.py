"""D: What the audit trail has, for tests."""

from typing import Any

import orjson

from observability.audit.chain import Break, Verified, check
from observability.audit.finding import links
from observability.models import AuditEvent


def events(after: int = 0) -> list[dict[str, Any]]:
    """The content of each event behind that number, the oldest first."""
    rows = AuditEvent.objects.filter(pk__gt=after).order_by("pk")
    return [orjson.loads(row.content) for row in rows]


def newest() -> int:
    """The number of the newest event; 0 while there is none."""
    return AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def state() -> Verified | Break | None:
    """What a verification comes to; None for an empty trail."""
    found: Verified | Break | None = None
    for each in check(links()):
        found = each
    return found
