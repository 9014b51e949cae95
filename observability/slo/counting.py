"""D: What is counted of routes, from the roll-ups."""

from collections.abc import Mapping, Sequence

from observability.rollups.minutes import ROUTE
from observability.rollups.reading import totals_of
from observability.slo.burning import Counted


def counts(routes: Sequence[str], start: int, end: int) -> Mapping[str, Counted]:
    """Epoch seconds, whole minutes. Routes without a request are left out."""
    return totals_of(ROUTE, routes, start, end)
