"""P: Why a route does or does not take a request, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.conditions import HeaderCondition, parameters
from routing.hosts import host_fits
from routing.patterns import PathPattern
from routing.ranking import ANY_HOST, Rank, route_rank
from routing.snapshot import CompiledRoute

_SHOWN_VALUE = 80
_FITTING = {
    "exact": "is {}",
    "prefix": "is {} or below it",
    "template": "fits the template {}",
    "regex": "matches the regular expression {}",
}
_NOT_FITTING = {
    "exact": "is not {}",
    "prefix": "is neither {} nor below it",
    "template": "does not fit the template {}",
    "regex": "does not match the regular expression {}",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in the forms that conditions are compared with."""

    method: str
    host: str  # as `hosts.request_host` reads it
    path: str  # in matching form
    headers: Sequence[tuple[bytes, bytes]]
    query: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first condition that failed, None if all hold; and how near the route came."""

    failed: str | None
    nearness: tuple[int, int]


def judge(route: CompiledRoute, asked: Asked) -> Verdict:
    """Compare a request with a route: host, path, method, headers, query, in this order."""
    fits_host = not route.hosts or any(host_fits(host, asked.host) for host in route.hosts)
    fits_path = route.pattern.covers(asked.path)
    fits_method = not route.methods or asked.method in route.methods
    failed = None
    if not fits_host:
        failed = f"host {asked.host or '(none)'} is not {' or '.join(route.hosts)}"
    elif not fits_path:
        failed = f"path {asked.path} {_NOT_FITTING[route.pattern.kind].format(route.pattern.written)}"
    elif not fits_method:
        failed = f"method {asked.method} is not {' or '.join(route.methods)}"
    else:
        failed = _failed_condition(route, asked)
    score = 4 * fits_path + 2 * fits_host + fits_method + (failed is None)
    return Verdict(failed, (score, _shared_segments(route.pattern, asked.path)))


def why_it_fits(route: CompiledRoute, asked: Asked) -> tuple[str, ...]:
    """The conditions of a route that a request satisfies, all of them."""
    host = next((host for host in route.hosts if host_fits(host, asked.host)), None)
    return (
        f"host {asked.host} fits {host}" if host is not None else "any host",
        f"path {asked.path} {_FITTING[route.pattern.kind].format(route.pattern.written)}",
        f"method {asked.method} is one of {', '.join(route.methods)}" if route.methods else "any method",
        *map(str, route.headers),
        *map(str, route.query),
    )


def fitting_rank(route: CompiledRoute, host: str) -> Rank:
    """The rank of a route under the best of its hosts that takes this one."""
    hosts = [pattern for pattern in route.hosts if host_fits(pattern, host)] or [ANY_HOST]
    return min(route_rank(route, pattern) for pattern in hosts)


def _failed_condition(route: CompiledRoute, asked: Asked) -> str | None:
    for header in route.headers:
        if not header.holds(asked.headers):
            return _unmet(header, [value for name, value in asked.headers if name == header.name])
    for parameter in route.query:
        if not parameter.holds(asked.query):
            return _unmet(
                parameter, [value for name, value in parameters(asked.query) if name == parameter.name]
            )
    return None


def _unmet(condition: object, given: Sequence[bytes]) -> str:
    wanted = str(condition)
    kind = "header" if isinstance(condition, HeaderCondition) else "parameter"
    if not given:
        return f"wanted: {wanted}; the {kind} is missing"
    values = ", ".join(repr(value.decode("utf-8", "replace")[:_SHOWN_VALUE]) for value in given[:3])
    return f"wanted: {wanted}; it is {values}"


def _shared_segments(pattern: PathPattern, path: str) -> int:
    shared = 0
    for here, there in zip(pattern.segments, path.split("/")[1:], strict=False):
        if here is not None and here != there:
            break
        shared += 1
    return shared
