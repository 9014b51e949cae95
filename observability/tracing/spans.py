"""P: The spans of one request: what the gateway served, and what it asked of a service for that.

Names and attributes are those of OpenTelemetry's semantic conventions for HTTP; `torana.…` are the gateway's own. Query
strings and credentials are never among them.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from observability.accesslog.line import Rules, path_of
from observability.traffic.folding import METHODS
from observability.traffic.record import Record
from resilience.outcomes import Outcome

_TRACE_ID: Final = slice(3, 35)
_SPAN_ID: Final = slice(36, 52)
_NS: Final = 1_000_000_000
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Ids as numbers, 0 for no parent; moments in nanoseconds of the epoch."""

    name: str
    kind: Literal["server", "client"]
    trace_id: int
    span_id: int
    parent_id: int
    is_parent_remote: bool
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    error: str
    """Why it failed; empty if it did not."""


def is_wanted(record: Record) -> bool:
    """Recorded, and not a request to an endpoint of the gateway itself."""
    return record.traceparent.endswith(b"-01") and (record.route is not None or record.refusal is not None)


def spans_of(record: Record, offset_s: float, rules: Rules, *, span_id: int) -> tuple[Span, ...]:
    """The server's, and the client's if a service was asked, whose id is the one that the service was told.

    `span_id` is for the server's then. `offset_s` makes epoch seconds of the record's moments.
    """
    told = int(record.traceparent[_SPAN_ID], 16)
    is_asked = bool(record.forwarded and record.attempts)
    server = _server(record, offset_s, rules, span_id if is_asked else told)
    return (server, _client(record, offset_s, server, told)) if is_asked else (server,)


def _server(record: Record, offset_s: float, rules: Rules, span_id: int) -> Span:
    came = record.head.traceparent
    has_parent = came != record.traceparent
    method, route = _method(record), "" if record.route is None else _written(record)
    return Span(
        name=f"{method} {route}" if route else method,
        kind="server",
        trace_id=int(record.traceparent[_TRACE_ID], 16),
        span_id=span_id,
        parent_id=int(came[_SPAN_ID], 16) if has_parent else 0,
        is_parent_remote=has_parent,
        start_ns=_ns(record.started + offset_s),
        end_ns=_ns(record.ended + offset_s),
        attributes=_of_server(record, rules, route),
        error=_why(record) if record.status >= 500 or record.status == 0 else "",
    )


def _of_server(record: Record, rules: Rules, route: str) -> dict[str, Any]:
    origin, identity, refusal = record.origin, record.identity, record.refusal
    host, port = _host(record.head.host)
    found: dict[str, Any] = {
        **_asked(record),
        "http.route": route,
        "http.response.status_code": record.status,
        "server.address": host,
        "server.port": port,
        "url.scheme": "" if origin is None else origin.scheme,
        "url.path": path_of(record.raw_path, rules),
        "client.address": "" if origin is None else origin.client_ip,
        "user_agent.original": _user_agent(record, rules),
        "error.type": _why(record) if record.status >= 500 or record.status == 0 else "",
        "torana.route": "" if record.route is None else record.route.name,
        "torana.service": record.service,
        "torana.target": record.target,
        "torana.consumer": "" if identity is None else identity.consumer,
        "torana.code": "" if refusal is None else refusal.code.value,
        "torana.cache": record.cache,
        "torana.request_id": record.request_id.decode("ascii", "replace"),
        "torana.revision": record.revision,
    }
    return {name: value for name, value in found.items() if value != ""}


def _client(record: Record, offset_s: float, server: Span, span_id: int) -> Span:
    """All attempts together; until the head of the answer, if there was one."""
    outcome = record.outcome
    is_answered = bool(record.answered) and record.refusal is None
    has_failed = outcome is not Outcome.OK and (not record.answered or outcome is Outcome.UPSTREAM_ERROR)
    found: dict[str, Any] = {
        **_asked(record),
        "http.response.status_code": record.status if is_answered else "",
        "http.request.resend_count": record.attempts - 1 if record.attempts > 1 else "",
        "error.type": outcome.value if has_failed else "",
        "torana.service": record.service,
        "torana.target": record.target,
        "torana.outcome": outcome.value,
        "torana.connect_ms": round(record.connecting_s * 1000, 3) if record.connecting_s else "",
        "torana.failures": tuple(f"{target} {end.value}" for target, end in record.failures or ()) or "",
    }
    return Span(
        name=server.name.partition(" ")[0],
        kind="client",
        trace_id=server.trace_id,
        span_id=span_id,
        parent_id=server.span_id,
        is_parent_remote=False,
        start_ns=_ns(record.forwarded + offset_s),
        end_ns=_ns((record.answered or record.ended) + offset_s),
        attributes={name: value for name, value in found.items() if value != ""},
        error=outcome.value if has_failed else "",
    )


def _asked(record: Record) -> dict[str, str]:
    method = _method(record)
    original = "" if method == record.method else record.method[:32]
    return {
        "http.request.method": "_OTHER" if original else method,
        "http.request.method_original": original,
    }


def _method(record: Record) -> str:
    """Clients may make up methods; names of spans stay few (semantic conventions: `HTTP` for those)."""
    return record.method if record.method in METHODS else "HTTP"


def _written(record: Record) -> str:
    assert record.route is not None
    pattern = record.route.pattern
    return pattern.written or pattern.text


def _why(record: Record) -> str:
    return str(record.status) if record.refusal is None else record.refusal.code.value


def _host(given: bytes) -> tuple[str, int | str]:
    """The host and the port of a Host field; "" for what it does not say."""
    text = given.decode("ascii", "replace")[:255]
    host, sign, port = text.rpartition(":")
    if sign and port.isdecimal() and len(port) <= 5:
        return host.strip("[]"), int(port)
    return text.strip("[]"), ""


def _user_agent(record: Record, rules: Rules) -> str:
    """If the access log would keep it."""
    name = b"user-agent"
    if name not in rules.headers or name.decode() in rules.hide:
        return ""
    for field, value in record.head.passed:
        if field == name:
            return value.decode("utf-8", "replace")[:_LONGEST]
    return ""


def _ns(seconds: float) -> int:
    return int(seconds * _NS)
