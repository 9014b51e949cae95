"""JSON Schemas that people write."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import jsonschemas
from routing.jsonschemas import MOST_BYTES, SchemaFault, compile_schema, references


def compiled(schema: dict[str, Any]) -> jsonschemas.Validator:
    found = compile_schema(schema)
    assert not isinstance(found, SchemaFault), found
    return found


@pytest.mark.parametrize(
    ("schema", "location", "word"),
    [
        ({"$ref": "http://127.0.0.1:9/a.json"}, ("$ref",), "nothing is fetched"),
        ({"$ref": "file:///etc/passwd"}, ("$ref",), "nothing is fetched"),
        ({"items": [{}, {"$ref": "other.json#/a"}]}, ("items",), ""),
        ({"properties": {"a": {"$ref": "other.json#/a"}}}, ("properties", "a", "$ref"), "nothing is fetched"),
        ({"properties": {"a": {"$ref": "#/$defs/no"}}}, ("properties", "a", "$ref"), "leads nowhere"),
        ({"properties": {"a": {"type": "strin"}}}, ("properties", "a", "type"), "not a type"),
        ({"pattern": "("}, ("pattern",), "regex"),
        ({"minimum": "3"}, ("minimum",), "number"),
        ({"required": "a"}, ("required",), "array"),
        ({"$schema": "http://example.com/mine"}, ("$schema",), "dialect"),
        ({"const": object()}, (), "not JSON"),
        ({"description": "a" * MOST_BYTES}, (), "larger than 256 KB"),
    ],
)
def test_what_cannot_be_used(schema: dict[str, Any], location: tuple[str, ...], word: str) -> None:
    """With the place in it, and why. Nothing is asked for over the network, nor read from a file."""
    fault = compile_schema(schema)

    assert isinstance(fault, SchemaFault)
    assert fault.location == location
    assert word in fault.message
    assert len(fault.message) < 300


def test_dialects() -> None:
    """2020-12, unless the schema says otherwise."""
    assert isinstance(compiled({}), jsonschema_rs.Draft202012Validator)
    old = compiled(
        {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    )
    assert not old.is_valid(1)


def test_formats_are_checked() -> None:
    """Those that are known."""
    schema = compiled({"properties": {"a": {"format": "email"}, "b": {"format": "mine"}}})

    assert not schema.is_valid({"a": "nobody"})
    assert schema.is_valid({"a": "ada@example.com", "b": "x"})


def test_the_same_schema_is_compiled_once() -> None:
    """However often it is looked at."""
    assert compiled({"title": "once", "type": "object"}) is compiled({"title": "once", "type": "object"})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$dynamicRef": "#"},
    ],
)
def test_schemas_that_go_round_in_circles_end(schema: dict[str, Any]) -> None:
    """With some answer."""
    assert compiled(schema).is_valid({"a": 1}) in (True, False)


def test_patterns_that_look_back_for_ever_do_not_match() -> None:
    """After a while."""
    assert not compiled({"pattern": "^(a|a)*(?=b)$"}).is_valid("a" * 60)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "$ref", "items", "properties", "enum", "allOf", "$id", "pattern", "a"]),
            inner,
        ),
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["type", "$ref", "properties", "items", "$defs", "$schema"]), anything)
)
def test_any_mapping_is_judged(schema: dict[str, Any]) -> None:
    """Never an error."""
    compile_schema(schema)
    assert all(place[-1] in ("$ref", "$dynamicRef") for place, _ in references(schema))
