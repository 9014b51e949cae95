"""P: A route with the document's defaults filled in, still raw."""

from collections.abc import Mapping
from typing import Any

from routing.document.destinations import DESTINATIONS

Raw = Mapping[str, Any]
# These belong to `backends` and come and go with it.
WITH_BACKENDS = ("sticky", "force", "canary")
WITH_SERVICE = ("grpc",)


def with_defaults(defaults: Raw, route: Raw) -> Raw:
    """A route's key replaces the default's whole; its own destination replaces the default destination."""
    if not defaults:
        return route
    own = {name: value for name, value in route.items() if value is not None}
    inherited = defaults
    if any(name in own for name in DESTINATIONS):
        left_out = {*DESTINATIONS, *WITH_BACKENDS, *WITH_SERVICE}
        inherited = {name: value for name, value in defaults.items() if name not in left_out}
    return {**inherited, **own}
