"""P: Copies of requests for another service (traffic shadowing)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.destinations import MirrorSpec


@dataclass(frozen=True, slots=True)
class Mirror:
    """Who gets copies of how many requests."""

    service: str
    share: float
    """From 0 to 1."""
    max_body: int
    """Bytes; a request with a longer body is not copied."""


def mirror_of(spec: MirrorSpec | None) -> Mirror | None:
    """None where no request is ever copied."""
    if spec is None or not spec.percent:
        return None
    return Mirror(spec.service, spec.percent / 100, spec.max_body)


def mirror_note(mirror: Mirror | None, source: str) -> Iterator[PolicyNote]:
    """Who gets copies."""
    if mirror is not None:
        details = {"service": mirror.service, "percent": mirror.share * 100, "max_body": mirror.max_body}
        yield PolicyNote("mirror", source, "applies", details)
