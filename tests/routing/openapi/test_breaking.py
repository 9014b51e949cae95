"""What callers may no longer do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.jsonschemas import SchemaFault, compile_schema
from routing.openapi.breaking import breaking_changes, narrowings
from routing.openapi.converting import convert
from tests.support.shop import shop


def changed(change: Any) -> list[str]:
    """What breaks when the shop is changed so."""
    raw = shop()
    change(raw)
    before, after = convert(shop(), service="shop"), convert(raw, service="shop")
    return breaking_changes(before.document["routes"], after.document["routes"])


def test_nothing_breaks_what_stays() -> None:
    """Nor an operation that is new."""
    assert changed(lambda raw: None) == []
    assert changed(lambda raw: raw["paths"].update({"/new": {"get": {}}})) == []


def test_operations_parameters_and_fields() -> None:
    """Removed, required, narrowed; each with its place."""

    def change(raw: Any) -> None:
        del raw["paths"]["/orders/{id}"]
        raw["paths"]["/orders"]["get"]["parameters"].append({"name": "year", "in": "query", "required": True})
        raw["paths"]["/orders"]["post"]["security"] = [{"bearer": []}]
        tenant = raw["components"]["parameters"]["Tenant"]
        tenant["schema"]["enum"] = ["acme"]
        schemas = raw["components"]["schemas"]
        schemas["Order"]["required"].append("note")
        schemas["Item"]["properties"]["sku"] = {"type": "integer"}

    assert changed(change) == [
        "GET /orders/{id}: removed",
        "GET /orders: header x-tenant: fewer values",
        "GET /orders: query/year: now required",
        "POST /orders: auth: no longer by api_key",
        "POST /orders: header x-tenant: fewer values",
        "POST /orders: body/note: now required",
        "POST /orders: body/items/*/sku: type string → integer",
    ]


def test_header_that_may_be_missing() -> None:
    """It asks nothing of those who do not send it; what must be there now is told."""
    route = {"match": {"path": "/a", "methods": ["GET"]}}
    maybe = {**route, "require_headers": {"x-mode": {"optional": True}}}
    must = {**route, "require_headers": {"x-mode": {}}}
    assert breaking_changes([route], [maybe]) == []
    assert breaking_changes([maybe], [must]) == ["GET /a: header x-mode: now required"]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({}, {"type": "string"}, "type any → string"),
        ({"type": "integer"}, {"type": "number"}, None),
        ({"type": "string"}, {"type": ["string", "null"]}, None),
        ({"enum": [1, 2]}, {"enum": [2, 3]}, "no longer 1"),
        ({}, {"enum": [1]}, "only some values any more"),
        ({"maximum": 5}, {"maximum": 4}, "maximum 5 → 4"),
        ({"maximum": 5}, {"maximum": 6}, None),
        ({}, {"minLength": 1}, "minLength none → 1"),
        ({}, {"pattern": "a"}, "pattern is new"),
        ({"pattern": "b"}, {"pattern": "a"}, "pattern has changed"),
        ({"pattern": "b"}, {}, None),
        ({"anyOf": [{}]}, {"anyOf": [{"type": "null"}]}, "anyOf has changed"),
        ({}, {"additionalProperties": False}, "no other members any more"),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"properties": {}, "additionalProperties": False},
            "no longer taken",
        ),
        ({"properties": {"a": {}}}, {"properties": {"a": False}}, "no longer taken"),
        ({"$ref": "#"}, {"$ref": "#"}, None),
    ],
)
def test_schemas(before: dict[str, Any], after: dict[str, Any], change: str | None) -> None:
    """Read side by side."""
    assert [found for _, found in narrowings(before, after)] == ([] if change is None else [change])


def test_bodies_and_uploads() -> None:
    """Types, and whether there must be one."""
    before = {
        "match": {},
        "validate": {"content_types": ["a/b"], "body_required": False, "upload": {"types": ["c/d"]}},
    }
    after = {"match": {}, "validate": {"content_types": ["e/f"], "upload": {"types": ["g/h"]}}}

    assert breaking_changes([before], [after]) == [
        "ANY /: body: no longer a/b",
        "ANY /: body: now required",
        "ANY /: upload: fewer types",
    ]
    assert breaking_changes([{}], [after])[0] == "ANY /: body: only e/f"
    public, closed = {"auth": {"level": "public"}}, {"auth": {"scopes": ["a"]}}
    assert breaking_changes([public], [closed]) == [
        "ANY /: auth: no longer public",
        "ANY /: auth: asks for a",
    ]


simple = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", ["string", "null"]]),
        "enum": st.lists(st.sampled_from([1, 2, "a", None]), min_size=1, max_size=3, unique_by=repr),
        "minimum": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
    },
)
objects = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from(["a", "b"]), simple)},
    optional={"required": st.sampled_from([["a"], ["b"]]), "additionalProperties": st.just(False)},
)
values = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from([1, 2, 0, "a", "abcd", None]))


@given(objects, objects, values)
def test_whatever_is_no_longer_taken_is_told(before: Any, after: Any, value: Any) -> None:
    """Unless a member was not spoken of before."""
    old, new = compile_schema(before), compile_schema(after)
    assert not isinstance(old, SchemaFault)
    assert not isinstance(new, SchemaFault)
    is_spoken_of = set(after["properties"]) <= set(before["properties"])
    if is_spoken_of and old.is_valid(value) and not new.is_valid(value):
        assert list(narrowings(before, after))
