"""P: One request as a line of JSON: what was asked, who answered, how long each phase took, and nothing that is secret.

Values of credential fields are never among what is written: records do not have them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal

import orjson

from observability.traffic.record import Record

HIDDEN: Final = "***"
LONGEST: Final = 1024
"""Characters of a path, a query or a field: a line stays short enough to be written in one piece."""
Line = Callable[[Record, float], bytes]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is written of requests. Names are lower case."""

    sample: float = 1.0
    """The share of requests that went well, where the route says nothing else; others are always written."""
    query: Literal["off", "names", "full"] = "names"
    """Of the query string: nothing, `a=***&b=***`, or all but what `hide` names."""
    hide: frozenset[str] = frozenset()
    """Query parameters and header fields whose values are secret."""
    hide_paths: tuple[str, ...] = ()
    """Paths that begin so are written no further."""
    headers: tuple[bytes, ...] = ()
    """Header fields of requests that are written, too."""


def is_wanted(record: Record, rules: Rules) -> bool:
    """Errors are, unless their route is not written at all. Of the rest a share, by trace: gateways one behind the
    other pick the same requests."""
    log = None if record.route is None else record.route.log
    if log is not None and not log.access:
        return False
    sample = rules.sample if log is None or log.sample is None else log.sample
    if sample >= 1.0 or record.status >= 400 or record.status == 0 or record.would:
        return True
    digits = record.traceparent[27:35]
    try:
        return int(digits, 16) < sample * 0x1_0000_0000
    except ValueError:
        return True


def line_of(record: Record, rules: Rules, offset_s: float) -> bytes:
    """With its line feed. `offset_s` makes epoch seconds of the record's moments."""
    refusal, route = record.refusal, record.route
    line: dict[str, Any] = {
        "time": stamp(record.ended + offset_s),
        "request_id": record.request_id.decode("ascii", "replace"),
        "trace_id": record.traceparent[3:35].decode("ascii", "replace"),
        "client": "" if record.origin is None else record.origin.client_ip,
        "consumer": "" if record.identity is None else record.identity.consumer,
        "method": record.method[:32],
        "path": path_of(record.raw_path, rules),
        "route": "" if route is None else route.name,
        "service": record.service,
        "target": record.target,
        "status": record.status,
        "code": "" if refusal is None else refusal.code,
        "ms": phases_of(record),
        "received": record.received,
        "sent": record.sent,
        "attempts": record.attempts,
        "retries": max(record.attempts - 1, 0),
        "cache": record.cache,
        "revision": record.revision,
    }
    _add_rest(line, record, rules)
    return orjson.dumps(line) + b"\n"


def _add_rest(line: dict[str, Any], record: Record, rules: Rules) -> None:
    """What most requests do not have."""
    if record.query and rules.query != "off":
        line["query"] = query_of(record.query, rules)
    if record.refusal is not None and record.refusal.code.value in ("AUTH_ERROR", "FORBIDDEN"):
        line["reason"] = "forbidden" if record.identity else record.auth_failure
    if record.attempts:
        line["outcome"] = record.outcome
    if record.failures:
        line["failures"] = [{"target": target, "outcome": end.value} for target, end in record.failures]
    if record.would:
        line["would"] = [{"policy": policy, "code": each.code.value} for policy, each in record.would]
    if rules.headers:
        line["headers"] = _headers_of(record, rules)


def phases_of(record: Record) -> dict[str, float]:
    """In milliseconds: `auth` until the route's steps let it in, `queue` until it had its place, `upstream` until the
    head of the answer, of which opening connections took `connect`; `total`. What did not happen is left out."""
    found = {"total": _ms(record.ended - record.started)}
    if record.admitted:
        found["auth"] = _ms(record.admitted - record.started)
        if record.forwarded:
            found["queue"] = _ms(record.forwarded - record.admitted)
            if record.connecting_s:
                found["connect"] = _ms(record.connecting_s)
            if record.answered:
                found["upstream"] = _ms(record.answered - record.forwarded)
    return found


def path_of(raw: bytes, rules: Rules) -> str:
    """As the client wrote it, as far as it may be written."""
    path = raw.decode("utf-8", "replace")
    for start in rules.hide_paths:
        if path.startswith(start) and len(path) > len(start):
            return start + HIDDEN
    return path if len(path) <= LONGEST else path[:LONGEST] + "…"


def query_of(raw: bytes, rules: Rules) -> str:
    """The query string without its secrets."""
    parts = []
    for pair in raw.decode("utf-8", "replace").split("&"):
        name, sign, _ = pair.partition("=")
        is_hidden = rules.query == "names" or name.lower() in rules.hide
        parts.append(f"{name}={HIDDEN}" if sign and is_hidden else pair)
    text = "&".join(parts)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _headers_of(record: Record, rules: Rules) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in record.head.passed:
        if name in rules.headers:
            text = name.decode("ascii", "replace")
            shown = HIDDEN if text in rules.hide else value.decode("utf-8", "replace")[:LONGEST]
            found[text] = f"{found[text]}, {shown}" if text in found else shown
    return found


def refused_line(now_s: float, *, client: str, status: int, code: str, request_id: str) -> bytes:
    """Of a request that the server refused before there was anything to route."""
    return (
        orjson.dumps(
            {
                "time": stamp(now_s),
                "request_id": request_id,
                "client": client,
                "status": status,
                "code": code,
            }
        )
        + b"\n"
    )


def stamp(epoch_s: float) -> str:
    """ISO 8601 in UTC, to the millisecond. Lines come in the order of time, so a second is written out once."""
    milliseconds = int(epoch_s * 1000 + 0.5)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}+00:00"


@lru_cache(maxsize=4)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _ms(seconds: float) -> float:
    """To the microsecond. A third of the time that `round` takes, and durations are never below zero."""
    return int(seconds * 1e6 + 0.5) / 1000
