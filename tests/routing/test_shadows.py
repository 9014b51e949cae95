import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.conditions import HeaderCondition, QueryCondition
from routing.reserved import reserved_routes
from routing.shadows import are_matched_alike, find_shadows
from routing.snapshot import CompiledRoute
from tests.support.reference_matcher import Wanted, make_route, reference_match
from tests.support.route_sets import ROUTES, WANTED

_X, _Y = HeaderCondition(b"x", b"1"), HeaderCondition(b"y", regex=re.compile("1"))
_Q = QueryCondition(b"q", b"1")


@pytest.mark.parametrize(
    ("cover", "covered", "why"),
    [
        (make_route("a", "/x"), make_route("b", "/x"), "its name comes first"),
        (make_route("a", "/x"), make_route("b", "/x/"), "its name comes first"),
        (make_route("a", "/x", "exact"), make_route("b", "/x", "exact"), "its name comes first"),
        (make_route("a", "/{x}", "template"), make_route("b", "/{y}", "template"), "its name comes first"),
        (
            make_route("a", "/x/y", "exact"),
            make_route("b", "/x/y", "template"),
            "its kind of path is more exact",
        ),
        (make_route("a", "/x/.*", "regex"), make_route("b", "/x/.*", "regex"), "its name comes first"),
        (make_route("a", "/"), make_route("b", "/.*", "regex"), "its kind of path is more exact"),
        (make_route("a", "/x"), make_route("b", "/x/y/[0-9]+", "regex"), "its kind of path is more exact"),
        (
            make_route("a", "/x"),
            make_route("b", "/x/[0-9]+", "regex", methods=("GET",), headers=(_X,)),
            "its kind of path is more exact",
        ),
        (
            make_route("a", "/", priority=1),
            make_route("b", "/x", "exact", hosts=("h",)),
            "its priority is higher",
        ),
        (
            make_route("a", "/x", priority=1, hosts=("*.c",)),
            make_route("b", "/x/{y}", "template", hosts=("a.b.c", "*.b.c")),
            "its priority is higher",
        ),
        (
            make_route("a", "/{x}/{y}", "template", priority=1),
            make_route("b", "/x/{y}", "template"),
            "its priority is higher",
        ),
        (
            make_route("a", "/{x}/y", "template", priority=1),
            make_route("b", "/x/y", "exact"),
            "its priority is higher",
        ),
        (make_route("a", "/x/.*", "regex", priority=1), make_route("b", "/x/y"), "its priority is higher"),
        (
            make_route("a", "/x/.*", "regex", priority=1),
            make_route("b", "/x/", "exact"),
            "its priority is higher",
        ),
        (
            make_route("a", "/(x|y)", "regex", priority=1),
            make_route("b", "/x", "exact"),
            "its priority is higher",
        ),
        (
            make_route("a", "/x", methods=("GET", "PUT"), priority=1),
            make_route("b", "/x", methods=("GET",)),
            "its priority is higher",
        ),
        (
            make_route("a", "/x", headers=(_X,), priority=1),
            make_route("b", "/x", headers=(_Y, _X), query=(_Q,)),
            "its priority is higher",
        ),
    ],
)
def test_covered(cover: CompiledRoute, covered: CompiledRoute, why: str) -> None:
    """A route whose every request an earlier route takes is named, with that route and the reason."""
    [shadow] = find_shadows([covered, cover])
    assert (shadow.route, shadow.covered_by, shadow.why) == ("b", '"a"', why)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (make_route("a", "/x"), make_route("b", "/y")),
        (make_route("a", "/x", "exact", priority=1), make_route("b", "/x")),
        (make_route("a", "/x"), make_route("b", "/x", "exact")),
        (make_route("a", "/x/{y}", "template", priority=1), make_route("b", "/x/y/z", "exact")),
        (make_route("a", "/x/{y}", "template", priority=1), make_route("b", "/x/", "exact")),
        (make_route("a", "/x/{y}", "template", priority=1), make_route("b", "/{x}/y", "template")),
        (make_route("a", "/x/.*", "regex", priority=1), make_route("b", "/x")),
        (make_route("a", "/x/y"), make_route("b", "/x/.*", "regex")),
        (make_route("a", "/x"), make_route("b", "/x?/y", "regex")),
        (make_route("a", "/x", methods=("GET",), priority=1), make_route("b", "/x")),
        (make_route("a", "/x", methods=("GET",), priority=1), make_route("b", "/x", methods=("GET", "PUT"))),
        (make_route("a", "/x", headers=(_X,), priority=1), make_route("b", "/x", headers=(_Y,))),
        (make_route("a", "/x", hosts=("a.c",), priority=1), make_route("b", "/x", hosts=("*.c",))),
        (make_route("a", "/x", hosts=("*.c",), priority=1), make_route("b", "/x", hosts=("c",))),
        (make_route("a", "/x", hosts=("h",), priority=1), make_route("b", "/x")),
        (make_route("a", "/x", hosts=("h",), priority=1), make_route("b", "/x", hosts=("h", "g"))),
    ],
)
def test_not_covered(one: CompiledRoute, other: CompiledRoute) -> None:
    """A route that still takes something is not accused."""
    assert find_shadows([one, other]) == ()


