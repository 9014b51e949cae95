"""The JSON Schema for editors."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from routing.document.routes import RouteSpec
from routing.document.schema import EXAMPLE, KINDS, DocumentSpec, json_schema
from routing.validation import check_document

SCHEMA = json_schema()


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema; names of properties are not words of JSON Schema."""
    if isinstance(node, list):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, dict):
        yield node
        for name, value in node.items():
            if name in ("properties", "patternProperties", "$defs"):
                for each in value.values():
                    yield from nodes(each)
            elif name not in ("default", "examples", "enum", "const"):
                yield from nodes(value)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """A small validator for the words that our schema uses."""
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": int | float,
        "boolean": bool,
    }
    kind = schema.get("type")
    if kind == "null" or (kind and value is None):
        return kind == "null" and value is None
    if kind and (
        not isinstance(value, kinds[kind]) or (kind in ("integer", "number") and isinstance(value, bool))
    ):
        return False
    if kind == "string" and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if kind == "array":
        return all(fits(item, schema.get("items", {})) for item in value)
    return kind != "object" or fits_object(value, schema)


def fits_object(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        matching = [each for pattern, each in patterns.items() if re.search(pattern, name)]
        known = [properties[name]] if name in properties else matching
        if not known and rest is False:
            return False
        if not all(fits(item, each) for each in known or ([rest] if isinstance(rest, dict) else [])):
            return False
    return set(schema.get("required", ())) <= value.keys()


def test_head_names_no_host() -> None:
    """The schema has an identity that nobody will try to fetch."""
    assert SCHEMA["$id"] == "urn:torana:configuration:1"
    assert SCHEMA["title"] == "Torana configuration"
    json.dumps(SCHEMA)


def test_every_section_and_key_is_there() -> None:
    """What the document may have, editors know."""
    assert list(SCHEMA["properties"]) == ["version", "defaults", *KINDS]
    route = SCHEMA["$defs"]["RouteSpec"]["properties"]
    assert set(route) == {info.alias or name for name, info in RouteSpec.model_fields.items()}


def test_every_key_is_described() -> None:
    """Each property says what it is for."""
    for part in SCHEMA["$defs"].values():
        for variant in part.get("anyOf", [part]):
            assert all(each.get("description") for each in variant.get("properties", {}).values())
    assert all(part["description"] for part in SCHEMA["$defs"].values())


def test_patterns_compile_and_allow_references() -> None:
    """Where a text has a pattern, `${VAR}` fits it."""
    patterns = [node["pattern"] for node in nodes(SCHEMA) if isinstance(node.get("pattern"), str)]

    assert len(patterns) > 30
    assert all(re.search(pattern, "${VAR}") for pattern in patterns)


def test_unknown_keys_are_marked() -> None:
    """An editor underlines a misspelt key."""
    closed = [node for node in nodes(SCHEMA) if node.get("type") == "object" and "properties" in node]

    assert all(node["additionalProperties"] is False or "mode" in node["properties"] for node in closed)


def test_defaults_are_written_as_people_write() -> None:
    """Durations are texts, and a default of nothing is not shown."""
    timeout = SCHEMA["$defs"]["TimeoutSpec"]["properties"]

    assert timeout["connect"]["default"] == "2s"
    assert all(node.get("default", 0) is not None for node in nodes(SCHEMA))


def test_example_is_valid() -> None:
    """What the schema shows as an example is accepted."""
    assert check_document(EXAMPLE, env={}).problems == ()
    assert fits(EXAMPLE, SCHEMA)


@pytest.mark.parametrize(
    "route",
    [
        {
            "match": {"headers": {"x-a": "1", "x-b": {"regex": "b"}}},
            "quotas": ["a", {"name": "b", "mode": "log"}],
        },
        {"redirect": {"path": "/a"}},
        {"redirect": {"path": {"prefix": "/a"}}, "status_map": {"404": 204}},
        {
            "timeout": "${WAIT:-3s}",
            "limits": {"max_body": 5},
            "require_headers": {"mode": "log", "x-a": {"one_of": []}},
        },
        {"sticky": "consumer", "validate": {"body_schema": {"anything": [None]}}},
    ],
)
def test_what_is_accepted_fits(route: dict[str, Any]) -> None:
    """Shorthands, references and maps fit the schema as they fit the gateway."""
    assert fits({"routes": [{"name": "r", **route}]}, SCHEMA)


@pytest.mark.parametrize(
    "route", [{"nmae": "x"}, {"timeout": 5}, {"enabled": "yes"}, {"match": {"path_type": "x"}}]
)
def test_what_is_refused_does_not_fit(route: dict[str, Any]) -> None:
    """An editor sees the same mistakes."""
    assert not fits({"routes": [{"name": "r", **route}]}, SCHEMA)
    assert not fits({"routes": [{}]}, SCHEMA)


def test_specification_and_schema_come_from_one_source() -> None:
    """The document's class has the same sections."""
    assert set(DocumentSpec.model_fields) == set(SCHEMA["properties"])


def test_examples_of_keys_fit() -> None:
    """Each by the schema of its key; numbers that count as names are written as texts, as JSON has them."""
    whole = json_schema()
    wrong = []
    for part, properties in [("", whole), *whole["$defs"].items()]:
        for key, schema in properties.get("properties", {}).items():
            validator = jsonschema_rs.validator_for({**schema, "$defs": whole["$defs"]})
            for example in schema.get("examples", ()):
                if not validator.is_valid(json.loads(json.dumps(example))):
                    wrong.append((part, key, example))
    assert wrong == []


def test_bounds_are_words_of_json_schema() -> None:
    """Those of pydantic mean nothing to editors; nor does a choice of nothing."""
    text = json.dumps(json_schema())
    assert [word for word in ("ge", "gt", "le", "lt") if f'"{word}":' in text] == []
    assert '"enum": []' not in text
