"""P: What an OpenAPI document says of who may call, as `auth` of a route, where that is clear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from routing.openapi.reading import Operation, Source

_ALL = ("jwt", "api_key", "session")


class _Way(NamedTuple):
    """One way to be known: by which kind of credential, with which scopes."""

    method: str
    scopes: tuple[str, ...]


def auth_of(operation: Operation, source: Source) -> dict[str, Any] | None:
    """`auth`, or None where nothing is said: the route stays closed to anonymous callers."""
    security, place = operation.security, operation.place
    if security is None:
        source.notes.add("security", "nothing is said of it: routes without it take any authenticated caller")
        return None
    if not security or {} in security:
        return {"level": "public"}
    ways = [way for written in security if (way := _way(written, source, place)) is not None]
    auth: dict[str, Any] = {"level": "user"}
    methods = {way.method for way in ways}
    if not methods:
        return auth
    if len(methods) < len(_ALL):
        auth["methods"] = [method for method in _ALL if method in methods]
    if len({way.scopes for way in ways}) > 1:
        source.notes.add(place, "its alternatives ask for different scopes; all of them are asked for here")
    if scopes := {scope for way in ways for scope in way.scopes}:
        auth["scopes"] = sorted(scopes)
    return auth


def _way(written: Any, source: Source, place: str) -> _Way | None:
    if not isinstance(written, Mapping):
        return None
    if len(written) > 1:
        source.notes.add(place, "several credentials at a time are not asked for: one of them is enough")
    name, scopes = next(iter(written.items()))
    components = source.raw.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, Mapping) else None
    scheme = source.resolved(schemes.get(name) if isinstance(schemes, Mapping) else None, place)
    method = None if scheme is None else _method(scheme)
    if method is None:
        source.notes.add(place, f"the security scheme {str(name)[:60]} has no counterpart here")
        return None
    kept = [str(scope) for scope in scopes] if isinstance(scopes, list) else []
    return _Way(method, tuple(sorted(kept)))


def _method(scheme: Mapping[str, Any]) -> str | None:
    kind, place = scheme.get("type"), scheme.get("in")
    if kind in ("oauth2", "openIdConnect") or (
        kind == "http" and str(scheme.get("scheme", "")).lower() == "bearer"
    ):
        return "jwt"
    if kind == "apiKey" and place == "header":
        return "api_key" if str(scheme.get("name", "")).lower() in ("x-api-key", "authorization") else None
    return "session" if kind == "apiKey" and place == "cookie" else None
