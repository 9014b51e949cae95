"""P: From an OpenAPI document to a configuration document: one service, and a route for each operation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.path_rules import form_problem
from routing.document.scalars import NAME_PATTERN
from routing.document.wire import target_problem
from routing.foreign import Converted, Names, Notes, slug
from routing.openapi.reading import NotOpenApi, Operation, Source
from routing.openapi.requests import required_headers_of, validate_of
from routing.openapi.schemas import escaped
from routing.openapi.security import auth_of

_PLACEHOLDER: Final = re.compile(r"\{([^{}/]+)\}")
_WHOLE_SEGMENT: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_NAME: Final = re.compile(NAME_PATTERN)


def convert(raw: object, *, service: str, url: str | None = None, prefix: str = "") -> Converted:
    """Make a document of routes to `service`, below `prefix`. Raises NotOpenApi."""
    if not _NAME.fullmatch(service):
        raise NotOpenApi(f'"{service[:80]}" is not a name for a service')
    prefix = "/" + prefix.strip("/") if prefix.strip("/") else ""
    notes = Notes()
    source = Source(raw, notes)
    targets = _targets(url, source)
    names = Names()
    routes = [_route(operation, source, service, prefix, names) for operation in _operations(source)]
    if not routes:
        left_out = (
            f" that requests can have a path for: {'; '.join(notes.lines()[-1:])}" if _has_any(source) else ""
        )
        raise NotOpenApi(f"it has no operations{left_out}")
    for name in ("webhooks",):
        if source.raw.get(name):
            notes.add(name, "not carried over")
    return Converted(
        {"version": 1, "services": [{"name": service, "targets": targets}], "routes": routes},
        tuple(notes.lines()),
    )


def _targets(url: str | None, source: Source) -> list[dict[str, str]]:
    """Of the URL that was said, which must be one, or of the document's first server."""
    written = (url or source.server() or "").rstrip("/")
    problem = target_problem(written) if written else "there is none"
    if problem is None:
        return [{"url": written}]
    if url:
        raise NotOpenApi(f"the target that was said: {problem}")
    source.notes.add("servers", f"{problem}: the service has no target; say --url")
    return []


def _operations(source: Source) -> Iterator[Operation]:
    """Those that requests can be for: some documents tell operations apart by what they write behind `#` or `?`."""
    for operation in source.operations():
        if (problem := form_problem(operation.path)) is None:
            yield operation
        else:
            source.notes.add(operation.place, f"{problem}; the operation is left out")


def _has_any(source: Source) -> bool:
    return next(source.operations(), None) is not None


def _route(operation: Operation, source: Source, service: str, prefix: str, names: Names) -> dict[str, Any]:
    route: dict[str, Any] = {
        "name": names.free(f"{service}-{slug(_called(operation), 'root')}"),
        "match": {**_path(prefix + operation.path), "methods": [operation.method.upper()]},
        "service": service,
    }
    if (auth := auth_of(operation, source)) is not None:
        route["auth"] = auth
    if required := required_headers_of(operation, source):
        route["require_headers"] = escaped(required)
    if validate := validate_of(operation, source):
        route["validate"] = escaped(validate)
    if prefix:
        route["rewrite"] = {"regex": {"pattern": f"^{_literal(prefix)}/", "to": "/"}}
    return route


def _called(operation: Operation) -> str:
    """Its id, else its method and path."""
    return operation.id or f"{operation.method}{operation.path}"


def _path(path: str) -> dict[str, str]:
    names = _PLACEHOLDER.findall(path)
    if not names:
        return {"path": path, "path_type": "exact"}
    segments = [segment for segment in path.split("/") if "{" in segment]
    if len(set(names)) == len(names) and all(_WHOLE_SEGMENT.fullmatch(segment) for segment in segments):
        return {"path": path, "path_type": "template"}
    pattern = "[^/]+".join(_literal(part) for part in _PLACEHOLDER.split(path)[::2])
    return {"path": pattern, "path_type": "regex"}


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def routes_of(document: Mapping[str, Any], service: str) -> list[Mapping[str, Any]]:
    """The routes of a document that an import for this service has made, as their names say."""
    routes = document.get("routes")
    return [
        route
        for route in (routes if isinstance(routes, list) else ())
        if isinstance(route, Mapping)
        and route.get("service") == service
        and str(route.get("name")).startswith(f"{service}-")
    ]
