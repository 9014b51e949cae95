"""P: Names that one entry uses and another defines."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from routing.document.findings import Finding, Location
from routing.problems import did_you_mean, quote

Raw = Mapping[str, Any]


def check_route_references(
    raw: Raw,
    *,
    services: Collection[str] | None,
    quotas: Collection[str] | None,
    roles: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Services, quotas and roles that a route names and that do not exist. None: not known, so not checked."""
    if services is not None:
        for location, name in services_of(raw):
            yield from _missing("service", name, services, location)
    named = raw.get("quotas")
    if quotas is not None and isinstance(named, list):
        yield from _quotas(named, quotas)
    if roles is not None:
        yield from _roles(raw.get("auth"), roles)


def check_plan_references(raw: Raw, *, quotas: Collection[str]) -> Iterator[Finding]:
    """Quotas that a plan replaces and that do not exist."""
    named = raw.get("quotas")
    if isinstance(named, list):
        yield from _quotas(named, quotas)


def services_of(raw: Raw) -> Iterator[tuple[Location, object]]:
    """Where a route names services, and which; whatever is written there."""
    if (service := raw.get("service")) is not None:
        yield ("service",), service
    if isinstance(backends := raw.get("backends"), list):
        for index, backend in enumerate(backends):
            if isinstance(backend, dict):
                yield ("backends", index, "service"), backend.get("service")
    if isinstance(mirror := raw.get("mirror"), dict):
        yield ("mirror", "service"), mirror.get("service")
    aggregate = raw.get("aggregate")
    parts = aggregate.get("parts") if isinstance(aggregate, dict) else None
    for name, part in parts.items() if isinstance(parts, dict) else ():
        if isinstance(part, dict):
            yield ("aggregate", "parts", name, "service"), part.get("service")


def _quotas(named: list[Any], quotas: Collection[str]) -> Iterator[Finding]:
    for index, use in enumerate(named):
        if isinstance(use, dict):
            yield from _missing("quota", use.get("name"), quotas, ("quotas", index, "name"))
        else:
            yield from _missing("quota", use, quotas, ("quotas", index))


def _roles(auth: object, roles: Collection[str]) -> Iterator[Finding]:
    """Only warnings: any Django group is a role, and the document need not name those that bring no scopes."""
    named = auth.get("roles") if isinstance(auth, dict) else None
    for index, name in enumerate(named if isinstance(named, list) else ()):
        if isinstance(name, str) and name not in roles:
            message = (
                f"no role named {quote(name)}{did_you_mean(name, roles)}; a Django group may still have it"
            )
            yield Finding("gateway.W006", ("auth", "roles", index), message, name)


def _missing(what: str, name: object, known: Collection[str], location: Location) -> Iterator[Finding]:
    if isinstance(name, str) and name not in known:
        message = f"no {what} named {quote(name)}{did_you_mean(name, known)}"
        yield Finding("gateway.E011", location, message, name)
