"""Finished requests, without a gateway around them."""

from typing import Any

from authproxy.headers import RequestHead
from observability.traffic.record import Record
from resilience.outcomes import Outcome
from tests.support.gateway import document
from tests.support.gateway import route as written
from tests.support.snapshots import snapshot_of


def record(route: str = "", **fields: Any) -> Record:
    """One that began at 100 and took 10 ms, unless told otherwise. `route`: the name of the route that it found."""
    found = None
    if route:
        found = snapshot_of(document(written(route, respond={"status": 200}))).routes[route]
    given: dict[str, Any] = {
        "ended": 100.01,
        "started": 100.0,
        "admitted": 0.0,
        "forwarded": 0.0,
        "connecting_s": 0.0,
        "answered": 0.0,
        "method": "GET",
        "raw_path": b"/",
        "query": b"",
        "head": RequestHead(),
        "route": found,
        "service": "",
        "target": "",
        "status": 200,
        "outcome": Outcome.OK,
        "refusal": None,
        "identity": None,
        "auth_failure": "missing",
        "origin": None,
        "request_id": b"id",
        "traceparent": b"",
        "sent": 0,
        "attempts": 0,
        "failures": None,
        "cache": "",
        "would": (),
        "revision": 1,
    }
    return Record(**{**given, **fields})
