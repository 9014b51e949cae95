"""Documents for tests: a small good one, findings as lines, and strategies that know the schema."""

from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import strategies as st

from routing.document.findings import Finding
from routing.document.shape import Shape, document_shape
from routing.problems import Problem

SERVICE: dict[str, Any] = {"name": "orders", "targets": [{"url": "http://127.0.0.1:8001"}]}
ROUTE: dict[str, Any] = {
    "name": "orders",
    "match": {"path": "/orders"},
    "service": "orders",
    "auth": {"level": "public"},
}


def document(
    *routes: Mapping[str, Any], services: Iterable[Mapping[str, Any]] = (SERVICE,), **more: Any
) -> dict[str, Any]:
    """A document with these routes, each with what a route needs unless it says otherwise."""
    return {
        "version": 1,
        "services": [dict(service) for service in services],
        "routes": [_completed(route, index) for index, route in enumerate(routes)],
        **more,
    }


def _completed(route: Mapping[str, Any], index: int) -> dict[str, Any]:
    leads = {"service", "backends", "redirect", "respond", "aggregate", "publish", "grpc"} & route.keys()
    base = {"name": f"r{index}", "auth": {"level": "public"}} | ({} if leads else {"service": "orders"})
    return {name: value for name, value in {**base, **route}.items() if value is not ...}


def lines(found: Iterable[Problem | Finding]) -> list[str]:
    """`E013 match.path: message` for each."""
    problems = (item.problem(()) if isinstance(item, Finding) else item for item in found)
    return [f"{problem.id.removeprefix('gateway.')} {problem}" for problem in problems]


# Texts and numbers that mean something somewhere in the schema, so that random documents get far.
TELLING = [
    *("/a", "prefix", "regex", "template", "/{a}", "(a+)+", "a", "b", "10MB", "5s", "GET", "public", "user", "exact"),
    *("http://h:1", "https://h", "unix:///s", "*.x", "[::1]", "1.2.3.4/8", "//", "%zz", "http://[", "HS256", "[", " "),
    *("${X}", "${Y:-1}", "$${", "${", "consistent_hash", "\ud800", "\x00", "ip", "consumer", "day"),
]  # fmt: skip
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(TELLING)
)


def json_like(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Any value that JSON or YAML could bring."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=20,
    )


def _part(
    shape: Shape, anything: st.SearchStrategy[Any], depth: int = 0
) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for key in shape.keys.values():
        if key.below is None or depth > 4:
            optional[key.name] = (
                leaves
                | st.lists(leaves, max_size=3)
                | st.dictionaries(st.text(max_size=3), leaves, max_size=2)
            )
            continue
        below = _part(key.below, anything, depth + 1)
        held = {
            "section": below,
            "list": st.lists(below, max_size=3),
            "map": st.dictionaries(st.text(max_size=5), below, max_size=3),
        }
        optional[key.name] = held[key.form] | anything
    return st.fixed_dictionaries({}, optional=optional)


def _words(shape: Shape) -> set[str]:
    return set(shape.keys).union(*(_words(key.below) for key in shape.keys.values() if key.below is not None))


anything = json_like(st.sampled_from(sorted(_words(document_shape()))) | st.text(max_size=4))
# Right keys with right and wrong values below them.
documents = _part(document_shape(), anything)
texts = st.text(st.characters(exclude_categories=["Cs"]))
