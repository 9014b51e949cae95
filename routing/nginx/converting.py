"""D: From nginx's configuration to a configuration document, with what could not be carried over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from routing.foreign import Converted, Names, Notes, NotReadable, reading, slug
from routing.nginx import locations as placing
from routing.nginx.directives import Directive
from routing.nginx.locations import Location
from routing.nginx.reading import read
from routing.nginx.routes import NO_COUNTERPART, routes_of
from routing.nginx.services import Services
from routing.nginx.variables import Variables

_RATE: Final = re.compile(r"rate=([0-9]+)r/([sm])")
_KEYS: Final = {
    "$binary_remote_addr": "ip",
    "$remote_addr": "ip",
    "$server_name": "global",
    "$host": {"header": "host"},
}
_ELSEWHERE: Final = ("geo", "js_import", "lua_package_path")
Quotas = dict[str, dict[str, Any]]


def convert(file: Path) -> Converted:
    """Raises NotReadable, with file and line."""
    notes = Notes()
    http = read(file, notes)
    servers = list(http.all("server"))
    if not servers:
        raise NotReadable(f"{file.name}: it has no server")
    for name in _ELSEWHERE:
        for each in http.all(name):
            notes.add(each.place, f"{name} {' '.join(each.args)}: is not carried over")
    for block in (http, *servers):
        for name in (*NO_COUNTERPART, "rewrite"):
            for each in block.all(name):
                notes.add(each.place, f"{name}: is not carried over")
    quotas = _quotas(http, notes)
    services, variables = Services(http, notes), Variables(http, notes)
    routes = _routes(http, servers, services, variables, quotas, notes)
    variables.note_left()
    document: dict[str, Any] = {"version": 1, "services": services.made, "routes": routes}
    used = {name for route in routes for name in route.get("quotas", ())}
    if used:
        document["quotas"] = [each for name, each in quotas.items() if name in used]
    return Converted(document, tuple(notes.lines()))


def _routes(
    http: Directive,
    servers: list[Directive],
    services: Services,
    variables: Variables,
    quotas: Quotas,
    notes: Notes,
) -> list[dict[str, Any]]:
    names, made = Names(), []
    listed = [(server, placing.locations_of(server, http, notes)) for server in servers]
    has_expressions = any(each.is_regex for _, found in listed for each in found)
    default = _default(servers)
    for server, found in listed:
        groups = [()] if server is default else placing.names_of(server, notes)
        with reading(server.place):
            if _is_https_redirect(server, servers):
                notes.add(
                    server.place, "the redirect to HTTPS is a setting of the gateway: ENFORCE_HTTPS=redirect"
                )
                continue
            _note_listening(server, notes)
        if not groups:
            notes.add(server.place, "the server has no name and is not the default; it is left out")
        for group in groups:
            tier = placing.tier_of(group) * placing.TIER if has_expressions else 0
            made += _served(group, tier, found, services, variables, quotas, names, notes)
            if group and not any(each.path == "/" and not each.is_regex for each in found):
                made.append(_nothing_else(group, tier, names))
    return made


def _served(
    group: tuple[str, ...],
    tier: int,
    found: list[Location],
    services: Services,
    variables: Variables,
    quotas: Quotas,
    names: Names,
    notes: Notes,
) -> list[dict[str, Any]]:
    made = []
    for location, order in zip(found, placing.priorities_of(found, notes), strict=True):
        with reading(location.place):
            parts = routes_of(location, services, variables, quotas, notes)
        base = slug(f"{group[0].removeprefix('*.') if group else 'any'}-{location.path.strip('^/$')}")
        priority = {"priority": tier + order} if tier + order else {}
        match = {**placing.hosts(group), **placing.match_of(location, notes)}
        for more, route in parts:
            made.append({"name": names.free(base), "match": {**match, **more}, **priority, **route})
        if _adds_slash(location, found):
            exact = {**placing.hosts(group), "path": location.path[:-1], "path_type": "exact"}
            redirect = {"path": location.path, "status": 301}
            made.append(
                {"name": names.free(f"{base}-slash"), "match": exact, **priority, "redirect": redirect,
                 "auth": {"level": "public"}}
            )  # fmt: skip
    return made


def _adds_slash(location: Location, found: list[Location]) -> bool:
    """A prefix that ends with a slash and is proxied: without the slash nginx answers with a redirect to it."""
    if (
        location.is_regex
        or not location.path.endswith("/")
        or location.path == "/"
        or not location.own("proxy_pass")
    ):
        return False
    bare = location.path[:-1]
    return location.modifier != "=" and not any(each.path == bare and not each.is_regex for each in found)


def _nothing_else(group: tuple[str, ...], tier: int, names: Names) -> dict[str, Any]:
    """A request that no location of its server takes is not another server's."""
    return {
        "name": names.free(slug(f"{group[0].removeprefix('*.')}-else")),
        "match": {**placing.hosts(group), "path": "/"},
        **({"priority": tier} if tier else {}),
        "respond": {"status": 404},
        "auth": {"level": "public"},
    }


def _default(servers: list[Directive]) -> Directive:
    """Takes the requests whose host no other names."""
    for server in servers:
        if any({"default_server", "default"} & set(each.args) for each in server.all("listen")):
            return server
    return servers[0]


def _is_https_redirect(server: Directive, servers: list[Directive]) -> bool:
    """It has nothing but a redirect to what another one serves over TLS."""
    returned = next(server.all("return"), None)
    is_plain = not any("ssl" in each.args for each in server.all("listen"))
    if returned is None or not is_plain or next(server.all("location"), None) is not None:
        return False
    return returned.args[-1].startswith("https://$") and any(
        "ssl" in each.args for other in servers for each in other.all("listen")
    )


def _note_listening(server: Directive, notes: Notes) -> None:
    for each in server.all("listen"):
        if "ssl" in each.args:
            notes.add("", "TLS is ended in front of the gateway; ssl_… is not carried over")
        port = each.args[0].rpartition(":")[2]
        if port not in ("80", "443") and port.isdigit():
            notes.add(each.place, f"listen {each.args[0]}: the gateway has one port, GATEWAY_PORT")


def _quotas(http: Directive, notes: Notes) -> Quotas:
    """limit_req is a leaky bucket: a rate, and at once no more than one and its burst."""
    found: Quotas = {}
    for each in http.all("limit_req_zone"):
        with reading(each.place):
            if (quota := _quota(each, notes)) is not None:
                found[quota["name"]] = quota
    return found


def _quota(zone: Directive, notes: Notes) -> dict[str, Any] | None:
    options = dict(arg.partition("=")[::2] for arg in zone.args[1:])
    name, rate = options.get("zone", "").partition(":")[0], _RATE.search(" ".join(zone.args))
    if not name or rate is None:
        notes.add(zone.place, "limit_req_zone: it has no zone or rate")
        return None
    by = zone.args[0]
    key = {"header": by[6:].replace("_", "-")} if by.startswith("$http_") else _KEYS.get(by)
    if key is None:
        notes.add(zone.place, f"limit_req_zone {by}: the client's address is taken instead")
    per = {"s": "1s", "m": "1m"}[rate[2]]
    return {
        "name": name, "algorithm": "token_bucket", "limit": int(rate[1]), "per": per, "burst": 1, "key": key or "ip",
    }  # fmt: skip
