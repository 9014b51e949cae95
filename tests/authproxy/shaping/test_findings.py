"""What a schema has to say of a value."""

import json
from typing import Any

import pytest

from authproxy.shaping.findings import MASK, MOST, SMALL, findings, shown
from routing.jsonschemas import SchemaFault, compile_schema


def found(schema: dict[str, Any], value: Any) -> list[dict[str, Any]]:
    validator = compile_schema(schema)
    assert not isinstance(validator, SchemaFault)
    return findings(validator, value, len(json.dumps(value)))


@pytest.mark.parametrize(
    ("schema", "value", "field", "expected"),
    [
        ({"type": ["string", "null"]}, 1, "", ("string or null", "null or string")),
        ({"items": {"enum": ["a", 1]}}, ["b"], "/0", ["a", 1]),
        ({"const": {"a": 1}}, 2, "", {"a": 1}),
        ({"minimum": 2}, 1, "", "at least 2"),
        ({"exclusiveMaximum": 2}, 2, "", "below 2"),
        ({"multipleOf": 2}, 3, "", "a multiple of 2"),
        ({"minLength": 2}, "a", "", "at least 2 characters"),
        ({"pattern": "^a$"}, "b", "", "matches ^a$"),
        ({"format": "email"}, "b", "", "format email"),
        ({"uniqueItems": True}, [1, 1], "", "no item twice"),
        ({"maxItems": 1}, [1, 1], "", "at most 1 items"),
        ({"minProperties": 1}, {}, "", "at least 1 members"),
        ({"required": ["a/b"]}, {}, "/a~1b", "present"),
        ({"additionalProperties": False}, {"a": 1}, "", "no members"),
        ({"properties": {"b": {}}, "additionalProperties": False}, {"a": 1}, "/a", "absent"),
        ({"unevaluatedProperties": False}, {"a": 1}, "/a", "absent"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "", "one of the alternatives"),
        ({"oneOf": [{}, {}]}, 1, "", "exactly one of the alternatives"),
        ({"not": {}}, 1, "", "not of this kind"),
        ({"properties": {"a": False}}, {"a": 1}, "/a", "absent"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "", "names of members as the schema says"),
        ({"contains": {"type": "string"}}, [1], "", "an item of the kind that is asked for"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "/b", "present"),
        ({"pattern": "^(a|a)*(?=b)$"}, "a" * 40 + "c", "", "as the schema says (pattern)"),
    ],
)
def test_places_and_wishes(schema: dict[str, Any], value: Any, field: str, expected: Any) -> None:
    """Each keyword in words."""
    [detail] = found(schema, value)

    assert detail["field"] == field
    assert detail["expected"] in (expected if isinstance(expected, tuple) else (expected,))


def test_they_are_few() -> None:
    """Of a small value the first twenty, of a large one the first."""
    schema = {"items": {"type": "string"}}

    assert len(found(schema, [1] * 100)) == MOST
    assert len(found(schema, [1] * SMALL)) == 1


def test_too_deep() -> None:
    """Said in words."""
    value: Any = 1
    for _ in range(900):
        value = [value]
    validator = compile_schema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]})
    assert not isinstance(validator, SchemaFault)

    assert findings(validator, value, 100)[0]["expected"] == "not nested as deeply"


@pytest.mark.parametrize(
    "name", ["password", "access_token", "clientSecret", "apiKey", "PIN", "Authorization", "card_cvc"]
)
def test_secrets_are_masked(name: str) -> None:
    """And what is below them."""
    assert shown([name], "hunter2") == MASK
    assert shown([name, 0, "x"], 5) == MASK
    assert shown([name], None) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a" * 200, "a" * 99 + "…"),
        ({"a": "secret"}, "an object of 1"),
        ([1, 2], "a list of 2"),
        (10**40, "a huge number"),
        (True, True),
        (1.5, 1.5),
    ],
)
def test_values_are_shortened(value: Any, told: Any) -> None:
    """Nothing of what is inside of others is shown."""
    assert shown(["spinner"], value) == told
