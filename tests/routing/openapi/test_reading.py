"""OpenAPI documents and their operations."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.foreign import Notes
from routing.openapi.reading import NotOpenApi, Source
from tests.support.shop import shop


def test_operations_have_the_parameters_of_their_path() -> None:
    """References are followed; what an operation says itself comes first."""
    found = list(Source(shop(), Notes()).operations())

    assert [operation.place for operation in found] == [
        "GET /orders",
        "POST /orders",
        "GET /orders/{id}",
        "PUT /files/{name}.{ext}",
    ]
    assert ("header", "X-Tenant") in found[1].parameters
    assert found[1].security == [{"key": []}]
    assert found[2].security == []
    assert found[3].security == [{"bearer": []}]


def test_paths_and_servers_that_are_not_carried_over_are_named() -> None:
    """An operation goes to the document's own server, and a path begins with a slash."""
    of_path = {"servers": [{"url": "http://a"}], "get": {}}
    raw = {
        "openapi": "3.0.0",
        "paths": {"x-note": "no path", "b": {"get": {}}, "/a": of_path, "/c": {"get": {}}},
    }
    source = Source(raw, Notes())

    assert [operation.place for operation in source.operations()] == ["GET /a", "GET /c"]
    assert [line.partition(":")[0] for line in source.notes.lines()] == ["b", "GET /a"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ([], "not a mapping"),
        ({"swagger": "2.0"}, "Swagger 2.0"),
        ({}, "does not say"),
        ({"openapi": "4.0.0"}, "does not say"),
    ],
)
def test_other_documents_are_refused(raw: object, why: str) -> None:
    """In a sentence."""
    with pytest.raises(NotOpenApi, match=why):
        Source(raw, Notes())


def test_servers() -> None:
    """The first, with its variables filled in."""
    assert Source(shop(), Notes()).server() == "https://shop.example.com/v1/"
    assert Source({"openapi": "3.1.0"}, Notes()).server() is None


@pytest.mark.parametrize(
    "reference", ["other.yaml#/a", "http://127.0.0.1:9/a", "#/no/where", "#/paths/~1loop"]
)
def test_references_that_lead_nowhere_are_noted(reference: str) -> None:
    """Nothing is fetched; circles end."""
    notes = Notes()
    raw = shop()
    raw["paths"] = {"/loop": {"$ref": "#/paths/~1loop"}, "/x": {"$ref": reference}}

    assert list(Source(raw, notes).operations()) == []
    assert len(notes.lines()) == (0 if reference == "#/paths/~1loop" else 1)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["/a", "get", "parameters", "requestBody", "security", "in", "name", "$ref", "servers"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)


@given(anything, anything)
def test_any_document_is_read(paths: Any, servers: Any) -> None:
    """Never an error."""
    source = Source({"openapi": "3.1.0", "paths": paths, "servers": servers}, Notes())
    assert all(operation.path.startswith("/") for operation in source.operations())
    source.server()
