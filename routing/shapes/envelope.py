"""P: Whether a route's JSON answers are wrapped."""

from __future__ import annotations

from collections.abc import Iterator

from routing.explanation import PolicyNote


def envelope_note(*, is_on: bool, source: str) -> Iterator[PolicyNote]:
    """What answers look like."""
    if is_on:
        details = {"answers": "{data, request_id, timestamp}", "errors": "{error, request_id, timestamp}"}
        yield PolicyNote("envelope", source, "applies", details)
