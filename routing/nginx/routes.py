"""P: What a location does with a request, as a route."""

from __future__ import annotations

import re
from typing import Any, Final

from routing.foreign import CLOSED, CLOSED_MEANS, Notes, named_groups
from routing.nginx.conditions import Refusals, refusals_of
from routing.nginx.locations import Location
from routing.nginx.services import Services, duration
from routing.nginx.variables import Variables, Way
from routing.openapi.schemas import escaped

_SIZE: Final = re.compile(r"^([0-9]+)([kKmMgG]?)$")
_UNITS: Final = {"": "B", "k": "KB", "m": "MB", "g": "GB"}
_LOCATION: Final = re.compile(
    r"^(?:(https?)|\$scheme)://([^/$]+|\$(?:host|http_host|server_name))(/[^$]*)?(\$request_uri|\$uri)?$"
)
_FIELD_VARIABLES: Final = {
    "$remote_addr": "${request.client_ip}", "$request_id": "${request.id}", "$host": "${request.host}",
    "$http_host": "${request.host}", "$scheme": "${request.scheme}", "$request_method": "${request.method}",
}  # fmt: skip
_BUILT_IN_FIELDS: Final = frozenset(
    {
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-request-id",
        "connection",
        "upgrade",
        "host",
    }
)
_SERVES_ITSELF: Final = (
    "root",
    "alias",
    "try_files",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "memcached_pass",
)
NO_COUNTERPART: Final = (
    "set", "error_page", "sub_filter", "limit_rate", "expires", "mirror",
    "proxy_cookie_domain", "proxy_cookie_path", "proxy_redirect", "proxy_method", "proxy_set_body", "dav_methods",
    "valid_referers", "secure_link", "add_trailer", "auth_delay", "js_content", "content_by_lua_block",
)  # fmt: skip


Quotas = dict[str, dict[str, Any]]
Part = tuple[dict[str, Any], dict[str, Any]]
"""What a route asks for beside the location's path; and the route, without name, match and priority."""


def routes_of(
    location: Location, services: Services, variables: Variables, quotas: Quotas, notes: Notes
) -> list[Part]:
    """The location's own route or routes, and one for each condition on which it refuses requests.

    Where nothing can be carried over there is one that answers 501: else a shorter location would take the requests.
    """
    refusals = refusals_of(location, notes)
    passed = location.own("proxy_pass")
    returns = location.own("return") is not None
    ways = (Way(()),) if passed is None or returns else variables.ways(passed.args[0])
    found: list[Part] = []
    for way in ways:
        route = _route_of(location, way, services, quotas, notes)
        if route is None:
            return [({}, {"respond": {"status": 501}, "auth": {"level": "public"}})]
        if refusals.closing:
            _close(route, location, refusals.closing, notes)
        match = {**refusals.held, **way.match}
        if "headers" in refusals.held and "headers" in way.match:
            match["headers"] = {**way.match["headers"], **refusals.held["headers"]}
        found.append((match, route))
    return [*found, *_refused(location, refusals, ways, notes)]


def _refused(location: Location, refusals: Refusals, ways: tuple[Way, ...], notes: Notes) -> list[Part]:
    """Beside each way that a map makes, as what has its header would come first."""
    found: list[Part] = []
    for match, returned, fields in refusals.made:
        answer = _returned(returned, location, notes)
        if answer is None:
            answer = {"respond": {"status": 403}}
        if fields and "respond" in answer:
            answer["respond"].setdefault("headers", {}).update(
                {each.args[0]: each.args[1] for each in fields}
            )
        for way in ways:
            both = {**way.match, **match}
            if "headers" in match and "headers" in way.match:
                both["headers"] = {**way.match["headers"], **match["headers"]}
            found.append((both, {**answer, "auth": {"level": "public"}}))
    return found


def _close(route: dict[str, Any], location: Location, why: tuple[str, ...], notes: Notes) -> None:
    """Never more open than before: who cannot be judged here is refused, until somebody says who may come in."""
    route["ip"] = {"deny": list(CLOSED)}
    route["auth"] = {"level": "user"}
    for each in why:
        notes.add(location.place, f"{each}: has no counterpart; {CLOSED_MEANS}")


def _route_of(
    location: Location, way: Way, services: Services, quotas: Quotas, notes: Notes
) -> dict[str, Any] | None:
    """Without name, match and priority; None, with a note, where there is nothing that can be carried over."""
    route = _destination(location, way, services, notes)
    if route is None:
        return None
    _who(route, location, notes)
    _limits(route, location, quotas, notes)
    if "service" in route or "backends" in route:
        _request_fields(route, location, notes)
        _answers(route, location)
    _answer_fields(route, location, notes)
    for name in NO_COUNTERPART:
        for each in location.directive.all(name):
            notes.add(each.place, f"{name}: is not carried over")
    return route


