"""Expressions of a route."""

from routing.document.routes import RouteSpec
from routing.shapes.transform import transform_note, transform_of


def spec(**transform: object) -> RouteSpec:
    return RouteSpec.model_validate({"name": "r", "service": "s", "transform": transform})


def test_expressions_are_compiled_once() -> None:
    """A section without any is none."""
    assert transform_of(spec()) is None
    found = transform_of(spec(response="a.b", max_body="64KB"))
    assert found is not None
    assert found.request is None
    assert found.response is not None
    assert (found.response.parsed.search({"a": {"b": 1}}), found.max_body) == (1, 65536)
    [note] = transform_note(found, "route")
    assert note.details["response"] == "a.b"
