"""P: What explain says of an aggregate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from routing.aggregation import Aggregate, Part
from routing.explanation import PolicyNote


def aggregate_note(destination: object, source: str) -> Iterator[PolicyNote]:
    """Which service is asked for what, and what waits for what."""
    if isinstance(destination, Aggregate):
        parts = {part.name: _part(part) for part in destination.parts}
        details = {
            "timeout_s": destination.timeout_s,
            "parts": {name: parts[name] for name in destination.order},
        }
        yield PolicyNote("aggregate", source, "applies", details)


def _part(part: Part) -> dict[str, Any]:
    if not part.service:
        return {"value": part.value}
    found: dict[str, Any] = {
        "service": part.service,
        "request": f"{part.method} {part.written}",
        "timeout_s": part.timeout_s,
        "required": part.required,
    }
    if part.needs:
        found["after"] = list(part.needs)
    return found
