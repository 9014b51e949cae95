"""P: Kong's routes as routes: one for each of its paths.

Kong asks first how many kinds of conditions a route has, then whether its path is a regular expression and of which
priority, then how long it is (the "traditional_compatible" router). The order of this gateway's own differs, so routes
get a priority where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from routing.foreign import Names, Notes, named_groups, slug
from routing.kong.reading import Entity

_CONDITIONS: Final = ("hosts", "headers", "methods", "paths", "snis")
_OF_KIND, _OF_REGEX, _MOST_REGEX = 1000, 500, 499
_LEFT_OUT: Final = "the route is left out, others may take its requests"
_CARRIED_ELSEWHERE: Final = frozenset(
    {"hosts", "headers", "methods", "paths", "name", "id", "service", "strip_path", "preserve_host", "protocols",
     "https_redirect_status_code", "regex_priority", "plugins", "tags", "created_at", "updated_at", "path_handling",
     "request_buffering", "response_buffering", "ws_id"}
)  # fmt: skip


def weight_of(route: Entity) -> int:
    """How many kinds of conditions it has."""
    return sum(bool(route.get(kind)) for kind in _CONDITIONS)


def routes_of(
    route: Entity, service: str, names: Names, notes: Notes, *, least: int
) -> Iterator[dict[str, Any]]:
    """`least` is the smallest weight of all routes: those have no priority of their own."""
    if route.get("expression"):
        notes.add(
            f"{route.place}.expression",
            f"expressions are not carried over; {_LEFT_OUT}",
        )
        return
    protocols = route.texts("protocols") or ["http", "https"]
    if not {"http", "https", "grpc", "grpcs", "ws", "wss"} & set(protocols):
        notes.add(
            f"{route.place}.protocols", f"{', '.join(protocols)}: only HTTP is proxied; the route is left out"
        )
        return
    _note_rest(route, protocols, notes)
    hosts = _hosts(route, notes)
    if not hosts and (route.get("hosts") or route.get("snis")):
        notes.add(
            f"{route.place}.hosts",
            f"none is left, and without them it would take all; {_LEFT_OUT}",
        )
        return
    base = slug(str(route.get("name") or f"{service}-{route.place}"))
    order = (weight_of(route) - least) * _OF_KIND
    for path in route.texts("paths") or [""]:
        made: dict[str, Any] = {"name": names.free(base), "match": _match(route, path, hosts, notes)}
        priority = order + (_regex_bonus(route) if is_regex(path) else 0)
        if priority:
            made["priority"] = priority
        made["service"] = service
        rewrite = _rewrite(route, path)
        if rewrite:
            made["rewrite"] = rewrite
        if {"ws", "wss", "http", "https"} & set(protocols):
            made["websocket"] = {"enabled": True}
        yield made


def answer_instead(route: dict[str, Any], answer: dict[str, Any]) -> None:
    """The gateway answers by itself what would have gone to the service."""
    for key in ("service", "rewrite", "websocket"):
        route.pop(key, None)
    route["respond"] = answer


def _regex_bonus(route: Entity) -> int:
    return _OF_REGEX + min(max(int(route.get("regex_priority", 0)), 0), _MOST_REGEX)


def is_regex(path: str) -> bool:
    """Since 3.0 they begin with a tilde; before, what is not plain was one."""
    return path.startswith("~") or re.fullmatch(r"[A-Za-z0-9._~/%-]*", path) is None


def _hosts(route: Entity, notes: Notes) -> list[str]:
    """Of a route that goes by the names of TLS handshakes alone, those: clients ask for the host that they greeted."""
    named = route.texts("hosts")
    if not named and (named := route.texts("snis")):
        notes.add(f"{route.place}.snis", "taken as hosts: TLS has ended before the gateway")
    hosts = []
    for host in named:
        if host.endswith(".*") or (host.startswith("*") and not host.startswith("*.")):
            notes.add(
                f"{route.place}.hosts", f"{host}: a wildcard stands for the first labels only; left out"
            )
        else:
            hosts.append((host.rpartition(":")[0] if re.search(r":[0-9]+$", host) else host).lower())
    return hosts


def _match(route: Entity, path: str, hosts: list[str], notes: Notes) -> dict[str, Any]:
    match: dict[str, Any] = {}
    if hosts:
        match["hosts"] = hosts
    if is_regex(path):
        match |= {"path": _beginning(path), "path_type": "regex"}
    elif path:
        match["path"] = path.rstrip("/") or "/"
        if path != "/":
            notes.add("", "Kong's path /a takes /ab as well; here it takes /a and what is below /a/")
    if methods := route.texts("methods"):
        match["methods"] = [method.upper() for method in methods]
    if headers := _headers(route):
        match["headers"] = headers
    return match


def _beginning(path: str) -> str:
    """Kong's expressions must fit the beginning, ours the whole."""
    pattern = named_groups(path.removeprefix("~").removeprefix("^"))
    return pattern[:-1] if pattern.endswith("$") and not pattern.endswith("\\$") else f"(?:{pattern}).*"


def _headers(route: Entity) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, values in route.mapping("headers").items():
        listed = [str(each) for each in values] if isinstance(values, list) else [str(values)]
        if len(listed) == 1 and listed[0].startswith("~*"):
            found[str(name).lower()] = {"regex": listed[0][2:]}
        elif len(listed) == 1:
            found[str(name).lower()] = listed[0]
        else:
            found[str(name).lower()] = {"regex": "|".join(re.escape(each) for each in listed)}
    return found


def _rewrite(route: Entity, path: str) -> dict[str, Any]:
    rewrite: dict[str, Any] = {}
    if route.get("strip_path", True) is not False and path.rstrip("/"):
        if is_regex(path):
            pattern = named_groups(path.removeprefix("~").removeprefix("^").removesuffix("$"))
            rewrite["regex"] = {"pattern": f"^(?:{pattern})/?", "to": "/"}
        else:
            rewrite["strip_prefix"] = True
    if route.get("preserve_host") is True:
        rewrite["preserve_host"] = True
    return rewrite


def _note_rest(route: Entity, protocols: list[str], notes: Notes) -> None:
    if not {"http", "ws", "grpc"} & set(protocols):
        status = route.get("https_redirect_status_code", 426)
        mode = "refuse" if status == 426 else "redirect"
        notes.add(
            f"{route.place}.protocols", f"HTTPS alone is a setting of the gateway: ENFORCE_HTTPS={mode}"
        )
    if route.get("path_handling", "v0") != "v0":
        notes.add(f"{route.place}.path_handling", "v1 joins paths otherwise; look at what the service gets")
    for key in route.raw:
        taken = key == "snis" and not route.get("hosts")
        if key not in _CARRIED_ELSEWHERE and route.raw[key] and not taken:
            notes.add(f"{route.place}.{key}", "has no counterpart")
