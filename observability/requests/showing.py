"""D: A kept request for programs and for people: its fields, why it was answered so, and where to explain it."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.timezone import localtime

from authproxy.moments import rfc3339
from observability.models import KeptRequest
from observability.requests.masking import is_masked
from observability.requests.why import why
from resilience.models import BreakerTransition

MOST_FIELDS: Final = 40


def as_json(row: KeptRequest) -> dict[str, Any]:
    """What a list has of a request."""
    return {
        "id": row.pk,
        "at": row.at.isoformat().replace("+00:00", "Z"),
        "request_id": row.request_id,
        "trace_id": row.trace_id,
        "method": row.method,
        "host": row.host,
        "path": row.path,
        "query": row.query,
        "route": row.route or None,
        "service": row.service or None,
        "target": row.target or None,
        "status": row.status,
        "code": row.code or None,
        "consumer": row.consumer or None,
        "auth_method": row.auth_method or None,
        "client": row.client,
        "duration_ms": row.duration_ms,
        "would": row.would.split(),
        "revision": row.revision,
        "worker": row.node,
    }


def in_full(row: KeptRequest) -> dict[str, Any]:
    """All that is kept of it."""
    return {**as_json(row), "why": words(row), **row.facts}


def words(row: KeptRequest) -> list[str]:
    """Why it was answered as it was."""
    return why(
        status=row.status,
        service=row.service,
        target=row.target,
        consumer=row.consumer,
        client=row.client,
        facts=row.facts,
        breaker=_breaker(row) if row.code == "CIRCUIT_OPEN" else "",
    )


def line(row: KeptRequest) -> str:
    """One line of a terminal."""
    parts = (
        rfc3339(row.at),
        row.method,
        str(row.status),
        row.code,
        f"{row.duration_ms:.1f} ms",
        row.url,
        f"route {row.route}" if row.route else "",
        row.consumer or row.client,
        f"would be refused by {', '.join(row.would.split())}" if row.would else "",
        row.request_id,
    )
    return "  ".join(part for part in parts if part)


def explain_link(row: KeptRequest, configuration: str = "") -> str:
    """The page that explains this request, on the revision of then if not by another configuration; what is masked is
    left out."""
    headers = row.facts.get("headers", ())
    shown = [f"{name}: {value}" for name, value in headers if name != "host" and not is_masked(value)]
    given: Mapping[str, str] = {
        "method": row.method,
        "url": f"{row.scheme or 'http'}://{row.host}{row.url}" if row.host else row.url,
        "headers": "\n".join(shown[:MOST_FIELDS]),
        "caller": (row.facts.get("caller") or {}).get("name") or row.consumer,
        "address": row.client,
        "configuration": configuration or str(row.revision),
    }
    return f"{reverse('admin:routing_explain')}?{urlencode(given)}"


def _breaker(row: KeptRequest) -> str:
    service = row.facts.get("refusal", {}).get("details", {}).get("service", row.service)
    rows = BreakerTransition.objects.filter(service=service, at__lte=row.at)
    opened = rows.filter(after__in=("open", "forced_open")).first()
    if opened is None:
        return ""
    by = f" by {opened.by}" if opened.by else ""
    cause = f": {opened.cause.replace('_', ' ')}" if opened.cause else ""
    return f"It had opened at {localtime(opened.at):%Y-%m-%d %H:%M:%S}{by}{cause}."
