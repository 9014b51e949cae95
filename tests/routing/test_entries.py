from routing.conditions import HeaderCondition, QueryCondition
from routing.entries import NO_BOUND, Entry, check_of, first_of
from tests.support.reference_matcher import make_route


def test_nothing_to_ask_costs_nothing() -> None:
    """A route with neither regex nor conditions has no check at all."""
    assert check_of(make_route(methods=("GET",), hosts=("h",))) is None


def test_a_check_asks_everything() -> None:
    """Path, headers and query must all fit."""
    conditions = {"headers": (HeaderCondition(b"x", b"1"),), "query": (QueryCondition(b"q", b"1"),)}
    check = check_of(make_route(path="/a+", kind="regex", **conditions))
    assert check is not None
    assert check("/aa", ((b"x", b"1"),), b"q=1")
    assert not check("/b", ((b"x", b"1"),), b"q=1")
    assert not check("/aa", (), b"q=1")
    assert not check("/aa", ((b"x", b"1"),), b"")


def test_the_first_below_the_bound() -> None:
    """Entries are tried in order, up to the bound."""
    put, rest = make_route("put"), make_route("rest")
    entries = [Entry(3, frozenset(["PUT"]), None, put), Entry(5, None, None, rest)]
    wanted = ("/", "GET", (), b"")
    assert first_of(entries, wanted, NO_BOUND) == entries[1]
    assert first_of(entries, wanted, 5) is None
    assert first_of(entries, ("/", "PUT", (), b""), 5) == entries[0]
    assert first_of([], wanted, NO_BOUND) is None
