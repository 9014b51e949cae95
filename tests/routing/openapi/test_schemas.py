"""Schemas of OpenAPI as JSON Schemas that stand for themselves."""

from typing import Any

import pytest

from routing.foreign import Notes
from routing.jsonschemas import SchemaFault, compile_schema
from routing.openapi.reading import Source
from routing.openapi.schemas import Bundler, escaped
from tests.support.shop import shop


def bundled(schema: Any, *, version: str = "3.0.3", notes: Notes | None = None) -> Any:
    raw = shop()
    raw["openapi"] = version
    return Bundler(Source(raw, notes or Notes()), "GET /x").bundled(schema)


def test_what_is_referred_to_is_bundled_once() -> None:
    """Also where it refers to itself; what a service only gives is not asked for."""
    made = bundled({"$ref": "#/components/schemas/Order"})

    assert list(made["$defs"]) == ["Order", "Item"]
    assert made["$defs"]["Order"]["required"] == ["customer", "items"]
    compiled = compile_schema(made)
    assert not isinstance(compiled, SchemaFault)
    assert compiled.is_valid({"customer": "a", "items": [{"sku": "b", "parts": []}], "note": None})
    assert not compiled.is_valid({"customer": "a", "items": [{"sku": "B"}]})


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"allOf": [{}], "nullable": True}, {"anyOf": [{"allOf": [{}]}, {"type": "null"}]}),
        ({"maximum": 5, "exclusiveMaximum": True}, {"exclusiveMaximum": 5}),
        ({"maximum": 5, "exclusiveMaximum": False}, {"maximum": 5}),
        (
            {"type": "string", "format": "uuid", "example": "x", "x-a": 1},
            {"type": "string", "format": "uuid"},
        ),
        ({"type": "string", "format": "date-time"}, {"type": "string"}),
        ({"properties": {"example": {"type": "string"}}}, {"properties": {"example": {"type": "string"}}}),
        ({"required": True, "type": "string"}, {"type": "string"}),
        ({"not": {"anyOf": [{"x-a": 1}]}, "items": True}, {"not": {"anyOf": [{}]}, "items": True}),
    ],
)
def test_dialects(schema: dict[str, Any], made: dict[str, Any]) -> None:
    """What 3.0 says in its own way."""
    assert bundled(schema) == made


def test_schemas_that_say_nothing() -> None:
    """None, or only what is no rule."""
    assert bundled(None) is None
    assert bundled({"example": 1}) is None


def test_references_that_lead_out_are_noted() -> None:
    """Anything is taken there."""
    notes = Notes()

    assert bundled({"properties": {"a": {"$ref": "other.yaml#/b"}}}, notes=notes) == {"properties": {"a": {}}}
    assert "other.yaml" in notes.lines()[0]


def test_texts_are_not_filled_in() -> None:
    """A pattern may hold what the environment would be read for."""
    assert escaped({"${A}": ["^\\${a}$", 1]}) == {"${A}": ["^\\$${a}$", 1]}
