"""P: Which routes can carry WebSocket connections: those whose services speak HTTP/1.1 (RFC 6455 section 4.1).

HTTP/2 has a handshake of its own (RFC 8441), which the gateway does not speak to services.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from routing.document.effective import with_defaults
from routing.document.findings import Finding

ID: Final = "gateway.E046"
_CARRYING: Final = ("http", "https")
_OF_REQUESTS: Final = ("publish", "grpc")
"""Destinations that a handshake would make something happen at."""

Raw = Mapping[str, Any]


def check_sockets(routes: Sequence[Any], services: Sequence[Any], defaults: Raw) -> Iterator[Finding]:
    """Routes with `websocket` whose service speaks something else. What is malformed otherwise is not looked at."""
    protocols = {
        each["name"]: each.get("protocol", "http")
        for each in services
        if isinstance(each, Mapping) and isinstance(each.get("name"), str)
    }
    for index, raw in enumerate(routes):
        if not isinstance(raw, Mapping):
            continue
        route = with_defaults(defaults, raw)
        if not _takes_sockets(route.get("websocket")):
            continue
        for key in _OF_REQUESTS:
            if route.get(key) is not None:
                message = f"a route with `{key}` carries no WebSocket connections: say `enabled: false`"
                yield Finding(ID, ("routes", index, "websocket"), message)
        for name in _services_of(route):
            protocol = protocols.get(name, "http")
            if protocol not in _CARRYING:
                message = (
                    f'service "{name}" speaks {protocol}; WebSocket connections need http or https. '
                    "Leave `websocket` out, or say `enabled: false`"
                )
                yield Finding(ID, ("routes", index, "websocket"), message)


def _takes_sockets(spec: object) -> bool:
    return isinstance(spec, Mapping) and spec.get("enabled", True) is not False


def _services_of(route: Raw) -> Iterator[str]:
    backends = route.get("backends")
    shares = backends if isinstance(backends, list) else []
    named = [route.get("service"), *(each.get("service") for each in shares if isinstance(each, Mapping))]
    yield from dict.fromkeys(name for name in named if isinstance(name, str))
