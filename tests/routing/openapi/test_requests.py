"""What is asked of requests."""

from typing import Any

import pytest

from routing.foreign import Notes
from routing.openapi.reading import Operation, Source
from routing.openapi.requests import required_headers_of, validate_of
from tests.support.shop import shop

OBJECT = {"schema": {"type": "object"}}
JSON_AND_OTHERS = "only the media type of its body is checked: it may be of several kinds"


def judged(*parameters: dict[str, Any], body: dict[str, Any] | None = None) -> tuple[Any, Any, list[str]]:
    source = Source(shop(), Notes())
    listed = {(each["in"], each["name"]): each for each in parameters}
    operation = Operation("/a", "post", "", listed, body)
    found = validate_of(operation, source), required_headers_of(operation, source)
    return *found, [line.removeprefix("POST /a: ") for line in source.notes.lines()]


@pytest.mark.parametrize(
    ("parameter", "schema", "note"),
    [
        ({"schema": {"type": "integer"}}, {"type": "integer"}, None),
        ({"schema": {"type": "array"}, "explode": False}, {}, "style form, not exploded"),
        ({"schema": {"type": "array"}, "style": "pipeDelimited"}, {}, "style pipeDelimited"),
        ({"schema": {"type": "object"}}, {}, "it is an object"),
        ({"content": {"application/json": {}}}, {}, "a media type of its own"),
        ({}, {}, None),
    ],
)
def test_queries(parameter: dict[str, Any], schema: dict[str, Any], note: str | None) -> None:
    """As a schema of all parameters."""
    validate, _, notes = judged({"name": "q", "in": "query", "required": True, **parameter})

    assert validate == {"query_schema": {"type": "object", "properties": {"q": schema}, "required": ["q"]}}
    assert notes == [] if note is None else note in notes[0]


@pytest.mark.parametrize(
    ("content", "required", "validate", "note"),
    [
        (
            {"application/json": OBJECT},
            True,
            {"content_types": ["application/json"], "body_schema": {"type": "object"}},
            None,
        ),
        (
            {"Application/JSON; charset=utf-8": OBJECT},
            False,
            {
                "content_types": ["application/json"],
                "body_schema": {"type": "object"},
                "body_required": False,
            },
            None,
        ),
        ({"application/json": {}}, True, {"content_types": ["application/json"]}, None),
        ({"*/*": OBJECT}, True, {}, None),
        ({"text/csv": {}}, True, {"content_types": ["text/csv"]}, None),
        ({"text/csv": OBJECT}, True, {"content_types": ["text/csv"]}, "it is not JSON"),
        (
            {"application/json": OBJECT, "text/csv": {}},
            True,
            {"content_types": ["application/json", "text/csv"]},
            JSON_AND_OTHERS,
        ),
        (
            {"application/json": OBJECT, "application/ld+json": {"schema": {"type": "array"}}},
            True,
            {"content_types": ["application/json", "application/ld+json"]},
            JSON_AND_OTHERS,
        ),
        (
            {"multipart/form-data": OBJECT},
            True,
            {"content_types": ["multipart/form-data"]},
            "parts of its form",
        ),
        (
            {"application/json": {"schema": {"type": "nonsense"}}},
            True,
            {"content_types": ["application/json"]},
            "its schema is left out: type is not a type",
        ),
    ],
)
def test_bodies(content: dict[str, Any], required: bool, validate: dict[str, Any], note: str | None) -> None:
    """JSON by its schema, everything by its media type."""
    found, _, notes = judged(body={"content": content, "required": required})

    assert found == validate
    assert notes == [] if note is None else note in notes[0]


def test_header_fields() -> None:
    """Those that must be there, with the values that they may have."""
    _, required, notes = judged(
        {"name": "X-A", "in": "header", "required": True, "schema": {"enum": ["a", 5]}},
        {"name": "X-B", "in": "header", "required": True, "schema": {"type": "string", "pattern": "^a"}},
        {"name": "X-C", "in": "header"},
        {"name": "Authorization", "in": "header", "required": True},
        {"name": "session", "in": "cookie"},
    )

    assert required == {"x-a": {"one_of": ["a", "5"]}, "x-b": {}}
    assert len(notes) == 3
