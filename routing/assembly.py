"""P: From a checked specification to its compiled form: one service, one route at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from routing import traffic
from routing.aggregation import aggregate_of
from routing.conditions import HeaderCondition, QueryCondition
from routing.document.access import AuthSpec, LimitsSpec
from routing.document.destinations import GrpcSpec, RedirectSpec, RespondSpec
from routing.document.matches import MatchSpec, ValueMatchSpec
from routing.document.objectives import SloSpec
from routing.document.routes import RouteSpec
from routing.document.services import ServiceSpec
from routing.paths import BadPath
from routing.patterns import ANY_PATH, PathPattern, parse_pattern
from routing.problems import ConfigurationInvalid, Problem
from routing.ranking import Conditions, best_rank
from routing.rewrite import written_path
from routing.shapes.changes import header_ops_of, names_of, reads_answers, rewrite_of
from routing.shapes.shapes import shapes_of
from routing.snapshot import (
    CLOSED,
    Auth,
    CompiledRoute,
    CompiledService,
    Destination,
    Forward,
    Grpc,
    HeaderList,
    Logged,
    OpenApiSource,
    Publish,
    Redirect,
    Respond,
    Slo,
)
from routing.splitting import split_of
from routing.targets import compile_target
from routing.traffic import NO_DEFAULTS, Quotas, TrafficDefaults

_PLAIN_TEXT = (b"content-type", b"text/plain; charset=utf-8")


def assemble_service(
    spec: ServiceSpec,
    *,
    source: Mapping[str, Any],
    overridden_by: str | None,
    total_timeout_s: float,
    defaults: TrafficDefaults = NO_DEFAULTS,
) -> CompiledService:
    """`total_timeout_s` and `defaults` stand in where the service gives none."""
    return CompiledService(
        name=spec.name,
        protocol=spec.protocol,
        targets=tuple(compile_target(target) for target in spec.targets),
        connect_timeout_s=spec.timeout.connect,
        read_timeout_s=spec.timeout.read,
        total_timeout_s=spec.timeout.total if spec.timeout.total is not None else total_timeout_s,
        tls=spec.tls,
        max_connections=spec.max_connections,
        balancing=traffic.balancing_of(spec, defaults),
        concurrency=traffic.service_concurrency_of(spec),
        retries=traffic.retries_of(spec.retries),
        breaker=traffic.breaker_of(spec.breaker, defaults),
        health=traffic.health_of(spec.health, spec.protocol),
        ejection=traffic.ejection_of(spec.ejection),
        descriptors=spec.descriptors,
        openapi=None
        if spec.openapi is None
        else OpenApiSource(spec.openapi.path, max(1.0, spec.openapi.refresh)),
        source=source,
        overridden_by=overridden_by,
    )


def assemble_route(
    spec: RouteSpec,
    *,
    source: Mapping[str, Any],
    from_defaults: frozenset[str],
    quotas: Quotas = MappingProxyType({}),
    defaults: TrafficDefaults = NO_DEFAULTS,
) -> CompiledRoute:
    """`source` is the route as written; the spec has the defaults of the document filled in."""
    match = spec.match
    pattern = _pattern(spec.name, match)
    names = names_of(pattern)
    ops_of = partial(header_ops_of, names=names, route=spec.name, service=spec.service or "")
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
        rewrite=rewrite_of(spec.rewrite, pattern),
        request_headers=ops_of(spec.request_headers, reads_answers=reads_answers(spec)),
        response_headers=ops_of(spec.response_headers),
        max_body=_max_body(spec.limits, "enforce"),
        watched_body=_max_body(spec.limits, "log"),
        timeout_s=spec.timeout,
        allow_encoded_slashes=spec.allow_encoded_slashes,
        source=source,
        from_defaults=from_defaults,
        auth=_auth(spec.auth),
        forward_identity=spec.forward_identity,
        forward_credentials=spec.forward_credentials,
        quotas=traffic.quotas_of(spec.quotas, quotas, defaults),
        concurrency=traffic.route_concurrency_of(spec.limits),
        fault=traffic.fault_of(spec.fault, defaults),
        slo=_slo(spec.slo),
        log=None if spec.log is None else Logged(spec.log.access, spec.log.sample),
        shapes=shapes_of(spec, cors=defaults.cors),
    )


def _max_body(spec: LimitsSpec | None, mode: str) -> int | None:
    return spec.max_body if spec is not None and spec.mode == mode else None


def _auth(spec: AuthSpec | None) -> Auth:
    if spec is None:
        return CLOSED
    return Auth(
        level=spec.level,
        scopes=frozenset(spec.scopes),
        roles=frozenset(spec.roles),
        methods=spec.methods,
        reject_invalid=spec.reject_invalid,
        is_enforced=spec.mode == "enforce",
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
        return Forward(spec.service) if spec.grpc is None else _grpc(spec.service, spec.grpc)
    if spec.backends:
        return split_of(spec, pattern)
    if spec.redirect is not None:
        return _redirect(spec.redirect, pattern)
    if spec.respond is not None:
        return _respond(spec.respond)
    if spec.aggregate is not None:
        return aggregate_of(spec.aggregate, names_of(pattern))
    if spec.publish is not None:
        return Publish(spec.publish.topic)
    raise ConfigurationInvalid([Problem("gateway.E012", f"routes[{spec.name}]", "has no destination")])


def _slo(spec: SloSpec | None) -> Slo | None:
    if spec is None:
        return None
    latency = spec.latency
    return Slo(
        round(spec.window),
        None if spec.availability is None else _share(spec.availability),
        None if latency is None else latency.under,
        0.0 if latency is None else _share(latency.target),
    )


def _share(percent: float) -> float:
    """0 to 1, as people write it: 99.9 / 100 is 0.9990000000000001."""
    return round(percent / 100, 12)


def _grpc(upstream: str, spec: GrpcSpec) -> Grpc:
    return Grpc(
        upstream,
        spec.service,
        spec.method,
        frozenset(name.lower().encode("ascii") for name in spec.metadata),
        frozenset(name.lower().encode("ascii") for name in spec.answer_metadata),
    )


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


def _pairs(headers: Mapping[str, str]) -> HeaderList:
    return tuple((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items())
