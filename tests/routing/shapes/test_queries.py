"""Query parameters as a schema sees them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.shapes.queries import coerced, query_shape_of

SCHEMA: dict[str, Any] = {
    "$defs": {"page": {"type": "integer"}, "self": {"$ref": "#/$defs/self"}},
    "properties": {
        "page": {"$ref": "#/$defs/page"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "either": {"type": ["integer", "string"]},
        "tags": {"type": "array", "items": {"type": "number"}},
        "level": {"enum": [1, 2]},
        "flag": {"const": True},
        "loop": {"$ref": "#/$defs/self"},
        "far": {"$ref": "other.json"},
        "bool": True,
    },
    "allOf": [{"properties": {"more": {"type": "boolean"}}}],
    "additionalProperties": {"type": "integer"},
}


@pytest.mark.parametrize(
    ("name", "texts", "value"),
    [
        ("page", ["5"], 5),
        ("page", ["05"], "05"),
        ("page", ["5", "6"], [5, 6]),
        ("page", ["9" * 19], "9" * 19),
        ("maybe", [""], None),
        ("maybe", ["null"], None),
        ("maybe", ["-7"], -7),
        ("either", ["5"], "5"),
        ("tags", ["1.5"], [1.5]),
        ("tags", ["1", "x"], [1, "x"]),
        ("level", ["2"], 2),
        ("flag", ["true"], True),
        ("loop", ["1"], "1"),
        ("far", ["1"], "1"),
        ("bool", ["1"], "1"),
        ("more", ["false"], False),
        ("more", ["0"], "0"),
        ("other", ["3"], 3),
    ],
)
def test_values(name: str, texts: list[str], value: Any) -> None:
    """By the kinds that the schema names."""
    shape = query_shape_of(SCHEMA)

    assert shape.values([(name, text) for text in texts]) == {name: value}


@given(
    st.text(max_size=40), st.frozensets(st.sampled_from(["integer", "number", "boolean", "null", "array"]))
)
def test_any_text_has_a_value(text: str, types: frozenset[str]) -> None:
    """Itself, or what it looks like."""
    value = coerced(text, types)

    assert value == text or not isinstance(value, str)


@given(st.integers(-(10**17), 10**17), st.floats(-1e30, 1e30, allow_nan=False))
def test_numbers_are_read_as_written(integer: int, number: float) -> None:
    """As JSON has them."""
    assert coerced(str(integer), frozenset({"integer"})) == integer
    assert coerced(repr(number), frozenset({"number"})) in (number, repr(number))
