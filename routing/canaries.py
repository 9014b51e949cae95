"""P: The canaries that a configuration asks for."""

from collections.abc import Mapping

from resilience.canaries import Wanted
from routing.snapshot import CompiledRoute
from routing.splitting import Split, canary_mark


def wanted_canaries(routes: Mapping[str, CompiledRoute]) -> dict[str, Wanted]:
    """By route."""
    found = {}
    for name, route in routes.items():
        split = route.destination
        if isinstance(split, Split) and split.canary is not None:
            found[name] = Wanted(split.canary, split.services[-1], canary_mark(split))
    return found
