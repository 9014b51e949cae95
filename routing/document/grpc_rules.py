"""P: Routes with `grpc` call services with protocol grpc, and only they do; what gRPC has no use for is refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from routing.document.effective import with_defaults
from routing.document.findings import Finding, Location
from routing.document.service_rules import target_urls

ID: Final = "gateway.E047"
NOT_INSTALLED: Final = "gateway.E048"
USELESS: Final = "gateway.W005"
_HTTP_CHECKS: Final = ("path", "expect", "body")
Raw = Mapping[str, Any]
Sets = Mapping[str, Mapping[str, Mapping[str, bool]]]
"""Of each service that has a descriptor set: its gRPC services, their methods, and whether each takes a stream."""


def check_grpc(routes: Sequence[Any], services: Sequence[Any], defaults: Raw) -> Iterator[Finding]:
    """What does not go together. What is malformed otherwise is not looked at."""
    named = [each for each in services if isinstance(each, Mapping) and isinstance(each.get("name"), str)]
    protocols = {each["name"]: each.get("protocol") or "http" for each in named}
    sets: dict[str, Mapping[str, Mapping[str, bool]]] = {}
    for index, each in enumerate(services):
        if isinstance(each, Mapping):
            yield from _service(each, ("services", index), sets)
    for index, raw in enumerate(routes):
        if isinstance(raw, Mapping):
            merged = with_defaults(defaults, raw)
            yield from _route(merged, protocols, ("routes", index))
            yield from _method(merged, sets, ("routes", index, "grpc"))
            yield from _rewriting(merged, raw, ("routes", index, "rewrite"))


def check_grpc_service(raw: object) -> Iterator[Finding]:
    """The same of one service; places are relative to it."""
    if isinstance(raw, Mapping):
        yield from _service(raw, (), {})


def _service(
    raw: Raw, place: Location, sets: dict[str, Mapping[str, Mapping[str, bool]]]
) -> Iterator[Finding]:
    health, text = raw.get("health"), raw.get("descriptors")
    name_asked = health.get("service") if isinstance(health, Mapping) else None
    if raw.get("protocol") != "grpc":
        if text is not None:
            yield Finding(ID, (*place, "descriptors"), "needs protocol: grpc")
        if name_asked:
            yield Finding(ID, (*place, "health", "service"), "needs protocol: grpc; say `path`")
        return
    tls = raw.get("tls")
    if isinstance(tls, Mapping) and tls.get("verify") is False:
        message = "gRPC always checks certificates; say tls.ca for one of your own"
        yield Finding(ID, (*place, "tls", "verify"), message)
    for key in _HTTP_CHECKS:
        if isinstance(health, Mapping) and health.get(key) is not None:
            message = "targets that speak gRPC are asked by grpc.health.v1; say `service`, or nothing"
            yield Finding(ID, (*place, "health", key), message)
    for index, url in target_urls(dict(raw)):
        if not url.startswith("unix:") and _path_of(url).strip("/"):
            message = "has a path, which gRPC does not know: a call's path is its method"
            yield Finding(ID, (*place, "targets", index, "url"), message, url)
    if isinstance(text, str) and not getattr(text, "unset", False):
        yield from _set(text, str(raw.get("name")), (*place, "descriptors"), sets)


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""  # which is reported elsewhere


def _set(
    text: str, name: str, place: Location, sets: dict[str, Mapping[str, Mapping[str, bool]]]
) -> Iterator[Finding]:
    try:
        from routing.descriptors import BadDescriptors, methods_of
    except ImportError:
        yield Finding(NOT_INSTALLED, place, 'needs the extra "grpc", which is not installed')
        return
    try:
        sets[name] = methods_of(str(text))
    except BadDescriptors as problem:
        yield Finding(ID, place, f"{problem}")


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


def _method(route: Raw, sets: Sets, place: Location) -> Iterator[Finding]:
    """What the service's descriptor set says of the method that a route calls."""
    call, name = route.get("grpc"), route.get("service")
    known = sets.get(name) if isinstance(name, str) else None
    if known is None or not isinstance(call, Mapping):
        return
    service, method = call.get("service"), call.get("method")
    if not isinstance(service, str) or not isinstance(method, str):
        return
    if service not in known:
        message = f'"{service}" is not in the descriptors of service "{name}"; there are {_some(known)}'
        yield Finding(ID, (*place, "service"), message)
    elif method not in known[service]:
        message = f'"{service}" has no method "{method}"; there are {_some(known[service])}'
        yield Finding(ID, (*place, "method"), message)
    elif known[service][method]:
        message = f'"{method}" takes a stream of messages, which cannot be called by HTTP'
        yield Finding(ID, (*place, "method"), message)


def _some(names: Mapping[str, Any]) -> str:
    found = sorted(names)
    return ", ".join(found[:5]) + (", …" if len(found) > 5 else "") if found else "none"


def _rewriting(route: Raw, own: Raw, place: Location) -> Iterator[Finding]:
    """A call's path is its method: whoever rewrites it is mistaken, unless it stands in the defaults for others."""
    if route.get("grpc") is None or route.get("rewrite") is None:
        return
    if own.get("rewrite") is not None:
        yield Finding(ID, place, "does nothing beside `grpc`: a call's path is its method")
    else:
        yield Finding(USELESS, place, "of the defaults has no effect here: a call's path is its method")


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
