from itertools import pairwise

import pytest

from routing.conditions import HeaderCondition, QueryCondition
from routing.ranking import Conditions, best_rank, route_rank, why_before
from routing.snapshot import CompiledRoute
from tests.support.reference_matcher import make_route

_X, _Y = HeaderCondition(b"x", b"1"), HeaderCondition(b"y", b"1")

# Each route comes before the next; the text says why.
_ORDERED: list[tuple[CompiledRoute, str]] = [
    (make_route("z", "/.*", "regex", priority=10), "its priority is higher"),
    (make_route("z", "/", priority=1, hosts=("a.b.c",)), "its host is more exact"),
    (make_route("z", "/a/b", "exact", priority=1, hosts=("*.b.c",)), "its host is longer"),
    (make_route("z", "/a/b", "exact", priority=1, hosts=("*.c",)), "its host is more exact"),
    (make_route("z", "/a/b", "exact", priority=1), "its priority is higher"),
    (make_route("z", "/a/b", "exact"), "its kind of path is more exact"),
    (make_route("z", "/a/b/c"), "its path has more literal segments"),
    (make_route("z", "/a/b/{x}", "template"), "its path is more specific, read from the left"),
    (make_route("z", "/a/b"), "its path is more specific, read from the left"),
    (make_route("z", "/a/{x}/c", "template"), "its path has more literal segments"),
    (make_route("z", "/{x}/b", "template", methods=("GET",)), "it is limited to fewer methods"),
    (make_route("z", "/{x}/b", "template", methods=("GET", "PUT")), "it is limited to methods"),
    (make_route("z", "/{x}/b", "template", headers=(_X, _Y)), "it asks for more headers"),
    (
        make_route("z", "/{x}/b", "template", headers=(_X,), query=(QueryCondition(b"q"),)),
        "it asks for more query parameters",
    ),
    (make_route("y", "/{x}/b", "template", headers=(_X,)), "its name comes first"),
    (make_route("z", "/{y}/b", "template", headers=(_X,)), "it asks for more headers"),
    (make_route("z", "/{x}/b", "template"), "its path has more literal segments"),
    (make_route("z", "/"), "its kind of path is more exact"),
    (make_route("z", "/a/b", "regex"), ""),
]


@pytest.mark.parametrize("place", range(len(_ORDERED) - 1))
def test_the_order(place: int) -> None:
    """Each criterion decides only where all before it are equal, and names itself."""
    (first, why), (second, _) = _ORDERED[place], _ORDERED[place + 1]
    assert first.rank < second.rank
    assert why_before(first.rank, second.rank) == why


def test_the_order_is_total() -> None:
    """What comes before something comes before all after it."""
    ranks = [route.rank for route, _ in _ORDERED]
    assert ranks == sorted(ranks)
    assert all(one != other for one, other in pairwise(ranks))


def test_a_route_ranks_as_its_best_host() -> None:
    """A route with several hosts is ranked by the most exact."""
    pattern = make_route().pattern
    ranked = best_rank("r", ("*.b", "a.b"), pattern, priority=0, conditions=Conditions())
    assert ranked == best_rank("r", ("a.b",), pattern, priority=0, conditions=Conditions())
    assert why_before(ranked, ranked) == "they are the same route"


def test_the_rank_of_a_route_under_each_of_its_hosts() -> None:
    """The same route may come early under one host and late under another."""
    route = make_route("r", hosts=("*.b", "a.b"))
    assert route_rank(route, "a.b") == route.rank
    assert route_rank(route, "a.b") < route_rank(route, "*.b")
    assert route_rank(make_route("r"), "") == make_route("r").rank
