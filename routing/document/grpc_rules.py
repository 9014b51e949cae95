"""P: Routes with `grpc` call services with protocol grpc, and only they do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from routing.document.effective import with_defaults
from routing.document.findings import Finding, Location

ID: Final = "gateway.E047"
Raw = Mapping[str, Any]


def check_grpc(routes: Sequence[Any], services: Sequence[Any], defaults: Raw) -> Iterator[Finding]:
    """What does not go together. What is malformed otherwise is not looked at."""
    protocols = {
        each["name"]: each.get("protocol") or "http"
        for each in services
        if isinstance(each, Mapping) and isinstance(each.get("name"), str)
    }
    for index, each in enumerate(services):
        if isinstance(each, Mapping) and each.get("protocol") == "grpc":
            yield from _service(each, ("services", index))
    for index, raw in enumerate(routes):
        if isinstance(raw, Mapping):
            yield from _route(with_defaults(defaults, raw), protocols, ("routes", index))


def _service(raw: Raw, place: Location) -> Iterator[Finding]:
    tls = raw.get("tls")
    if isinstance(tls, Mapping) and tls.get("verify") is False:
        message = "gRPC always checks certificates; say tls.ca for one of your own"
        yield Finding(ID, (*place, "tls", "verify"), message)
    if raw.get("health") is not None:
        message = (
            "targets that speak gRPC are not asked for a path; leave it out, ejection finds those that fail"
        )
        yield Finding(ID, (*place, "health"), message)


def _route(route: Raw, protocols: Mapping[str, str], place: Location) -> Iterator[Finding]:
    calls = route.get("grpc") is not None
    for location, name in _named(route):
        protocol = protocols.get(name)
        if protocol is None:
            continue
        if location == ("service",) and calls:
            if protocol != "grpc":
                message = f'service "{name}" speaks {protocol}; `grpc` needs one with protocol: grpc'
                yield Finding(ID, (*place, "grpc"), message)
        elif protocol == "grpc":
            message = f'service "{name}" speaks gRPC: only routes that say `service` and `grpc` can call it'
            yield Finding(ID, (*place, *location), message)


def _named(route: Raw) -> Iterator[tuple[Location, str]]:
    yield from _one(route.get("service"), ("service",))
    backends = route.get("backends")
    for index, each in enumerate(backends if isinstance(backends, list) else ()):
        yield from _one(_service_of(each), ("backends", index, "service"))
    yield from _one(_service_of(route.get("mirror")), ("mirror", "service"))
    aggregate = route.get("aggregate")
    parts = aggregate.get("parts") if isinstance(aggregate, Mapping) else None
    for name, each in parts.items() if isinstance(parts, Mapping) else ():
        yield from _one(_service_of(each), ("aggregate", "parts", name, "service"))


def _one(name: object, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(name, str):
        yield location, name


def _service_of(part: object) -> object:
    return part.get("service") if isinstance(part, Mapping) else None