def _destination(location: Location, way: Way, services: Services, notes: Notes) -> dict[str, Any] | None:
    if location.own("internal") is not None:
        return {"respond": {"status": 404}}  # what nginx says to everybody outside
    if (returned := location.own("return")) is not None:
        return _returned(returned.args, location, notes)
    passed = location.own("proxy_pass")
    if passed is None and (other := location.own("grpc_pass")) is not None:
        notes.add(other.place, "grpc_pass: gRPC is called by routes with grpc; the location answers 501")
        return None
    if passed is None:
        what = next((name for name in _SERVES_ITSELF if location.find(name)), "")
        why = (
            f"{what}: only requests that are proxied are carried over"
            if what
            else "it sends nothing anywhere"
        )
        notes.add(location.place, f"location {location.path}: {why}; it answers 501")
        return None
    named_all = [(services.named(location, target), weight) for target, weight in way.targets]
    found = [(*each, weight) for each, weight in named_all if each is not None]
    if len(found) < len(named_all):
        return None
    service, uri, _ = found[0]
    route: dict[str, Any] = {"service": service}
    if len(found) > 1:
        backends = [{"service": each, "weight": weight} for each, _, weight in found]
        route = {"backends": backends}
    rewrite = _rewritten(location, notes) or _replaced(location, uri)
    if (named := services.block_of(way.targets[0][0])) is not None:
        rewrite["host"] = named  # what nginx says unless it is told otherwise: $proxy_host
    if rewrite:
        route["rewrite"] = rewrite
    return route


def _returned(args: tuple[str, ...], location: Location, notes: Notes) -> dict[str, Any] | None:
    status, text = (args[0], args[1] if len(args) > 1 else "") if args[0].isdigit() else ("302", args[0])
    if int(status) in (301, 302, 303, 307, 308):
        found = _LOCATION.match(text)
        if found is None and text.startswith("/") and "$" not in text:
            path, _, query = text.partition("?")
            return {"redirect": {"path": path, "query": query, "status": int(status)}}
        if found is None:
            notes.add(location.place, f"return {' '.join(args)}: the address has variables; it answers 501")
            return None
        scheme, host, path, rest = found.groups()
        redirect: dict[str, Any] = {"status": int(status)}
        if scheme:
            redirect["scheme"] = scheme
        if not host.startswith("$"):
            name, _, port = host.partition(":")
            redirect |= {"host": name, **({"port": int(port)} if port else {})}
        if path and not (rest and path == "/"):
            redirect["path"] = path if not rest else {"prefix": path}
        return {"redirect": redirect}
    if int(status) == 444:
        notes.add(location.place, "return 444: the connection is not cut without an answer; 404 is sent")
        status = "404"
    if "$" in text:
        notes.add(location.place, "return: variables in the text are not filled in")
    text = re.sub(r"\\([nrt])", lambda found: {"n": "\n", "r": "\r", "t": "\t"}[found[1]], text)
    kind = (location.one("default_type") or ("text/plain",))[0]
    return {
        "respond": {
            "status": int(status),
            "headers": {"content-type": kind} if text else {},
            "body": escaped(text),
        }
    }


def _replaced(location: Location, uri: str | None) -> dict[str, Any]:
    """proxy_pass with a URI puts it in the place of what the location matched, as it is written."""
    if uri is None or uri == location.path or location.is_regex:
        return {}
    if location.modifier == "=":
        return {"path": uri}
    if location.path.endswith("/") == uri.endswith("/"):
        return {"strip_prefix": True} if uri == "/" else {"prefix": uri.rstrip("/")}
    return {"regex": {"pattern": f"^{re.escape(location.path)}", "to": uri.replace("\\", "\\\\")}}


def _rewritten(location: Location, notes: Notes) -> dict[str, Any]:
    """The last `rewrite … break`: the whole path is replaced where the expression fits anywhere in it."""
    found: dict[str, Any] = {}
    for each in location.directive.all("rewrite"):
        pattern, to, flag = (*each.args, "", "", "")[:3]
        if flag != "break" or "?" in to or re.search(r"\$[a-z_{]", to):
            notes.add(
                each.place,
                f"rewrite … {flag or to}: only break, without variables or a query, is carried over",
            )
            continue
        head = "" if pattern.startswith("^") else "^.*?"
        tail = "" if pattern.endswith("$") else ".*$"
        found = {
            "regex": {
                "pattern": f"{head}{named_groups(pattern)}{tail}",
                "to": re.sub(r"\$([0-9])", r"\\\1", to),
            }
        }
    return found


