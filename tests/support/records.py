"""Finished requests, without a gateway around them."""

from types import SimpleNamespace
from typing import Any, cast

from authproxy.exchange import Exchange
from authproxy.headers import RequestHead
from observability.traffic.alikes import Alikes, Seen
from observability.traffic.record import Record
from observability.traffic.recorder import Batch
from resilience.outcomes import Outcome
from routing.snapshot import Snapshot
from tests.support.asgi import Recorder, http_scope, playback
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


_ELSEWHERE = ("method", "raw_path", "query", "head", "revision", "route", "origin")
"""Fields of records that an exchange has from where it came from, or only once it knows them."""


def ended(route: str = "", **fields: Any) -> Exchange:
    """The same, as the recorder gets it."""
    return exchange_of(record(route, **fields))


def exchange_of(given: Record) -> Exchange:
    """What the record was made of."""
    scope = {**http_scope(given.method, "/"), "raw_path": given.raw_path, "query_string": given.query}
    snapshot = cast(Snapshot, SimpleNamespace(revision=given.revision))
    made = Exchange(scope, playback(), Recorder(), snapshot=snapshot, head=given.head, started=given.started)
    for name, value in given._asdict().items():
        if name not in _ELSEWHERE:
            setattr(made, name, value)
    if given.route is not None:
        made.route = given.route
    if given.origin is not None:
        made.origin = given.origin
    return made


def seen(*exchanges: Exchange, offset_s: float = 0.0) -> Seen:
    """As watchers get them."""
    return Seen(exchanges, Alikes().sort(exchanges), offset_s)


def batch(*exchanges: Exchange, offset_s: float = 0.0) -> Batch:
    """As sinks get them."""
    alikes = Alikes()
    alikes.sort(exchanges)
    return Batch(alikes.take(), len(exchanges), exchanges[-1].ended + offset_s)
