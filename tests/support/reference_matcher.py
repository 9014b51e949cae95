"""P: Matching as the documentation words it: slow, obvious, and written without the index.

Also builders of compiled routes for tests that need no document.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from routing.conditions import HeaderCondition, QueryCondition
from routing.paths import BadPath
from routing.patterns import PathType, parse_pattern
from routing.ranking import Conditions, best_rank
from routing.snapshot import BuiltinRoute, CompiledRoute, Forward, Miss


@dataclass(frozen=True)
class Wanted:
    """A request as the matcher sees it."""

    method: str = "GET"
    host: bytes = b"example.com"
    path: str = "/"
    headers: Sequence[tuple[bytes, bytes]] = field(default_factory=tuple)
    query: bytes = b""


def make_route(
    name: str = "route", path: str = "/", kind: PathType = "prefix", **changes: Any
) -> CompiledRoute:
    """A compiled route that forwards to "service"; `changes` are fields of CompiledRoute."""
    pattern = parse_pattern(path, kind)
    assert not isinstance(pattern, BadPath), pattern.reason
    values: dict[str, Any] = {
        "priority": 0,
        "hosts": (),
        "methods": (),
        "headers": (),
        "query": (),
        "destination": Forward("service"),
        "rewrite": None,
        "request_headers": None,
        "response_headers": None,
        "max_body": None,
        "timeout_s": None,
        "allow_encoded_slashes": False,
        "source": {},
        **changes,
    }
    conditions = Conditions(len(values["methods"]), len(values["headers"]), len(values["query"]))
    rank = best_rank(name, values["hosts"], pattern, priority=values["priority"], conditions=conditions)
    return CompiledRoute(name=name, pattern=pattern, rank=rank, **values)


def reference_match(
    routes: Iterable[CompiledRoute], wanted: Wanted, builtins: Iterable[BuiltinRoute] = ()
) -> CompiledRoute | BuiltinRoute | Miss:
    """The answer that the index must give."""
    builtins = list(builtins)
    for builtin in builtins:
        if not builtin.yields and _under(builtin, wanted.path):
            return builtin
    host = wanted.host.decode("latin-1").lower().split(":")[0].rstrip(".")
    fitting = [
        (_order(route, pattern), route)
        for route in routes
        for pattern in (route.hosts or ("",))
        if _host_fits(pattern, host) and _path_fits(route, wanted.path) and _conditions_hold(route, wanted)
    ]
    taking = [pair for pair in fitting if not pair[1].methods or wanted.method in pair[1].methods]
    if taking:
        return min(taking, key=lambda pair: pair[0])[1]
    for builtin in builtins:
        if builtin.yields and _under(builtin, wanted.path):
            return builtin
    return Miss(tuple(sorted({method for _, route in fitting for method in route.methods})))


def _order(route: CompiledRoute, host: str) -> tuple[Any, ...]:
    kind = route.pattern.kind
    pieces = [piece for piece in route.pattern.text.split("/")[1:]] if kind != "regex" else []
    if route.pattern.text == "/" and kind == "prefix":
        pieces = []
    shape = ["2" if kind == "template" and piece == "{}" else "1" for piece in pieces]
    if kind == "prefix":
        shape.append("3")
    return (
        -route.priority,
        {"": 2}.get(host, 1 if host.startswith("*.") else 0),
        -len(host) if host.startswith("*.") else 0,
        {"exact": 0, "prefix": 1, "template": 1, "regex": 2}[kind],
        -shape.count("1") if kind in ("prefix", "template") else 0,
        "".join(shape) if kind in ("prefix", "template") else "",
        not route.methods,
        len(route.methods),
        -len(route.headers),
        -len(route.query),
        route.name,
    )


def _under(builtin: BuiltinRoute, path: str) -> bool:
    return path == builtin.path or (builtin.is_prefix and path.startswith(builtin.path + "/"))


def _host_fits(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return pattern in ("", host)


def _path_fits(route: CompiledRoute, path: str) -> bool:
    text, kind = route.pattern.text, route.pattern.kind
    if kind == "exact":
        return path == text
    if kind == "prefix":
        return text == "/" or path == text or path.startswith(text + "/")
    if kind == "template":
        pieces = ["[^/]+" if piece == "{}" else re.escape(piece) for piece in text.split("/")]
        return re.fullmatch("/".join(pieces), path, re.DOTALL) is not None
    return re.fullmatch(text, path) is not None


def _conditions_hold(route: CompiledRoute, wanted: Wanted) -> bool:
    pairs = [piece.partition(b"=")[::2] for piece in wanted.query.split(b"&") if piece]
    return all(_any_fits(condition, wanted.headers) for condition in route.headers) and all(
        _any_fits(condition, pairs) for condition in route.query
    )


def _any_fits(condition: HeaderCondition | QueryCondition, pairs: Iterable[tuple[bytes, bytes]]) -> bool:
    for name, value in pairs:
        if name == condition.name:
            if condition.value == value or (condition.value is None and condition.regex is None):
                return True
            if condition.regex is not None and condition.regex.fullmatch(value.decode()):
                return True
    return False
