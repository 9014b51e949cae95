import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.conditions import HeaderCondition, QueryCondition
from routing.matching import NOT_FOUND, RouteIndex, build_index, index_of
from routing.reserved import reserved_routes
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss
from tests.support.reference_matcher import Wanted, make_route, reference_match
from tests.support.route_sets import ROUTES, WANTED


def match(index: RouteIndex, wanted: Wanted) -> CompiledRoute | BuiltinRoute | Miss:
    return index.match(wanted.method, wanted.host, wanted.path, wanted.headers, wanted.query)


def winner(routes: list[CompiledRoute], **wanted: object) -> str | tuple[str, ...]:
    """The name of the route that wins, or the methods of a miss."""
    found = match(index_of(routes, reserved_routes("/api/v1")), Wanted(**wanted))  # type: ignore[arg-type]
    return found.allow if isinstance(found, Miss) else found.name


_SITES = [
    make_route("exact", "/a", hosts=("api.example.com",)),
    make_route("wild", "/a/b", hosts=("*.example.com",)),
    make_route("wilder", "/a/b/c", hosts=("*.com",)),
    make_route("any", "/a/b/c", "exact"),
]


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        (b"api.example.com", "/a/b/c", "exact"),
        (b"API.Example.com.:8000", "/a/b/c", "exact"),
        (b"www.example.com", "/a/b/c", "wild"),
        (b"x.y.example.com", "/a/b/c", "wild"),
        (b"example.com", "/a/b/c", "wilder"),
        (b"www.example.com", "/a", ()),
        (b"localhost", "/a/b/c", "any"),
        (b"", "/a/b/c", "any"),
    ],
)
def test_hosts_come_before_paths(host: bytes, path: str, name: str | tuple[()]) -> None:
    """An exact host beats wildcards, the longer wildcard the shorter, any host comes last."""
    assert winner(_SITES, host=host, path=path) == name


_PATHS = [
    make_route("root", "/"),
    make_route("a", "/a"),
    make_route("a-exact", "/a", "exact"),
    make_route("a-slash", "/a/", "exact"),
    make_route("template", "/a/{x}", "template"),
    make_route("literal", "/a/b", "template"),
    make_route("deep", "/{x}/b/c", "template"),
    make_route("regex", "/a/.*", "regex"),
    make_route("urgent", "/a/urgent[0-9]*", "regex", priority=1),
]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "root"),
        ("/ab", "root"),
        ("/a", "a-exact"),
        ("/a/", "a-slash"),
        ("/a/x", "template"),
        ("/a/b", "literal"),
        ("/a/b/", "a"),
        ("/a/b/c", "deep"),
        ("/a/b/d", "a"),
        ("/a/urgent7", "urgent"),
    ],
)
def test_paths(path: str, name: str) -> None:
    """Exact beats literal beats placeholder beats prefix beats regex; priority beats them all."""
    assert winner(_PATHS, path=path) == name


def test_a_more_specific_path_that_fails_a_condition_falls_back() -> None:
    """Methods, headers and query are asked along the way, and the next route in order is tried."""
    routes = [
        make_route("header", "/a/b", headers=(HeaderCondition(b"x", b"1"),)),
        make_route("query", "/a/b", query=(QueryCondition(b"q", regex=re.compile("[0-9]")),)),
        make_route("post", "/a", methods=("POST",)),
        make_route("rest", "/"),
    ]
    assert winner(routes, path="/a/b/c", headers=[(b"x", b"1")], query=b"q=1") == "header"
    assert winner(routes, path="/a/b/c", query=b"q=1") == "query"
    assert winner(routes, path="/a/b/c", method="POST") == "post"
    assert winner(routes, path="/a/b/c") == "rest"


def test_a_miss_names_the_methods_that_would_do() -> None:
    """405 has the union of methods of the routes that fit but for the method; 404 has none."""
    routes = [
        make_route("1", "/a", methods=("PUT", "GET")),
        make_route("2", "/a/b", "exact", methods=("DELETE",)),
        make_route("3", "/a", methods=("PATCH",), headers=(HeaderCondition(b"x", b"1"),)),
        make_route("4", "/a/.*", "regex", methods=("GET",)),
        make_route("5", "/a/c.*", "regex", methods=("TRACE",)),
        make_route("6", "/a", methods=("LINK",), hosts=("other",)),
    ]
    assert winner(routes, path="/a/b", method="POST") == ("DELETE", "GET", "PUT")
    assert winner(routes, path="/a", method="HEAD") == ("GET", "PUT")
    assert winner(routes, path="/b", method="POST") == ()
    assert match(index_of(routes), Wanted(path="/b")) is NOT_FOUND


def test_nothing_shadows_reserved_endpoints() -> None:
    """They win over every route on every host; /api/auth only over none at all."""
    routes = [
        make_route("all", "/.*", "regex", priority=10**6, hosts=("h",)),
        make_route("health", "/health"),
    ]
    assert winner(routes, host=b"h", path="/health/live") == "health"
    index = index_of(routes, reserved_routes("/api/v1"))
    assert isinstance(match(index, Wanted(host=b"h", path="/health")), BuiltinRoute)
    assert isinstance(match(index, Wanted(host=b"g", path="/api/v1/users/me/keys")), BuiltinRoute)
    assert winner(routes, host=b"h", path="/api/auth/login") == "all"
    assert winner(routes, host=b"g", path="/api/auth/login") == "auth"
    assert index.builtin("/health/live") is not None
    assert index.builtin("/api/auth/login") is None


def test_an_empty_index_finds_nothing() -> None:
    """No routes: everything is not found."""
    assert match(index_of([]), Wanted(path="/a/b")) == Miss()


def test_candidates_are_what_host_and_tree_allow() -> None:
    """Explanations start from the routes whose place fits, whatever their conditions."""
    index = index_of([*_SITES, *_PATHS])
    names = {route.name for route in index.candidates(b"api.example.com", "/a/b/c")}
    assert names == {"exact", "wild", "wilder", "any", "root", "a", "deep", "regex"} | {"urgent"}


def test_remembered_hosts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that invents hosts does not fill the memory, and matching stays right."""
    monkeypatch.setattr("routing.matching._MEMORY", 10)
    index = index_of([make_route("h", hosts=("*.h",))])
    for number in range(100):
        assert match(index, Wanted(host=b"%d.h" % number)).name == "h"  # type: ignore[union-attr]
    assert len(index._remembered) <= 12


def test_building_gives_turns() -> None:
    """An index of many routes is built in steps."""
    assert sum(1 for _ in build_index([make_route(str(n), f"/{n}") for n in range(2000)], ())) >= 20


_BUILTINS = (
    BuiltinRoute("health", "/health", is_prefix=True),
    BuiltinRoute("b", "/a/b/b", is_prefix=False),
    BuiltinRoute("auth", "/b/b", is_prefix=True, yields=True),
)


@given(ROUTES, st.lists(WANTED, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_matching_equals_the_reference(
    routes: list[CompiledRoute], requests: list[Wanted], rng: random.Random
) -> None:
    """The index answers as the plain reading of the rules does, in whatever order routes come."""
    rng.shuffle(routes)
    index = index_of(routes, _BUILTINS)
    for wanted in requests:
        assert match(index, wanted) == reference_match(routes, wanted, _BUILTINS)
