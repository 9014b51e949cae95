"""P: Kong's plugins as what a route asks for: those that mean the same, each in a function; the others are named.

Of one plugin the most specific is in force: a route's before its service's before the one for all.
https://developer.konghq.com/plugins/ has what they may say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from routing.foreign import Notes, reading, slug
from routing.kong.callers import authenticate, close, judges
from routing.kong.reading import Entity, Raw, Source
from routing.kong.routes import answer_instead

Route = dict[str, Any]
Quotas = dict[str, dict[str, Any]]
BUILT_IN: Final = {
    "prometheus": "metrics are always there, at /metrics",
    "file-log": "ACCESS_LOG writes lines of JSON",
    "opentelemetry": "OTEL_EXPORTER_OTLP_ENDPOINT exports traces",
    "zipkin": "OTEL_EXPORTER_OTLP_ENDPOINT exports traces",
    "correlation-id": "every request has X-Request-ID",
}
_PERIODS: Final = {"second": "1s", "minute": "1m", "hour": "1h", "day": "day", "month": "month"}
_UNITS: Final = {"megabytes": "MB", "kilobytes": "KB", "bytes": "B"}


def in_force(source: Source, route: Entity) -> dict[str, Entity]:
    """Plugins of a route, by name, without those of single consumers. What is switched off hides nothing."""
    found: dict[str, tuple[int, Entity]] = {}
    for plugin in source.plugins:
        if plugin.consumer or not plugin.is_enabled or (plugin.route and plugin.route != route.key):
            continue
        if plugin.service and plugin.service != route.service:
            continue
        rank = 2 if plugin.route else 1 if plugin.service else 0
        name = str(plugin.get("name", ""))
        if name not in found or rank >= found[name][0]:
            found[name] = (rank, plugin)
    return {name: plugin for name, (_, plugin) in found.items()}


def apply(route: Route, plugins: Mapping[str, Entity], source: Source, quotas: Quotas, notes: Notes) -> None:
    """Adds to the route what its plugins say."""
    is_open = authenticate(route, plugins, source, notes)
    for name, plugin in plugins.items():
        handle = _HANDLERS.get(name)
        if handle is not None:
            with reading(f"{plugin.place}.config"):
                handle(route, plugin, quotas, notes)
        elif name in BUILT_IN:
            notes.add(plugin.place, f"{name}: {BUILT_IN[name]}")
        elif not judges(name):
            notes.add(plugin.place, f"{name}: has no counterpart")
    if not is_open:
        close(route)


def _rate_limit(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    owner = _owner(plugin)
    key = _limited_by(plugin, config, notes)
    for unit, per in _PERIODS.items():
        if limit := config.get(unit):
            name = slug(f"{owner}-{unit}")
            quotas[name] = {
                "name": name,
                "algorithm": "fixed_window",
                "limit": int(limit),
                "per": per,
                "key": key,
                "on_store_failure": "allow" if config.get("fault_tolerant", True) else "deny",
            }
            route.setdefault("quotas", []).append(name)
    if config.get("year"):
        notes.add(f"{plugin.place}.config.year", "the longest period is a month; left out")


def _owner(plugin: Entity) -> str:
    """A service and a route of one name have quotas of their own."""
    return plugin.route or (f"service-{plugin.service}" if plugin.service else "kong")


def _limited_by(plugin: Entity, config: Raw, notes: Notes) -> Any:
    kind = str(config.get("limit_by", "consumer"))
    if kind in ("consumer", "ip", "service"):
        return kind
    if kind == "credential":
        return "api_key"
    if kind == "header" and config.get("header_name"):
        return {"header": str(config["header_name"]).lower()}
    notes.add(f"{plugin.place}.config.limit_by", f"{kind}: consumer is taken instead")
    return "consumer"


def _rate_limit_advanced(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    owner = _owner(plugin)
    kind = "sliding_window" if config.get("window_type", "sliding") == "sliding" else "fixed_window"
    for limit, window in zip(config.get("limit") or [], config.get("window_size") or [], strict=False):
        name = slug(f"{owner}-{window}s")
        key = _limited_by(plugin, {**config, "limit_by": config.get("identifier", "consumer")}, notes)
        quotas[name] = {
            "name": name, "algorithm": kind, "limit": int(limit), "per": f"{int(window)}s", "key": key,
        }  # fmt: skip
        route.setdefault("quotas", []).append(name)


def _cors(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    origins = []
    for origin in config.get("origins") or ["*"]:
        if origin == "*" or ("://" in origin and not set("\\^$()[]|+?*") & set(origin)):
            origins.append(origin)
        else:
            notes.add(
                f"{plugin.place}.config.origins", f"{origin}: expressions are not taken; name the origins"
            )
    cors: dict[str, Any] = {"origins": origins, "credentials": bool(config.get("credentials"))}
    if "*" in origins and cors["credentials"]:
        notes.add(f"{plugin.place}.config", "credentials need named origins; they are off")
        cors["credentials"] = False
    for ours, theirs in (("methods", "methods"), ("headers", "headers"), ("expose", "exposed_headers")):
        if config.get(theirs):
            cors[ours] = [str(each) for each in config[theirs]]
    if config.get("max_age"):
        cors["max_age"] = f"{int(config['max_age'])}s"
    if config.get("preflight_continue"):
        notes.add(f"{plugin.place}.config.preflight_continue", "preflights are answered by the gateway")
    if origins:
        route["cors"] = cors


def _ip(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    allow, deny = (
        config.get("allow") or config.get("whitelist"),
        config.get("deny") or config.get("blacklist"),
    )
    route["ip"] = {key: [str(e) for e in each] for key, each in (("allow", allow), ("deny", deny)) if each}
    if config.get("status") not in (None, 403):
        notes.add(f"{plugin.place}.config.status", "refused addresses get 403")


def _size(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    unit = _UNITS[str(config.get("size_unit", "megabytes"))]
    route["limits"] = {"max_body": f"{int(config.get('allowed_payload_size', 128))}{unit}"}


def _request(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    _fields(route, "request_headers", plugin, notes)
    config = plugin.mapping("config")
    if config.get("http_method"):
        notes.add(f"{plugin.place}.config.http_method", "methods are not changed")
    _name_host(route)
    uri = (config.get("replace") or {}).get("uri")
    if uri and "$(" not in uri:
        route["rewrite"] = {**_host_only(route), "path": str(uri)}
    elif uri:
        notes.add(f"{plugin.place}.config.replace.uri", "templates are not carried over; see rewrite.regex")


def _name_host(route: Route) -> None:
    """A header operation may not say Host here; `rewrite` does, in place of the client's."""
    fields = route.get("request_headers", {})
    for verb in ("add", "set"):
        for name in [each for each in fields.get(verb, {}) if each.lower() == "host"]:
            rewrite = route.setdefault("rewrite", {})
            rewrite.pop("preserve_host", None)
            rewrite["host"] = fields[verb].pop(name)


