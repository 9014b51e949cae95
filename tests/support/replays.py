"""Kept requests as rows of values, and what is judged of them by two documents."""

from collections.abc import Mapping
from typing import Any

from observability.replay.judging import Judgement, Judging
from observability.replay.recorded import Recorded, recorded_of
from observability.replay.sides import Pair, pair_of
from routing.knowledge import NOTHING, Knowledge
from tests.support.kept import AT
from tests.support.snapshots import snapshot_of

LIVE = 7
HOST = ("host", "api.test")


def row(path: str = "/orders/7", *, headers: tuple[tuple[str, str], ...] = (), **more: Any) -> dict[str, Any]:
    """Of a request that was answered with 200 by the route and the service "orders"."""
    facts = {"headers": [list(pair) for pair in (HOST, *headers)], **more.pop("facts", {})}
    given = {
        "pk": 1,
        "at": AT,
        "request_id": "id",
        "method": "GET",
        "scheme": "http",
        "host": "api.test",
        "path": path,
        "query": "",
        "route": "orders",
        "service": "orders",
        "target": "",
        "status": 200,
        "code": "",
        "consumer": "",
        "auth_method": "",
        "client": "203.0.113.7",
        "revision": LIVE,
    }
    return {**given, "facts": facts, **more}


def recorded(path: str = "/orders/7", **more: Any) -> Recorded:
    return recorded_of(row(path, **more))


def by(name: str = "ada", *, how: str = "jwt", **rights: Any) -> dict[str, Any]:
    """Fields of a request that somebody made who was known."""
    caller = {"kind": "user", "name": name, "roles": [], "scopes": [], "ceiling": None, "is_staff": False}
    field = ("x-api-key", "…") if how == "api_key" else ("authorization", "Bearer …")
    caller |= {"plan": "", "provider": "", **rights}
    return {"consumer": name, "auth_method": how, "headers": (field,), "facts": {"caller": caller}}


def pair(before: Mapping[str, Any], after: Mapping[str, Any], **more: Any) -> Pair:
    return pair_of(snapshot_of(before, revision=LIVE), snapshot_of(after, revision=0), **more)


def judged(
    before: Mapping[str, Any], after: Mapping[str, Any], given: Recorded, known: Knowledge = NOTHING
) -> Judgement:
    return Judging(pair(before, after), known).of(given)
