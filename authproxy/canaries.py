"""D: A canary as the control API and the command line show it."""

from typing import Any, Final

from authproxy.moments import rfc3339
from resilience.canary import Word
from resilience.models import CanaryEvent, CanaryState
from routing.canarying import next_at, percent_of, policy_of, unpacked

WORDS: Final[dict[str, Word]] = {
    "pause": "pause",
    "resume": "resume",
    "promote": "promote",
    "rollback": "roll_back",
    "restart": "restart",
}
"""What operators say, and what it means."""


def as_json(row: CanaryState) -> dict[str, Any]:
    """Counts are those of the present step; `next_at` is when the next one may begin."""
    canary, others, policy = unpacked(row.canary), unpacked(row.others), policy_of(row)
    return {
        "route": row.route,
        "service": row.service,
        "state": row.stage,
        "step": row.step + 1,
        "steps": list(policy.steps),
        "percent": percent_of(row),
        "since": rfc3339(row.since),
        "next_at": rfc3339(next_at(row)),
        "by": row.by,
        "reason": row.reason or None,
        "requests": canary.requests,
        "failures": canary.failures,
        "p95_s": canary.seen().p95_s,
        "others": {
            "requests": others.requests,
            "failures": others.failures,
            "p95_s": others.seen().p95_s,
        },
    }


def event_json(event: CanaryEvent) -> dict[str, Any]:
    """One step of its history."""
    return {
        "at": rfc3339(event.at),
        "state": event.stage,
        "step": event.step + 1,
        "percent": event.percent,
        "by": event.by,
        "reason": event.reason or None,
        "requests": event.requests,
        "failures": event.failures,
    }
