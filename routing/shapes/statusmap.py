"""P: Statuses of an upstream that become others for the client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.routes import RouteSpec


def status_map_of(spec: RouteSpec) -> Mapping[int, int]:
    """Old status to new; what stays as it is, is left out."""
    return {old: new for old, new in spec.status_map.items() if old != new}


def status_map_note(statuses: Mapping[int, int], source: str) -> Iterator[PolicyNote]:
    """What it makes of which status."""
    if statuses:
        details = {str(old): new for old, new in sorted(statuses.items())}
        yield PolicyNote("status_map", source, "applies", details)
