"""P: Where a proxied connection leads, and whether it still does under another snapshot."""

from typing import Literal, NamedTuple

from routing.snapshot import Snapshot, services_of

Fate = Literal["stays", "gone", "elsewhere"]


class Place(NamedTuple):
    """`is_leased`: the target registered itself, and comes and goes without a revision."""

    route: str
    service: str
    target: str
    is_leased: bool


def fate_of(place: Place, snapshot: Snapshot) -> Fate:
    """What the snapshot makes of a connection: its route is gone or takes none any more, or leads to other targets."""
    route = snapshot.routes.get(place.route)
    if route is None or route.shapes.websocket is None:
        return "gone"
    service = snapshot.services.get(place.service)
    if service is None or place.service not in services_of(route.destination):
        return "elsewhere"
    if place.is_leased or any(target.url == place.target for target in service.targets):
        return "stays"
    return "elsewhere"