def _host_only(route: Route) -> dict[str, Any]:
    return {key: value for key, value in route.get("rewrite", {}).items() if key in ("host", "preserve_host")}


def _response(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    _fields(route, "response_headers", plugin, notes)


def _fields(route: Route, key: str, plugin: Entity, notes: Notes) -> None:
    """`replace` acts only where the field is there, `add` only where it is not: ours set in either case."""
    ours: dict[str, Any] = {}
    for verb, what in plugin.mapping("config").items():
        if not isinstance(what, Mapping):
            continue
        for part, listed in what.items():
            if not listed or (verb, part) == ("replace", "uri"):
                continue
            place = f"{plugin.place}.config.{verb}.{part}"
            if part != "headers" or verb not in ("remove", "replace", "add", "append"):
                notes.add(place, "is not carried over; transform changes bodies by JMESPath")
            elif verb == "remove":
                ours.setdefault("remove", []).extend(str(each) for each in listed)
            else:
                pairs = {
                    name.strip(): value.strip() for name, _, value in (str(e).partition(":") for e in listed)
                }
                if any("$(" in value for value in pairs.values()):
                    notes.add(place, "templates are not carried over")
                    pairs = {name: value for name, value in pairs.items() if "$(" not in value}
                ours.setdefault("add" if verb == "append" else "set", {}).update(pairs)
                if verb != "append":
                    there = "there" if verb == "replace" else "missing"
                    notes.add(place, f"fields are set in any case, not only where they are {there}")
    if ours:
        route[key] = ours


def _terminate(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    body, kind = config.get("body"), config.get("content_type")
    if body is None:
        body, kind = f'{{"message":"{config.get("message") or "Service unavailable"}"}}', "application/json"
    if config.get("trigger"):
        notes.add(
            f"{plugin.place}.config.trigger", "the answer is given without it; make a route of the condition"
        )
    headers = {"content-type": str(kind)} if kind else {}
    answer_instead(
        route, {"status": int(config.get("status_code", 503)), "headers": headers, "body": str(body)}
    )


def _cache(route: Route, plugin: Entity, quotas: Quotas, notes: Notes) -> None:
    config = plugin.mapping("config")
    cache: dict[str, Any] = {"ttl": f"{int(config.get('cache_ttl', 300))}s"}
    if not config.get("cache_control"):
        cache["override"] = True
    if config.get("vary_headers"):
        cache["vary"] = [str(each).lower() for each in config["vary_headers"]]
    cache["methods"] = [str(each) for each in config.get("request_method") or ["GET", "HEAD"]]
    route["cache"] = cache
    for key in ("vary_query_params", "response_code", "content_type"):
        if key in config:
            notes.add(f"{plugin.place}.config.{key}", "answers are kept by RFC 9111, by their whole URL")


_HANDLERS: Final[Mapping[str, Callable[[Route, Entity, Quotas, Notes], None]]] = {
    "rate-limiting": _rate_limit,
    "rate-limiting-advanced": _rate_limit_advanced,
    "cors": _cors,
    "ip-restriction": _ip,
    "request-size-limiting": _size,
    "request-transformer": _request,
    "request-transformer-advanced": _request,
    "response-transformer": _response,
    "response-transformer-advanced": _response,
    "request-termination": _terminate,
    "proxy-cache": _cache,
    "proxy-cache-advanced": _cache,
}
