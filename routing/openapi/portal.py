"""P: One document out of the gateway's own and those of its services, as a caller may use them.

An upstream's operation appears where clients call it: at the public path of each route that leads to it and takes its
method, with the credentials and refusals of that route. Components are prefixed by their service, tags are services.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from routing.foreign import Notes
from routing.openapi.adopting import Adopter, Json, plain
from routing.openapi.leading import cannot_turn, public_path, routes_to, takes
from routing.openapi.reading import METHODS, Source
from routing.snapshot import CompiledRoute, CompiledService, Snapshot

MOST_OPERATIONS: Final = 20_000
MOST_TEXT: Final = 32 * 1024 * 1024
"""Characters, of all operations as their services write them: one is shown once for each route that leads to it."""
_SCHEMES: Final = {"jwt": "bearer", "api_key": "apiKey", "session": "session"}
_KEPT: Final = (
    "summary",
    "description",
    "externalDocs",
    "parameters",
    "requestBody",
    "responses",
    "deprecated",
)
_ENVELOPE: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}
_REFUSALS: Final = {
    "401": "`AUTH_ERROR`: no credential, or none that holds; `details.reason` says which.",
    "403": "`FORBIDDEN`: the caller may not; `details` says what is missing.",
    "429": "`RATE_LIMIT`: a quota is used up; `Retry-After` says how long to wait.",
    "503": "`CIRCUIT_OPEN`, `SERVICE_UNAVAILABLE` or `OVERLOADED`: the service takes no request now.",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of one service's document. `note` says why there is none, or how old it is."""

    service: str
    source: Source | None = None
    note: str = ""


@dataclass(slots=True)
class Merged:
    """What services bring into the document."""

    paths: dict[str, Json] = field(default_factory=dict)
    components: dict[str, Json] = field(default_factory=dict)
    tags: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    operations: int = 0
    text: int = 0
    """Characters."""

    @property
    def is_full(self) -> bool:
        return self.operations >= MOST_OPERATIONS or self.text >= MOST_TEXT

    def into(self, gateway: Mapping[str, Any]) -> Json:
        """The whole document; what the gateway has of the same name stays."""
        components = {kind: dict(each) for kind, each in gateway.get("components", {}).items()}
        for kind, each in self.components.items():
            components[kind] = {**each, **components.get(kind, {})}
        return {
            **gateway,
            "paths": {**gateway["paths"], **self.paths},
            "components": components,
            "tags": [*gateway.get("tags", ()), *self.tags],
            "x-torana-notes": self.notes,
        }


def merged(
    described: Sequence[Described], snapshot: Snapshot, may: Callable[[CompiledRoute], bool]
) -> Merged:
    """The services' part. `may` says which routes the caller may use; of all others nothing is told."""
    allowed = [route for route in snapshot.routes.values() if may(route)]
    result = Merged()
    prefixes: set[str] = set()
    for each in described:
        prefix = _prefix(each.service, prefixes)
        routes = routes_to(each.service, allowed)
        service = snapshot.services.get(each.service)
        if not routes or service is None:
            continue
        notes = Notes()
        if each.note:
            notes.add("", each.note)
        if each.source is not None:
            _Joining(result, each.source, service, prefix, notes).join(routes, snapshot)
        result.notes += [{"service": each.service, "note": line} for line in notes.lines()[:20]]
    return result


def _prefix(service: str, taken: set[str]) -> str:
    """Of a service's components; no two are alike, and none has the dot that ends it."""
    prefix = wanted = plain(service).replace(".", "_")
    number = 2
    while prefix in taken:
        prefix, number = f"{wanted}-{number}", number + 1
    taken.add(prefix)
    return prefix


