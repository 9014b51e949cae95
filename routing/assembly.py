"""P: From a checked specification to its compiled form: one service, one route at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from routing.conditions import HeaderCondition, QueryCondition
from routing.document.access import HeaderOpsSpec, RewriteSpec
from routing.document.destinations import RedirectSpec, RespondSpec
from routing.document.matches import MatchSpec, ValueMatchSpec
from routing.document.routes import RouteSpec
from routing.document.services import ServiceSpec
from routing.paths import BadPath
from routing.patterns import ANY_PATH, PathPattern, parse_pattern
from routing.problems import ConfigurationInvalid, Problem
from routing.ranking import Conditions, best_rank
from routing.rewrite import CompiledRewrite, written_path
from routing.snapshot import (
    CompiledRoute,
    CompiledService,
    Destination,
    Forward,
    HeaderList,
    HeaderOps,
    Redirect,
    Respond,
)
from routing.targets import compile_target

_PLAIN_TEXT = (b"content-type", b"text/plain; charset=utf-8")


def assemble_service(
    spec: ServiceSpec,
    *,
    source: Mapping[str, Any],
    overridden_by: str | None,
    total_timeout_s: float,
) -> CompiledService:
    """`total_timeout_s` stands in where the service gives none."""
    return CompiledService(
        name=spec.name,
        protocol=spec.protocol,
        targets=tuple(compile_target(target.url) for target in spec.targets),
        connect_timeout_s=spec.timeout.connect,
        read_timeout_s=spec.timeout.read,
        total_timeout_s=spec.timeout.total if spec.timeout.total is not None else total_timeout_s,
        tls=spec.tls,
        max_connections=spec.max_connections,
        load_balancing=spec.load_balancing or "round_robin",
        source=source,
        overridden_by=overridden_by,
    )


def assemble_route(
    spec: RouteSpec, *, source: Mapping[str, Any], from_defaults: frozenset[str]
) -> CompiledRoute:
    """`source` is the route as written; the spec has the defaults of the document filled in."""
    match = spec.match
    pattern = _pattern(spec.name, match)
    hosts = tuple(dict.fromkeys(match.hosts))
    methods = tuple(sorted(set(match.methods)))
    conditions = Conditions(len(methods), len(match.headers), len(match.query))
    return CompiledRoute(
        name=spec.name,
        rank=best_rank(spec.name, hosts, pattern, priority=spec.priority, conditions=conditions),
        priority=spec.priority,
        hosts=hosts,
        pattern=pattern,
        methods=methods,
        headers=tuple(_header(name, wanted) for name, wanted in sorted(match.headers.items())),
        query=tuple(_parameter(name, wanted) for name, wanted in sorted(match.query.items())),
        destination=_destination(spec, pattern),
        rewrite=None if spec.rewrite is None else _rewrite(spec.rewrite, pattern),
        request_headers=_header_ops(spec.request_headers),
        response_headers=_header_ops(spec.response_headers),
        max_body=None if spec.limits is None else spec.limits.max_body,
        timeout_s=spec.timeout,
        allow_encoded_slashes=spec.allow_encoded_slashes,
        source=source,
        from_defaults=from_defaults,
    )


def _pattern(name: str, match: MatchSpec) -> PathPattern:
    if match.path is None:
        return ANY_PATH
    pattern = parse_pattern(match.path, match.path_type)
    if isinstance(pattern, BadPath):
        raise ConfigurationInvalid([Problem("gateway.E013", f"routes[{name}].match.path", pattern.reason)])
    return pattern


def _header(name: str, wanted: ValueMatchSpec) -> HeaderCondition:
    return HeaderCondition(name.lower().encode("ascii"), *_wanted(wanted))


def _parameter(name: str, wanted: ValueMatchSpec) -> QueryCondition:
    return QueryCondition(name.encode("utf-8", "surrogatepass"), *_wanted(wanted))


def _wanted(spec: ValueMatchSpec) -> tuple[bytes | None, re.Pattern[str] | None]:
    value = None if spec.exact is None else spec.exact.encode("utf-8", "surrogatepass")
    return value, None if spec.regex is None else re.compile(spec.regex)


def _destination(spec: RouteSpec, pattern: PathPattern) -> Destination:
    if spec.service is not None:
        return Forward(spec.service)
    if spec.redirect is not None:
        return _redirect(spec.redirect, pattern)
    if spec.respond is not None:
        return _respond(spec.respond)
    raise ConfigurationInvalid([Problem("gateway.E012", f"routes[{spec.name}]", "has no destination")])


def _redirect(spec: RedirectSpec, pattern: PathPattern) -> Redirect:
    exact = spec.path.exact if spec.path is not None else None
    prefix = spec.path.prefix if spec.path is not None else None
    path, query, fragment = _split(exact or "")
    return Redirect(
        status=spec.status,
        scheme=spec.scheme,
        host=spec.host,
        port=spec.port,
        path=None if exact is None else written_path(path),
        prefix=None if prefix is None else written_path(prefix),
        prefix_segments=len(pattern.segments),
        query=query if spec.query is None else spec.query.encode("ascii"),
        fragment=fragment,
    )


def _split(written: str) -> tuple[str, bytes | None, bytes]:
    """Path, query (None if it has no question mark) and fragment (with its number sign)."""
    rest, number_sign, fragment = written.partition("#")
    path, question_mark, query = rest.partition("?")
    return path, query.encode("ascii") if question_mark else None, (number_sign + fragment).encode("ascii")


def _respond(spec: RespondSpec) -> Respond:
    headers = _pairs(spec.headers)
    if spec.body and not any(name == b"content-type" for name, _ in headers):
        headers = (*headers, _PLAIN_TEXT)
    return Respond(spec.status, headers, spec.body.encode("utf-8", "surrogatepass"))


def _rewrite(spec: RewriteSpec, pattern: PathPattern) -> CompiledRewrite:
    host = None if spec.host is None else spec.host.encode("ascii")
    if spec.strip_prefix or spec.prefix is not None:
        return CompiledRewrite(
            "prefix",
            replacement=b"" if spec.prefix is None else written_path(spec.prefix),
            prefix_segments=len(pattern.segments),
            host=host,
            preserve_host=spec.preserve_host,
        )
    if spec.path is not None:
        return CompiledRewrite(
            "path", replacement=written_path(spec.path), host=host, preserve_host=spec.preserve_host
        )
    if spec.regex is not None:
        return CompiledRewrite(
            "regex",
            pattern=re.compile(spec.regex.pattern),
            to=spec.regex.to,
            host=host,
            preserve_host=spec.preserve_host,
        )
    return CompiledRewrite(host=host, preserve_host=spec.preserve_host)


def _header_ops(spec: HeaderOpsSpec | None) -> HeaderOps | None:
    if spec is None or not (spec.remove or spec.set or spec.add):
        return None
    return HeaderOps(
        remove=frozenset(name.lower().encode("ascii") for name in spec.remove),
        set=_pairs(spec.set),
        add=_pairs(spec.add),
    )


def _pairs(headers: Mapping[str, str]) -> HeaderList:
    return tuple((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items())
