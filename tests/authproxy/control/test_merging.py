"""Merge patches, and entries put in and taken out."""

from typing import Any

import pytest

from authproxy.control.merging import found, patched, with_entry, without_entry

DOCUMENT = {"version": 1, "routes": [{"name": "a"}, {"name": "b"}]}


@pytest.mark.parametrize(
    ("value", "patch", "result"),
    [  # of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches(value: Any, patch: Any, result: Any) -> None:
    """As the standard has them."""
    assert patched(value, patch) == result


def test_an_entry_goes_first() -> None:
    """In place of its elder."""
    merged = with_entry(DOCUMENT, "routes", {"name": "b", "priority": 1})
    assert merged.document["routes"] == [{"name": "b", "priority": 1}, {"name": "a"}]
    assert with_entry(DOCUMENT, "quotas", {"name": "q"}).document["quotas"] == [{"name": "q"}]


def test_an_entry_goes() -> None:
    """And is said to."""
    merged = without_entry(DOCUMENT, "routes", "a")
    assert (merged.document["routes"], merged.pruned) == ([{"name": "b"}], ("routes a",))
    assert found(DOCUMENT, "routes", "a") == {"name": "a"}
    assert found(merged.document, "routes", "a") is None
