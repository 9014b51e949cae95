"""P: What receivers are told: JSON for webhooks, a subject and a text for e-mail."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

FIRING, RESOLVED, TEST = "firing", "resolved", "test"
LONGEST_SUBJECT: Final = 200


class Told(NamedTuple):
    """One event of an incident. Moments are RFC 3339."""

    event: str
    id: str
    """Of the incident, which is the same when it ends."""
    kind: str
    severity: str
    subject: str
    summary: str
    since: str
    resolved_at: str | None
    details: Mapping[str, Any]
    gateway: str


def as_json(told: Told, at: str) -> bytes:
    """The body of a webhook, in the shape of Standard Webhooks: type, timestamp, data."""
    data = {
        "incident": told.id,
        "kind": told.kind,
        "severity": told.severity,
        "subject": told.subject,
        "summary": told.summary,
        "since": told.since,
        "resolved_at": told.resolved_at,
        "details": dict(told.details),
        "gateway": told.gateway,
    }
    return orjson.dumps({"type": f"alert.{told.event}", "timestamp": at, "data": data})


def as_mail(told: Told) -> tuple[str, str]:
    """Subject and text. A subject is one line."""
    mark = {FIRING: "FIRING", RESOLVED: "RESOLVED", TEST: "TEST"}[told.event]
    subject = " ".join(f"[{told.gateway}] {mark}: {told.summary}".split())[:LONGEST_SUBJECT]
    lines = [
        told.summary,
        "",
        f"What:     {told.kind} {told.subject}",
        f"Severity: {told.severity}",
        f"Since:    {told.since}",
    ]
    if told.resolved_at is not None:
        lines.append(f"Until:    {told.resolved_at}")
    lines += [f"{name}: {value}" for name, value in sorted(told.details.items())]
    return subject, "\n".join([*lines, "", f"Incident {told.id}", ""])
