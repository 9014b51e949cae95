import re

import pytest

from routing.conditions import HeaderCondition, QueryCondition
from routing.ranking import route_rank
from routing.snapshot import CompiledRoute
from routing.verdicts import Asked, fitting_rank, judge, why_it_fits
from tests.support.reference_matcher import make_route

ASKED = Asked("GET", "a.example.com", "/a/b", ((b"x", b"1"), (b"x", b"2")), b"q=1&q=%32")


@pytest.mark.parametrize(
    ("route", "failed"),
    [
        (make_route(), None),
        (make_route(hosts=("b.c", "*.c")), "host a.example.com is not b.c or *.c"),
        (make_route(path="/a", kind="exact"), "path /a/b is not /a"),
        (make_route(path="/b"), "path /a/b is neither /b nor below it"),
        (make_route(path="/{x}", kind="template"), "path /a/b does not fit the template /{x}"),
        (make_route(path="/c.*", kind="regex"), "path /a/b does not match the regular expression /c.*"),
        (make_route(methods=("POST", "PUT")), "method GET is not POST or PUT"),
        (
            make_route(headers=(HeaderCondition(b"y", b"1"),)),
            "wanted: header y is '1'; the header is missing",
        ),
        (make_route(headers=(HeaderCondition(b"x", b"3"),)), "wanted: header x is '3'; it is '1', '2'"),
        (
            make_route(query=(QueryCondition(b"q", regex=re.compile("[a-z]")),)),
            "wanted: query parameter q fits '[a-z]'; it is '1', '2'",
        ),
        (
            make_route(query=(QueryCondition(b"r"),)),
            "wanted: query parameter r is present; the parameter is missing",
        ),
        (make_route(headers=(HeaderCondition(b"x", b"2"),), query=(QueryCondition(b"q", b"2"),)), None),
    ],
)
def test_the_first_condition_that_fails(route: CompiledRoute, failed: str | None) -> None:
    """Host, path, method, headers and query are asked in this order."""
    assert judge(route, ASKED).failed == failed


def test_nearness() -> None:
    """A route that fails late is nearer; among equals, one whose path goes further along."""
    routes = [
        make_route("fits"),
        make_route("header", headers=(HeaderCondition(b"y"),)),
        make_route("method", methods=("PUT",)),
        make_route("host", "/a/b", hosts=("b.c",)),
        make_route("sibling", "/a/c"),
        make_route("stranger", "/z"),
        make_route("nothing", "/z", hosts=("b.c",), methods=("PUT",)),
    ]
    nearness = [judge(route, ASKED).nearness for route in routes]
    assert nearness == sorted(nearness, reverse=True)
    assert len(set(nearness)) == len(nearness)


def test_why_it_fits() -> None:
    """Every condition is named, with what the route wrote."""
    route = make_route(
        path="/a",
        hosts=("x", "*.example.com"),
        methods=("GET", "PUT"),
        headers=(HeaderCondition(b"x", b"1"),),
        query=(QueryCondition(b"q", b"1"),),
    )
    assert why_it_fits(route, ASKED) == (
        "host a.example.com fits *.example.com",
        "path /a/b is /a or below it",
        "method GET is one of GET, PUT",
        "header x is '1'",
        "query parameter q is '1'",
    )
    assert why_it_fits(make_route(path="/a/b", kind="exact"), ASKED)[1] == "path /a/b is /a/b"
    template = make_route(path="/a/{x}", kind="template")
    assert why_it_fits(template, ASKED)[1] == "path /a/b fits the template /a/{x}"
    assert why_it_fits(make_route(path="/a/.*", kind="regex"), ASKED)[1].endswith(
        "matches the regular expression /a/.*"
    )


def test_the_rank_under_the_host_that_fits() -> None:
    """A route with several hosts is compared under the best that takes the request."""
    route = make_route(hosts=("*.com", "*.example.com", "z"))
    assert fitting_rank(route, "a.example.com") == route_rank(route, "*.example.com")
    assert fitting_rank(make_route(), "a.example.com") == make_route().rank
