"""Query strings as pairs."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.querytext import parameter, parse_query


def test_pairs() -> None:
    """Empty values count; only & parts them."""
    assert parse_query(b"") == []
    assert parse_query(b"a=1&b=&c&a=%C3%A9+x") == [("a", "1"), ("b", ""), ("c", ""), ("a", "é x")]
    assert parse_query(b"a=1;b=2") == [("a", "1;b=2")]


def test_what_cannot_be_read() -> None:
    """Not UTF-8, or too much."""
    assert parse_query(b"a=%ff") is None
    assert parse_query(b"a=\xff") is None
    assert parse_query(b"&".join([b"a=1"] * 1001)) is None


@given(st.binary(max_size=60))
def test_any_bytes(query: bytes) -> None:
    """Never an error, and no more than the separators allow."""
    found = parse_query(query)

    assert found is None or len(found) <= query.count(b"&") + 1


def test_places() -> None:
    """As people write them."""
    assert parameter(["tag", 1]) == "tag[1]"
    assert parameter([]) == ""
