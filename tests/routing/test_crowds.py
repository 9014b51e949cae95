import random

from hypothesis import given
from hypothesis import strategies as st

from routing.conditions import HeaderCondition, QueryCondition
from routing.crowds import Crowd
from routing.entries import NO_BOUND, Entry, check_of, first_of
from routing.matching import index_of
from routing.snapshot import CompiledRoute, Miss
from tests.support.reference_matcher import Wanted, make_route, reference_match


def entries_of(routes: list[CompiledRoute]) -> list[Entry]:
    ordered = sorted(routes, key=lambda route: route.rank)
    return [
        Entry(order, frozenset(route.methods) or None, check_of(route), route)
        for order, route in enumerate(ordered)
    ]


class Asked(bytes):
    """A header value that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Asked.compared += 1
        return bytes(self) == other

    __hash__ = bytes.__hash__


def test_a_value_is_looked_up_not_searched() -> None:
    """Of thousands of routes that ask for values of one header, only those for this value are tried."""
    tenants = [make_route(f"t{n}", headers=(HeaderCondition(b"x-tenant", b"%d" % n),)) for n in range(3000)]
    index = index_of([*tenants, make_route("rest")])
    Asked.compared = 0
    found = index.match("GET", b"h", "/", ((b"accept", Asked(b"*")), (b"x-tenant", Asked(b"2999"))), b"")
    assert isinstance(found, CompiledRoute)
    assert found.name == "t2999"
    assert Asked.compared < 10
    unknown = index.match("GET", b"h", "/", ((b"x-tenant", b"x"),), b"")
    assert isinstance(unknown, CompiledRoute)
    assert unknown.name == "rest"


def test_crowds_of_exact_paths_and_templates() -> None:
    """Crowds form wherever many routes meet, and a miss still names their methods."""
    for path, kind in [("/a", "exact"), ("/{x}", "template"), ("/a", "prefix")]:
        routes = [
            make_route(f"t{n}", path, kind, headers=(HeaderCondition(b"x", b"%d" % n),), methods=("PUT",))  # type: ignore[arg-type]
            for n in range(40)
        ]
        index = index_of(routes)
        assert index.match("PUT", b"", "/a", ((b"x", b"39"),), b"") is next(
            r for r in routes if r.name == "t39"
        )
        assert index.match("GET", b"", "/a", ((b"x", b"39"),), b"") == Miss(("PUT",))
        assert index.match("PUT", b"", "/a", (), b"") == Miss()


def test_iteration_keeps_everyone_in_order() -> None:
    """Candidates of a crowd are all its entries."""
    entries = entries_of([make_route(f"t{n}", headers=(HeaderCondition(b"x", b"%d" % n),)) for n in range(5)])
    assert list(Crowd(entries)) == entries


_CONDITIONS = st.lists(
    st.builds(HeaderCondition, st.sampled_from([b"x", b"y"]), st.sampled_from([b"1", b"2", None])),
    max_size=3,
    unique=True,
).map(tuple)
_ROUTES = st.lists(
    st.tuples(_CONDITIONS, st.sampled_from([(), ("GET",)]), st.sampled_from([0, 0, 1]), st.booleans()),
    min_size=17,
    max_size=40,
)


@given(
    _ROUTES,
    st.lists(st.tuples(st.sampled_from([b"x", b"y", b"z"]), st.sampled_from([b"1", b"2", b"3"])), max_size=4),
    st.sampled_from(["GET", "PUT"]),
    st.randoms(use_true_random=False),
)
def test_a_crowd_answers_as_a_search_does(
    shapes: list[tuple[tuple[HeaderCondition, ...], tuple[str, ...], int, bool]],
    headers: list[tuple[bytes, bytes]],
    method: str,
    rng: random.Random,
) -> None:
    """Grouping changes nothing about which entry is first, whatever the bound."""
    routes = [
        make_route(
            f"r{n}",
            headers=conditions,
            methods=methods,
            priority=priority,
            query=(QueryCondition(b"q"),) if asks_query else (),
        )
        for n, (conditions, methods, priority, asks_query) in enumerate(shapes)
    ]
    entries = entries_of(routes)
    wanted = ("/", method, headers, b"")
    for bound in (NO_BOUND, rng.randrange(len(entries))):
        assert Crowd(entries).first(wanted, bound) == first_of(entries, wanted, bound)
    asked = Wanted(method=method, headers=headers)
    assert index_of(routes).match(method, b"", "/", headers, b"") == reference_match(routes, asked)
