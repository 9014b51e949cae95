"""I: How the targets of a service are in this process, if it serves; whoever serves binds its states at start."""

from resilience.clock import monotonic
from resilience.state import StateTable
from routing.knowledge import Standing, Standings, standing_of

_bound: list[StateTable] = []


def bind(states: StateTable) -> None:
    """These are the states that requests change."""
    _bound[:] = [states]


def unbind(states: StateTable) -> None:
    """They do so no more."""
    if states in _bound:
        _bound.clear()


def standings(service: str) -> Standings | None:
    """By URL; None where this process does not serve it. Any thread may ask: what is read is never half written."""
    state = _bound[0].peek(service) if _bound else None
    if state is None:
        return None
    now = monotonic()
    found: dict[str, Standing] = {}
    for url, target in tuple(state.targets.items()):
        is_ejected = target.ejected_until > now
        found[url] = standing_of(drain=target.drain, is_ejected=is_ejected, healthy=target.healthy)
    return found
