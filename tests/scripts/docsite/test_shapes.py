"""JSON Schema in words."""

from typing import Any

import pytest

from scripts.docsite.shapes import example, kind, written


def link(name: str) -> str:
    return f"<{name}>"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "boolean"}, "`true` or `false`"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer, from 1 to 9"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, above 0"),
        ({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"}, "duration"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "integer"),
        ({"enum": ["a", "b", True]}, "`a`, `b` or `true`"),
        ({"const": 1}, "`1`"),
        ({"type": "array", "items": {"$ref": "#/$defs/Target"}}, "list of <Target>"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "mapping of names to text"),
        ({"type": "object", "properties": {"header": {"type": "string"}}}, "`{`header: text`}`"),
        ({"type": ["string", "null"], "format": "date-time"}, "date time"),
        ({}, "any JSON"),
    ],
)
def test_kinds(schema: dict[str, Any], words: str) -> None:
    """What may stand there."""
    assert kind(schema, link) == words


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "examples": ["x"]}, "x"),
        ({"type": "boolean", "default": True}, False),
        ({"enum": ["a", "b"], "default": "a"}, "b"),
        ({"type": "array", "items": {"enum": ["a"]}}, ["a"]),
        ({"type": "integer", "minimum": 3}, 3),
        ({"anyOf": [{"type": "null"}, {"const": 1}]}, 1),
        ({"type": "string", "pattern": "[KMGkmg]"}, "10MB"),
        ({"type": "object"}, None),
    ],
)
def test_examples(schema: dict[str, Any], value: Any) -> None:
    """A given one, another than the default, or what its kind suggests."""
    assert example(schema) == value


def test_values_are_written_in_a_line() -> None:
    """As YAML reads them."""
    assert written({"a": [1, True, "*"], "b": ""}) == '{a: [1, true, "*"], b: ""}'
