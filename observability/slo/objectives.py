"""P: The objectives of a snapshot's routes."""

from collections.abc import Iterable

from observability.slo.burning import Objective
from routing.snapshot import CompiledRoute


def objectives_of(routes: Iterable[CompiledRoute]) -> list[Objective]:
    """In the order of their routes: availability, then latency."""
    found: list[Objective] = []
    for route in routes:
        slo = route.slo
        if slo is None:
            continue
        if slo.availability is not None:
            found.append(Objective(route.name, "availability", slo.availability, slo.window_s))
        if slo.under_s is not None:
            found.append(Objective(route.name, "latency", slo.latency, slo.window_s, slo.under_s))
    return found
