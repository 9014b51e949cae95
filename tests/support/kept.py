"""Kept requests, without a gateway that served them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from observability.models import KeptRequest

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def kept(path: str = "/orders/7", *, after_s: float = 0.0, **fields: Any) -> KeptRequest:
    """A row that is not saved."""
    facts = {"headers": [["host", "api.test"]], "phases": {"rest": 1.0}, **fields.pop("facts", {})}
    given = {
        "at": AT + timedelta(seconds=after_s),
        "node": "w",
        "request_id": "id",
        "trace_id": "a" * 32,
        "method": "GET",
        "scheme": "http",
        "host": "api.test",
        "path": path,
        "route": "orders",
        "service": "shop",
        "status": 200,
        "client": "203.0.113.7",
        "duration_ms": 1.0,
        "revision": 1,
        "facts": facts,
    }
    return KeptRequest(**{**given, **fields})


def refused(code: str, status: int, message: str = "No.", **details: Any) -> dict[str, Any]:
    """Fields of one that the gateway refused."""
    refusal = {"code": code, "status": status, "message": message, "details": details}
    return {"status": status, "code": code, "facts": {"refusal": refusal}}