class _Joining:
    """Brings one service's document in."""

    def __init__(
        self, result: Merged, source: Source, service: CompiledService, prefix: str, notes: Notes
    ) -> None:
        self._result = result
        self._source = source
        self._service = service
        self._prefix = prefix
        self._notes = notes
        self._adopter = Adopter(source, prefix, notes)
        self._base = _base(source, service)

    def join(self, routes: Sequence[CompiledRoute], snapshot: Snapshot) -> None:
        for route in routes:
            if (reason := cannot_turn(route)) is not None:
                self._notes.add(f"route {route.name}", reason)
        for path, item in self._items():
            length = len(json.dumps(item))
            for route in routes:
                public = public_path(route, path)
                if public is not None and not self._result.is_full:
                    self._result.text += length
                    self._bring(public, item, route, snapshot)
            if self._result.is_full:
                self._notes.add("", "there are too many operations: the rest is left out")
                break
        for kind, parts in self._adopter.components.items():
            self._result.components.setdefault(kind, {}).update(parts)
        info = self._source.raw.get("info")
        about = info.get("title") if isinstance(info, Mapping) else None
        self._result.tags.append({"name": self._service.name, "description": str(about or "")[:200]})

    def _items(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The document's paths as the service sees them behind its target's own path."""
        paths = self._source.raw.get("paths")
        for path, written in paths.items() if isinstance(paths, Mapping) else ():
            item = self._source.resolved(written, str(path))
            if item is not None and str(path).startswith("/") and self._base is not None:
                yield self._base + str(path), item

    def _bring(self, public: str, item: Mapping[str, Any], route: CompiledRoute, snapshot: Snapshot) -> None:
        for method in METHODS:
            operation = item.get(method)
            if not isinstance(operation, Mapping) or not takes(snapshot.index, route, method.upper(), public):
                continue
            place = f"{method.upper()} {public}"
            there = self._result.paths.setdefault(public, {})
            if method in there:
                self._notes.add(place, f"another operation is shown here; route {route.name} is not")
                continue
            self._result.operations += 1
            there[method] = self._operation(operation, item, route, public, place)

    def _operation(
        self,
        written: Mapping[str, Any],
        item: Mapping[str, Any],
        route: CompiledRoute,
        public: str,
        place: str,
    ) -> Json:
        kept = {key: written[key] for key in _KEPT if key in written}
        listed = (item.get("parameters"), written.get("parameters"))
        kept["parameters"] = [each for some in listed if isinstance(some, list) for each in some]
        made: Json = self._adopter.adopted(kept, place)
        made["parameters"] = _parameters(made["parameters"], self._resolve, route, public)
        responses = made.get("responses")
        made["responses"] = responses = dict(responses) if isinstance(responses, Mapping) else {}
        for status, about in _refusals(route).items():
            responses.setdefault(status, {"description": about, "content": _ENVELOPE})
        made["tags"] = [self._service.name]
        name = str(written.get("operationId") or place)
        made["operationId"] = f"{self._prefix}.{plain(route.name)}.{plain(name)}"
        made["security"] = _security(route)
        made["x-torana-route"] = route.name
        if route.hosts:
            made["servers"] = [_server(host) for host in route.hosts]
        return made

    def _resolve(self, parameter: Mapping[str, Any]) -> Mapping[str, Any]:
        """A parameter that was adopted, as it is, or where its reference leads."""
        reference = parameter.get("$ref")
        if not isinstance(reference, str):
            return parameter
        name = reference.rpartition("/")[2]
        found = self._adopter.components.get("parameters", {}).get(name, {})
        return found if isinstance(found, Mapping) else {}


def _parameters(
    listed: Sequence[Any],
    resolve: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    route: CompiledRoute,
    public: str,
) -> list[Any]:
    """The operation's own before those of its path; without those that the public path does not have any more."""
    kept: dict[tuple[str, str], Any] = {}
    for each in listed:
        if not isinstance(each, Mapping):
            continue
        found = resolve(each)
        place, name = str(found.get("in")), str(found.get("name"))
        if place != "path" or f"{{{name}}}" in public:
            kept[place, name] = each
    for word, condition in _conditions(route):
        kept.setdefault(
            (word, condition),
            {
                "name": condition,
                "in": word,
                "required": True,
                "description": f"Route {route.name} asks for it.",
                "schema": {"type": "string"},
            },
        )
    for name in _placeholders(public):
        kept.setdefault(
            ("path", name), {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        )
    return list(kept.values())


def _conditions(route: CompiledRoute) -> list[tuple[str, str]]:
    headers = [("header", each.name.decode("latin-1")) for each in route.headers]
    return headers + [("query", each.name.decode("utf-8", "replace")) for each in route.query]


def _placeholders(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:] if "}" in part]


def _base(source: Source, service: CompiledService) -> str | None:
    """What stands before the document's paths, once the target's own path is taken away; None: nothing fits."""
    url = source.server()
    said = "" if url is None else urlsplit(url).path.rstrip("/") if _is_url(url) else ""
    own = service.targets[0].base_path.decode("ascii") if service.targets else ""
    if not said or not own:
        return said
    return said[len(own) :] if said == own or said.startswith(f"{own}/") else None


def _is_url(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def _refusals(route: CompiledRoute) -> dict[str, str]:
    wanted = {"503"}
    if route.auth.level != "public":
        wanted |= {"401", "403"}
    if route.quotas:
        wanted.add("429")
    return {status: about for status, about in _REFUSALS.items() if status in wanted}


def _security(route: CompiledRoute) -> list[Json]:
    """By level, methods and scopes of the route; scopes of any scheme may be named (OpenAPI 3.1)."""
    if route.auth.level == "public":
        return []
    return [{_SCHEMES[method]: sorted(route.auth.scopes)} for method in route.auth.methods]


def _server(host: str) -> Json:
    if not host.startswith("*."):
        return {"url": f"//{host}"}
    return {"url": f"//{{label}}{host[1:]}", "variables": {"label": {"default": "www"}}}
