"""P: What is kept of a request, made from its record off the path: texts and numbers, secrets masked, all bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authproxy.headers import Pair, RequestHead
from authproxy.identity import Identity
from authproxy.rejections import Rejection
from observability.requests.masking import Masking
from observability.traffic.record import Record

LONGEST_PATH: Final = 2000
MOST_FAILURES: Final = 20
MOST_NAMES: Final = 100
_TRACE: Final = slice(3, 35)
"""The trace's id in a traceparent field (W3C Trace Context section 3.2)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`at` is in epoch seconds, durations in milliseconds. `facts` are JSON: what nobody filters by."""

    at: float
    request_id: str
    trace_id: str
    method: str
    scheme: str
    host: str
    path: str
    query: str
    route: str
    service: str
    target: str
    status: int
    code: str
    consumer: str
    auth_method: str
    client: str
    duration_ms: float
    would: str
    """Names of policies, with a space around each."""
    revision: int
    facts: Mapping[str, Any]


def kept_of(record: Record, offset_s: float, masking: Masking) -> Kept:
    """`offset_s` makes epoch seconds of the record's monotonic ones."""
    caller, refusal, origin = record.identity, record.refusal, record.origin
    policies = dict.fromkeys(policy for policy, _ in record.would)
    return Kept(
        at=record.started + offset_s,
        request_id=record.request_id.decode("latin-1"),
        trace_id=record.traceparent[_TRACE].decode("latin-1"),
        method=record.method,
        scheme="" if origin is None else origin.scheme,
        host=record.head.host.decode("latin-1"),
        path=record.raw_path[:LONGEST_PATH].decode("latin-1"),
        query=masking.query(record.query),
        route="" if record.route is None else record.route.name,
        service=record.service,
        target=record.target,
        status=record.status,
        code="" if refusal is None else refusal.code.value,
        consumer="" if caller is None else caller.consumer,
        auth_method="" if caller is None else caller.method,
        client="" if origin is None else origin.client_ip,
        duration_ms=_ms(record.duration_s),
        would=f" {' '.join(policies)} " if policies else "",
        revision=record.revision,
        facts=_facts(record, masking),
    )


def _facts(record: Record, masking: Masking) -> dict[str, Any]:
    found: dict[str, Any] = {
        "phases": phases(record),
        "received": record.received,
        "sent": record.sent,
        "attempts": record.attempts,
        "outcome": record.outcome.value,
        "headers": masking.fields(_fields(record.head)),
    }
    if record.refusal is not None:
        found["refusal"] = _told(record.refusal)
    if record.would:
        found["would"] = [{"policy": policy, **_told(refusal)} for policy, refusal in record.would]
    if record.failures:
        found["failures"] = [[target, how.value] for target, how in record.failures[:MOST_FAILURES]]
    if record.cache:
        found["cache"] = record.cache
    if record.identity is not None:
        found["caller"] = _caller(record.identity)
    elif record.head.credentials is not None:
        found["auth_failure"] = record.auth_failure
    return found


def phases(record: Record) -> dict[str, float]:
    """Milliseconds of each part of the way that the request came through, in order; `connect` is within `upstream`."""
    marks = {
        "admission": record.admitted,
        "waiting": record.forwarded,
        "upstream": record.answered,
        "rest": record.ended,
    }
    found, since = {}, record.started
    for name, mark in marks.items():
        if mark:
            found[name] = _ms(mark - since)
            since = mark
    if record.connecting_s:
        found["connect"] = _ms(record.connecting_s)
    return found


def _fields(head: RequestHead) -> Iterator[Pair]:
    """As the client sent them, but for those that only led from hop to hop."""
    if head.host:
        yield b"host", head.host
    if head.content_length:
        yield b"content-length", head.content_length
    yield from head.credentials or ()
    yield from head.passed


def _told(refusal: Rejection) -> dict[str, Any]:
    return {
        "status": refusal.status,
        "code": refusal.code.value,
        "message": refusal.message,
        "details": dict(refusal.details),
    }


def _caller(identity: Identity) -> dict[str, Any]:
    """What rights are worked out from; never what proved them."""
    return {
        "kind": identity.kind,
        "name": identity.name,
        "roles": sorted(identity.roles)[:MOST_NAMES],
        "scopes": sorted(identity.direct)[:MOST_NAMES],
        "ceiling": None if identity.ceiling is None else sorted(identity.ceiling)[:MOST_NAMES],
        "is_staff": identity.is_staff,
        "plan": identity.plan,
        "provider": identity.provider,
    }


def _ms(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)