def _who(route: dict[str, Any], location: Location, notes: Notes) -> None:
    """The first rule that fits decides, and `all` fits all."""
    route["auth"] = {"level": "public"}
    rules = []
    for each in _access(location):
        rules.append((each.name, each.args[0]))
        if each.args[0] == "all":
            break
    allow = [address for name, address in rules if name == "allow" and address != "all"]
    deny = [address for name, address in rules if name == "deny" and address != "all"]
    if not rules:
        return
    if rules[-1] == ("deny", "all"):
        route["ip"] = {"allow": allow or ["0.0.0.0/32"], **({"deny": deny} if deny else {})}
    elif deny:
        route["ip"] = {"deny": deny}
    names = [name for name, address in rules if address != "all"]
    if names != sorted(names, reverse=True):
        notes.add(location.place, "allow, deny: what is denied is denied, whatever stands above it")


def _access(location: Location) -> list[Any]:
    for block in (location.directive, *location.around):
        found = [each for each in block.block if each.name in ("allow", "deny")]
        if found:
            return found
    return []


def _limits(
    route: dict[str, Any], location: Location, quotas: dict[str, dict[str, Any]], notes: Notes
) -> None:
    for each in location.find("limit_req"):
        options = dict(arg.partition("=")[::2] for arg in each.args)
        zone = options.get("zone", "")
        if zone not in quotas:
            notes.add(each.place, f"limit_req zone={zone}: there is no such limit_req_zone")
            continue
        burst = int(options.get("burst", "0"))
        name = zone if not burst else f"{zone}-burst-{burst}"
        quotas.setdefault(name, {**quotas[zone], "name": name, "burst": burst + 1})
        route.setdefault("quotas", []).append(name)
        if burst and "nodelay" not in options:
            notes.add(each.place, "limit_req without nodelay: requests within the burst are not slowed down")
        notes.add("", "requests over a limit get 429 (limit_req_status is 503 unless said)")
    _crowds(route, location, notes)
    size = (location.one("client_max_body_size") or ("1m",))[0]
    found = _SIZE.match(size)
    if found is None:
        raise ValueError(f"client_max_body_size {size[:20]} is no size")
    if int(found[1]):
        route.setdefault("limits", {})["max_body"] = f"{found[1]}{_UNITS[found[2].lower()]}"


def _crowds(route: dict[str, Any], location: Location, notes: Notes) -> None:
    """limit_conn counts requests under way, by the key of its zone."""
    for each in location.find("limit_conn"):
        zone, most = (*each.args, "", "")[:2]
        if location.zone_key(zone) not in ("$server_name", "$host"):
            notes.add(
                each.place, f"limit_conn {zone}: only by $server_name; requests of one client are not counted"
            )
            continue
        limits = route.setdefault("limits", {})
        limits["max_concurrency"] = min(int(most), limits.get("max_concurrency", int(most)))
        notes.add(
            each.place, "limit_conn: each route and worker counts for itself; over it is 503 OVERLOADED"
        )


def _request_fields(route: dict[str, Any], location: Location, notes: Notes) -> None:
    ours: dict[str, Any] = {}
    for each in location.find("proxy_set_header"):
        name, value = each.args[0].lower(), each.args[1] if len(each.args) > 1 else ""
        if name == "host" and value in ("$host", "$http_host"):
            route.setdefault("rewrite", {}).pop("host", None)
            route["rewrite"]["preserve_host"] = True
        elif name == "host" and "$" not in value:
            route.setdefault("rewrite", {})["host"] = value
        elif name == "upgrade":
            route["websocket"] = {"enabled": True}
        elif name in _BUILT_IN_FIELDS:
            continue
        elif not value:
            ours.setdefault("remove", []).append(each.args[0])
        elif value in _FIELD_VARIABLES or "$" not in value:
            ours.setdefault("set", {})[each.args[0]] = _FIELD_VARIABLES.get(value, value)
        else:
            notes.add(each.place, f"proxy_set_header {each.args[0]} {value}: is not carried over")
    if ours:
        route["request_headers"] = ours


def _answer_fields(route: dict[str, Any], location: Location, notes: Notes) -> None:
    ours: dict[str, Any] = {}
    for each in location.find("add_header"):
        if "$" in each.args[1]:
            notes.add(each.place, f"add_header {each.args[0]} {each.args[1]}: is not carried over")
            continue
        ours.setdefault("add", {})[each.args[0]] = each.args[1]
        if "always" not in each.args[2:]:
            notes.add("", "add_header without always: fields are added to every answer, errors as well")
    if hidden := [each.args[0] for each in location.find("proxy_hide_header")]:
        ours["remove"] = hidden
    if ours:
        route["response_headers"] = ours


def _answers(route: dict[str, Any], location: Location) -> None:
    if location.one("gzip") == ("on",):
        route["compress"] = True
    cache = location.one("proxy_cache")
    if cache is not None and cache != ("off",):
        valid = location.one("proxy_cache_valid") or ()
        route["cache"] = {"ttl": duration(valid[-1])} if valid else {}
        if methods := location.one("proxy_cache_methods"):
            route["cache"]["methods"] = list(methods)