def test_two_routes_may_cover_the_hosts_of_a_third() -> None:
    """A route with several hosts is dead only when each of them is taken, by whomever."""
    one, two = make_route("a", "/x", hosts=("g",)), make_route("b", "/x", hosts=("h",))
    [shadow] = find_shadows([make_route("c", "/x/", hosts=("g", "h")), one, two])
    assert (
        str(shadow) == 'route "c" can never match: "a" and "b" takes all its requests; its name comes first'
    )


@pytest.mark.parametrize(
    ("route", "endpoint"),
    [
        (make_route("r", "/health"), "/health"),
        (make_route("r", "/health/live", "exact", hosts=("h", "g")), "/health"),
        (make_route("r", "/admin/{x}", "template"), "/admin"),
        (make_route("r", "/docs/.*", "regex", priority=5), "/docs"),
        (make_route("r", "/metrics", "exact"), "/metrics"),
        (make_route("r", "/api/v1/ws", "template"), "/api/v1/ws"),
        (make_route("r", "/metrics"), None),
        (make_route("r", "/metrics/{x}", "template"), None),
        (make_route("r", "/{x}", "template"), None),
        (make_route("r", "/"), None),
        (make_route("r", "/health.*", "regex"), None),
        (make_route("r", "/api/auth"), None),
    ],
)
def test_reserved_paths_cover(route: CompiledRoute, endpoint: str | None) -> None:
    """A route inside the gateway's own paths is named once, whatever its hosts and priority."""
    shadows = find_shadows([route], reserved_routes("/api/v1"))
    assert [shadow.covered_by for shadow in shadows] == (
        [f"the gateway's own {endpoint}"] if endpoint else []
    )


def test_many_conditions_stay_cheap() -> None:
    """A route with many conditions is compared without trying all their subsets."""
    many = tuple(HeaderCondition(b"h%d" % number, b"1") for number in range(40))
    routes = [make_route("a", "/x", headers=many[:1], priority=1), make_route("b", "/x", headers=many)]
    assert [shadow.route for shadow in find_shadows(routes)] == ["b"]


@given(ROUTES, st.lists(WANTED, min_size=1, max_size=20))
def test_no_route_is_accused_wrongly(routes: list[CompiledRoute], requests: list[Wanted]) -> None:
    """Whatever the request, a route that was named is never the answer."""
    dead = {shadow.route for shadow in find_shadows(routes)}
    for wanted in requests:
        assert getattr(reference_match(routes, wanted), "name", None) not in dead


@given(ROUTES)
def test_a_copy_is_always_found(routes: list[CompiledRoute]) -> None:
    """Of two equal routes the later is never reached."""
    copies = [make_route_like(route, f"{route.name}-copy") for route in routes]
    dead = {shadow.route for shadow in find_shadows([*routes, *copies])}
    assert {copy.name for copy in copies} <= dead


def make_route_like(route: CompiledRoute, name: str) -> CompiledRoute:
    return make_route(
        name,
        route.pattern.written,
        route.pattern.kind,
        priority=route.priority,
        hosts=route.hosts,
        methods=route.methods,
        headers=route.headers,
        query=route.query,
    )


@given(ROUTES, ROUTES)
def test_what_is_matched_alike_has_the_same_shadows(
    mine: list[CompiledRoute], yours: list[CompiledRoute]
) -> None:
    """And what has other shadows is not taken for alike."""
    here, there = ({route.name: route for route in routes} for routes in (mine, yours))
    assert are_matched_alike(here, dict(here))
    assert are_matched_alike(here, {name: replace(route, timeout_s=9.0) for name, route in here.items()})
    if find_shadows(here.values()) != find_shadows(there.values()):
        assert not are_matched_alike(here, there)
