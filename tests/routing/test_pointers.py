"""JSON pointers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.pointers import find, format_pointer, parse

VALUE = {"a": [{"b": 1}, {"b": None}, {"c": 2}, {"b": 3}], "x/y~z": {"*": 4}, "n": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("", VALUE)]),
        ("/a/0/b", [("/a/0/b", 1)]),
        ("/a/*/b", [("/a/0/b", 1), ("/a/3/b", 3)]),
        ("/a/-/b", [("/a/0/b", 1), ("/a/3/b", 3)]),
        ("/x~1y~0z/*", [("/x~1y~0z/*", 4)]),
        ("/n", []),
        ("/a/9", []),
        ("/a/x", []),
        ("/a/²", []),
        ("/a/0/b/c", []),
    ],
)
def test_places(text: str, found: list[tuple[str, object]]) -> None:
    """What is absent or null is no place."""
    pointer = parse(text)

    assert pointer is not None
    assert list(find(VALUE, pointer)) == found


@pytest.mark.parametrize("text", ["a", "#/a", "/~", "/a~2", "$.a"])
def test_what_is_no_pointer(text: str) -> None:
    """RFC 6901 section 3."""
    assert parse(text) is None


@given(st.lists(st.text(max_size=6), max_size=5))
def test_written_and_read(steps: list[str]) -> None:
    """Any names."""
    assert parse(format_pointer(steps)) == tuple(steps)
