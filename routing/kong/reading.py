"""P: Kong's declarative configuration, as `deck dump` and DB-less nodes write it: its entities, flat and nested.

https://developer.konghq.com/gateway/entities/ has their fields, https://developer.konghq.com/deck/ the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from routing.foreign import NotReadable

Raw = Mapping[str, Any]
FORMATS: Final = ("1.1", "2.1", "3.0")
KNOWN: Final = frozenset(
    {"services", "routes", "upstreams", "targets", "plugins", "consumers", "_plugin_configs"}
)
SAID_NOTHING_ABOUT: Final = frozenset({"_format_version", "_info", "_transform", "_comment", "_workspace"})


@dataclass(frozen=True, slots=True)
class Entity:
    """A service, a route, … with its place in the file and, where it is said, what it belongs to."""

    place: str
    raw: Raw
    service: str = ""
    route: str = ""
    consumer: str = ""

    @property
    def key(self) -> str:
        """What others call it by: its name, or its id."""
        return str(self.raw.get("name") or self.raw.get("id") or self.place)

    def get(self, name: str, default: Any = None) -> Any:
        found = self.raw.get(name)
        return default if found is None else found

    def texts(self, name: str) -> list[str]:
        """A list of texts; one text is a list of one."""
        found = self.get(name, [])
        return [str(each) for each in found] if isinstance(found, list) else [str(found)]

    def mapping(self, name: str) -> Raw:
        found = self.get(name, {})
        if not isinstance(found, Mapping):
            raise NotReadable(f"{self.place}.{name}: must be a mapping")
        return found

    @property
    def is_enabled(self) -> bool:
        return self.get("enabled", True) is not False


@dataclass(slots=True)
class Source:
    """All entities of a file, by kind."""

    services: list[Entity] = field(default_factory=list)
    routes: list[Entity] = field(default_factory=list)
    upstreams: list[Entity] = field(default_factory=list)
    targets: list[tuple[str, Entity]] = field(default_factory=list)
    """With the upstream's name."""
    plugins: list[Entity] = field(default_factory=list)
    consumers: list[Entity] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Top-level keys that mean something else."""


def read(raw: object) -> Source:
    """Raises NotReadable."""
    if not isinstance(raw, Mapping) or "_format_version" not in raw:
        raise NotReadable("it is no declarative configuration of Kong: there is no _format_version")
    version = str(raw["_format_version"])
    if version not in FORMATS:
        raise NotReadable(f"_format_version: {version[:20]} is none of {', '.join(FORMATS)}")
    source = Source(others=[str(key) for key in raw if key not in KNOWN | SAID_NOTHING_ABOUT])
    for each in _listed(raw, "services", ""):
        source.services.append(each)
        _nested(source, each)
    for each in _listed(raw, "routes", ""):
        _route(source, each, _reference(each.raw.get("service")))
    for each in _listed(raw, "upstreams", ""):
        source.upstreams.append(each)
        source.targets += [(each.key, target) for target in _listed(each.raw, "targets", each.place)]
    for each in _listed(raw, "targets", ""):
        source.targets.append((_reference(each.raw.get("upstream")), each))
    for each in _listed(raw, "plugins", ""):
        source.plugins.append(_plugin(each))
    for each in _listed(raw, "consumers", ""):
        source.consumers.append(each)
        own = each.raw.get("username") or each.key
        for plugin in _listed(each.raw, "plugins", each.place):
            source.plugins.append(_plugin(plugin, consumer=str(own)))
    _fill_in(source, raw)
    _resolve_shared(source, raw)
    _resolve_ids(source)
    return source


def _nested(source: Source, service: Entity) -> None:
    key = service.key
    for route in _listed(service.raw, "routes", service.place):
        _route(source, route, key)
    for plugin in _listed(service.raw, "plugins", service.place):
        source.plugins.append(replace(_plugin(plugin), service=key))


def _route(source: Source, route: Entity, service: str) -> None:
    source.routes.append(Entity(route.place, route.raw, service=service))
    for plugin in _listed(route.raw, "plugins", route.place):
        source.plugins.append(replace(_plugin(plugin), service="", route=route.key))


def _plugin(each: Entity, consumer: str = "") -> Entity:
    return Entity(
        each.place,
        each.raw,
        service=_reference(each.raw.get("service")),
        route=_reference(each.raw.get("route")),
        consumer=consumer
        or _reference(each.raw.get("consumer"))
        or _reference(each.raw.get("consumer_group")),
    )


def _fill_in(source: Source, raw: Raw) -> None:
    """deck's `_info: {defaults: …}` stand for what an entity of a kind does not say itself."""
    info = raw.get("_info")
    defaults = info.get("defaults") if isinstance(info, Mapping) else None
    if not isinstance(defaults, Mapping):
        return
    for kind, listed in (
        ("service", source.services),
        ("route", source.routes),
        ("upstream", source.upstreams),
    ):
        listed[:] = [_filled(each, defaults.get(kind)) for each in listed]
    source.targets[:] = [(name, _filled(each, defaults.get("target"))) for name, each in source.targets]


def _filled(each: Entity, defaults: object) -> Entity:
    return replace(each, raw={**defaults, **each.raw}) if isinstance(defaults, Mapping) else each


def _resolve_shared(source: Source, raw: Raw) -> None:
    """deck writes what several plugins share once, under `_plugin_configs`."""
    shared = raw.get("_plugin_configs")
    if not isinstance(shared, Mapping):
        return
    for number, plugin in enumerate(source.plugins):
        base = shared.get(str(plugin.raw.get("_config")))
        if isinstance(base, Mapping):
            config = {**base, **plugin.mapping("config")}
            source.plugins[number] = replace(plugin, raw={**plugin.raw, "config": config})


def _resolve_ids(source: Source) -> None:
    """Who refers by id to what has a name refers to its name from here on."""
    services, routes, upstreams = map(_keys, (source.services, source.routes, source.upstreams))
    for listed in (source.routes, source.plugins):
        listed[:] = [
            replace(
                each,
                service=services.get(each.service, each.service),
                route=routes.get(each.route, each.route),
            )
            for each in listed
        ]
    source.targets[:] = [(upstreams.get(name, name), target) for name, target in source.targets]


def _keys(entities: Iterable[Entity]) -> dict[str, str]:
    return {str(each.raw["id"]): each.key for each in entities if each.raw.get("id")}


def _listed(raw: Raw, kind: str, place: str) -> Iterator[Entity]:
    found = raw.get(kind) or []
    where = f"{place}.{kind}" if place else kind
    if not isinstance(found, list):
        raise NotReadable(f"{where}: must be a list")
    for number, each in enumerate(found):
        if not isinstance(each, Mapping):
            raise NotReadable(f"{where}[{number}]: must be a mapping")
        yield Entity(f"{where}[{number}]", each)


def _reference(raw: object) -> str:
    """`orders`, `{name: orders}` or `{id: …}`."""
    if isinstance(raw, Mapping):
        raw = raw.get("name") or raw.get("username") or raw.get("id")
    return str(raw) if raw else ""
