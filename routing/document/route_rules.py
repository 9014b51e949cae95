"""P: What the keys of a route must be to each other. Reads raw values; wrong types are reported elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from routing.document.aggregate_rules import check_aggregate
from routing.document.auth_rules import check_auth
from routing.document.cache_rules import check_cache
from routing.document.cors_rules import check_cors
from routing.document.destinations import DESTINATIONS
from routing.document.expressions import check_expression, check_replacement
from routing.document.findings import Finding, Location, repeated
from routing.document.jmespaths import check_jmespath
from routing.document.path_rules import check_path
from routing.document.split_rules import check_backends
from routing.document.template_rules import check_header_variables, check_rewrite_variables
from routing.document.validate_rules import check_validate
from routing.document.wire import is_token
from routing.problems import quote

Raw = Mapping[str, Any]
_NO_BODY: Final = (204, 205, 304)
_UPSTREAM_KEYS: Final = ("rewrite", "request_headers", "timeout")
_PATH_CHANGES: Final = ("strip_prefix", "prefix", "path", "regex")
_EMPTY: Final[Raw] = {}


def check_route_rules(raw: Raw, *, is_defaults: bool = False) -> Iterator[Finding]:
    """Findings about one route with its defaults filled in, or about the defaults themselves."""
    yield from _destination(raw, is_defaults=is_defaults)
    yield from _objectives(raw.get("slo"))
    yield from _log(raw.get("log"))
    for name, check in _CHECKS.items():
        part = raw.get(name)
        if part:
            yield from check(raw, part)


def _objectives(slo: Any) -> Iterator[Finding]:
    if isinstance(slo, dict) and slo.get("availability") is None and slo.get("latency") is None:
        yield Finding("gateway.E036", ("slo",), "needs availability or latency")


def _log(log: Any) -> Iterator[Finding]:
    if isinstance(log, dict) and log.get("access") is False and log.get("sample") is not None:
        yield Finding("gateway.W005", ("log", "sample"), "has no effect with access: false")


def _destination(raw: Raw, *, is_defaults: bool) -> Iterator[Finding]:
    found = [name for name in DESTINATIONS if raw.get(name) not in (None, [])]
    if not found and not is_defaults:
        yield Finding("gateway.E012", (), f"needs one destination: {', '.join(DESTINATIONS)}")
    if len(found) > 1:
        yield Finding("gateway.E012", (), f"has {len(found)} destinations ({', '.join(found)}); keep one")
    if found and all(name in ("redirect", "respond", "publish") for name in found):
        for name in _UPSTREAM_KEYS:
            if raw.get(name):
                yield Finding("gateway.W005", (name,), f"has no effect: {found[0]} asks no service")
    if found and "backends" not in found:
        for name in ("sticky", "force", "canary"):
            if raw.get(name) is not None:
                yield Finding("gateway.E036", (name,), "needs backends")
    if raw.get("grpc") is not None and (found or not is_defaults) and "service" not in found:
        yield Finding("gateway.E036", ("grpc",), "needs service: the name of a service with protocol grpc")


def _match(_raw: Raw, match: Any) -> Iterator[Finding]:
    if not isinstance(match, dict):
        return
    yield from check_path(match)
    for name in ("hosts", "methods"):
        yield from repeated(match.get(name), ("match", name))
    for name in ("headers", "query"):
        conditions = match.get(name)
        if isinstance(conditions, dict):
            yield from _conditions(conditions, ("match", name))
    yield from _same_name(match.get("headers"), ("match", "headers"))


def _conditions(conditions: Raw, location: Location) -> Iterator[Finding]:
    for name, condition in conditions.items():
        if isinstance(condition, dict):
            yield from check_expression(condition.get("regex"), (*location, name, "regex"))
            if condition.get("exact") is not None and condition.get("regex") is not None:
                yield Finding("gateway.E022", (*location, name), "has both exact and regex; keep one")


def _redirect(raw: Raw, redirect: Any) -> Iterator[Finding]:
    if not isinstance(redirect, dict):
        return
    if all(redirect.get(name) is None for name in ("scheme", "host", "port", "path", "query")):
        message = "leads back to the same URL; say at least one of scheme, host, port, path, query"
        yield Finding("gateway.E023", ("redirect",), message)
    path = redirect.get("path")
    if isinstance(path, dict):
        if path.get("exact") is not None and path.get("prefix") is not None:
            yield Finding("gateway.E022", ("redirect", "path"), "has both exact and prefix; keep one")
        if path.get("exact") is None and path.get("prefix") is None:
            yield Finding("gateway.E003", ("redirect", "path"), "is empty; say a path, or {prefix: /new}")
        if path.get("prefix") is not None:
            yield from _needs_prefix(raw, ("redirect", "path", "prefix"))


def _respond(_raw: Raw, respond: Any) -> Iterator[Finding]:
    if not isinstance(respond, dict):
        return
    status = respond.get("status")
    if status in _NO_BODY and respond.get("body"):
        yield Finding("gateway.E024", ("respond", "body"), f"an answer with status {status} has no body")
    yield from _same_name(respond.get("headers"), ("respond", "headers"))


def _rewrite(raw: Raw, rewrite: Any) -> Iterator[Finding]:
    if not isinstance(rewrite, dict):
        return
    changes = [name for name in _PATH_CHANGES if rewrite.get(name) not in (None, False)]
    if len(changes) > 1:
        yield Finding("gateway.E022", ("rewrite",), f"{', '.join(changes)} exclude each other; keep one")
    for name in changes:
        if name in ("strip_prefix", "prefix"):
            yield from _needs_prefix(raw, ("rewrite", name))
    if rewrite.get("host") is not None and rewrite.get("preserve_host") is True:
        yield Finding("gateway.E022", ("rewrite",), "host and preserve_host exclude each other; keep one")
    yield from check_rewrite_variables(raw, rewrite)
    regex = rewrite.get("regex")
    if isinstance(regex, dict):
        yield from check_expression(regex.get("pattern"), ("rewrite", "regex", "pattern"))
        yield from check_replacement(regex.get("pattern"), regex.get("to"), ("rewrite", "regex", "to"))


def _needs_prefix(raw: Raw, location: Location) -> Iterator[Finding]:
    match = raw.get("match")
    match = match if isinstance(match, dict) else _EMPTY
    if match.get("path") is None:
        yield Finding("gateway.E036", location, "needs match.path: without it there is no prefix to replace")
    elif match.get("path_type") in ("regex", "template"):
        message = f"needs match.path_type prefix or exact, not {match['path_type']}; rewrite by regex instead"
        yield Finding("gateway.E036", location, message)


def _header_ops(name: str) -> Callable[[Raw, Any], Iterator[Finding]]:
    def check(raw: Raw, part: Any) -> Iterator[Finding]:
        if not isinstance(part, dict):
            return
        for operation in ("set", "add"):
            yield from _same_name(part.get(operation), (name, operation))
            yield from check_header_variables(raw, part.get(operation), (name, operation))
        if name == "request_headers":
            yield from _host_header(part)

    return check


def _host_header(part: Raw) -> Iterator[Finding]:
    for operation in ("set", "add", "remove"):
        names = part.get(operation)
        for index, header in enumerate(names if isinstance(names, dict | list) else ()):
            if isinstance(header, str) and header.lower() == "host":
                step = index if isinstance(names, list) else header
                message = "the Host header is not changed here; say rewrite.host or rewrite.preserve_host"
                yield Finding("gateway.E018", ("request_headers", operation, step), message)


def _transform(_raw: Raw, part: Any) -> Iterator[Finding]:
    if isinstance(part, dict):
        for name in ("request", "response"):
            yield from check_jmespath(part.get(name), ("transform", name))


def _compression(raw: Raw, _part: Any) -> Iterator[Finding]:
    if not raw.get("compress"):
        yield Finding("gateway.W005", ("compression",), "has no effect without compress: true")


def _require_headers(_raw: Raw, part: Any) -> Iterator[Finding]:
    if isinstance(part, dict):
        for name, rule in part.items():
            if isinstance(rule, dict):
                yield from check_expression(rule.get("regex"), ("require_headers", name, "regex"))
                if not is_token(name):
                    yield Finding(
                        "gateway.E018", ("require_headers", name), f"{quote(name)} is not a header name"
                    )
        yield from _same_name(part, ("require_headers",))


def _same_name(headers: object, location: Location) -> Iterator[Finding]:
    """Header names are the same in any case (RFC 9110 section 5.1)."""
    if not isinstance(headers, dict) or len(headers) < 2:
        return
    seen: dict[str, str] = {}
    for name in headers:
        other = seen.setdefault(str(name).lower(), name)
        if other != name:
            yield Finding("gateway.E032", (*location, name), f"is the same header as {quote(other)}")


_CHECKS: Final[Mapping[str, Callable[[Raw, Any], Iterator[Finding]]]] = {
    "match": _match,
    "auth": check_auth,
    "cors": check_cors,
    "cache": check_cache,
    "aggregate": check_aggregate,
    "backends": check_backends,
    "redirect": _redirect,
    "respond": _respond,
    "rewrite": _rewrite,
    "request_headers": _header_ops("request_headers"),
    "response_headers": _header_ops("response_headers"),
    "require_headers": _require_headers,
    "transform": _transform,
    "compression": _compression,
    "validate": check_validate,
}
