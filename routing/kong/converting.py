"""P: From a declarative configuration of Kong to a configuration document, with what could not be carried over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from routing.foreign import Converted, Names, Notes, reading
from routing.kong import plugins, routes, services
from routing.kong.reading import Entity, Source, read
from routing.openapi.schemas import escaped

_SHOWN: Final = 5
_OF_DECK: Final = re.compile(
    r"""\$\$\{\{\s*env\s+["']?([A-Za-z_][A-Za-z0-9_]*)["']?\s*(?:\|\s*to[A-Z][a-z]+\s*)?\}\}"""
)
"""As it stands in a document whose `${` are escaped."""


def convert(raw: object) -> Converted:
    """Raises NotReadable, with the place."""
    source, notes = read(raw), Notes()
    names = _services(source, notes)
    document: dict[str, Any] = {"version": 1, "services": list(names.values())}
    quotas: plugins.Quotas = {}
    document["routes"] = _routes(source, names, quotas, notes)
    if quotas:
        document["quotas"] = list(quotas.values())
    roles = sorted({role for each in document["routes"] for role in each["auth"].get("roles", [])})
    if roles:
        document["roles"] = [{"name": role, "scopes": []} for role in roles]
    _note_rest(source, notes)
    return Converted(_with_variables(escaped(document), notes), tuple(notes.lines()))


def _with_variables(value: Any, notes: Notes) -> Any:
    """What decK fills in from its environment (`${{ env "NAME" }}`) the gateway fills in from its own."""
    if isinstance(value, dict):
        return {key: _with_variables(each, notes) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_variables(each, notes) for each in value]
    if not isinstance(value, str):
        return value
    for name in _OF_DECK.findall(value):
        notes.add(name, "a variable of decK's environment: give it to the gateway's")
    return _OF_DECK.sub(r"${\1}", value)


def _services(source: Source, notes: Notes) -> dict[str, dict[str, Any]]:
    """By what routes call them: name or id."""
    free, made = Names(), {}
    for entity in source.services:
        name = free.free(entity.key, "service")
        with reading(entity.place):
            service = services.service_of(entity, name, source, notes)
        if service is not None:
            made[entity.key] = service
    return made


def _routes(
    source: Source, named: dict[str, dict[str, Any]], quotas: plugins.Quotas, notes: Notes
) -> list[dict[str, Any]]:
    names, done = Names(), []
    least = min((routes.weight_of(route) for route in source.routes), default=0)
    switched_off = {
        named[each.key]["name"] for each in source.services if each.key in named and not each.is_enabled
    }
    for route in source.routes:
        service = named.get(route.service)
        asked = plugins.in_force(source, route)
        name = service["name"] if service else ""
        why_not = _unreachable(route, service, asked)
        with reading(route.place):
            for made in routes.routes_of(route, name, names, notes, least=least):
                plugins.apply(made, asked, source, quotas, notes)
                if why_not:
                    notes.add(route.place, f"{why_not}; it answers 501")
                    routes.answer_instead(made, {"status": 501})
                if name in switched_off:
                    made["enabled"] = False
                done.append(made)
    return done


def _unreachable(route: Entity, service: dict[str, Any] | None, asked: Mapping[str, Entity]) -> str:
    """Why requests cannot be led to the route's service, if they cannot. Left out, others would take its requests."""
    if "request-termination" in asked:
        return ""
    if service is None:
        return f"it has no service {route.service!r}" if route.service else "it has no service"
    if service["protocol"] == "grpc":
        return "gRPC is called by routes with grpc"
    return ""


def _note_rest(source: Source, notes: Notes) -> None:
    for key in source.others:
        notes.add(key, "is not carried over")
    if source.consumers:
        known = [str(each.get("username") or each.key) for each in source.consumers]
        shown = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
        notes.add(
            "consumers", f"{len(known)} ({shown}) are data: gateway consumer create, gateway apikey create"
        )
    for plugin in source.plugins:
        if plugin.consumer:
            notes.add(plugin.place, f"{plugin.get('name')}: what one consumer may is its plan or its roles")
