"""What an upstream sends as its document is read within bounds, or refused with the place."""

import json

import pytest

from routing.openapi.reading import NotOpenApi
from routing.openapi.vetting import DEEPEST, MOST_VALUES, MOST_YAML, read


def test_json_and_yaml_are_read_alike() -> None:
    """Statuses as keys are texts in both."""
    yaml = b"openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: ok}\n"
    paths = {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}}

    assert read(yaml).raw["paths"] == paths
    assert read(json.dumps({"openapi": "3.0.3", "paths": paths}).encode()).raw["paths"] == paths


def nested(depth: int) -> bytes:
    return b'{"openapi": "3.1.0", "x": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "line"),
        (b"openapi: [", "line"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a: &x 1\nb: *x", "line 1"),
        (b"[]", "not a mapping"),
        (b"<html></html>", ""),
        (b'{"swagger": "2.0"}', "Swagger 2.0; convert it"),
        (b'{"openapi": "4.0"}', "3.0 or 3.1"),
        (b'{"openapi": "3.1.0", "paths": []}', "paths: it is not a mapping"),
        (b'{"openapi": "3.1.0", "components": []}', "components: it is not a mapping"),
        (nested(DEEPEST + 1), "nested deeper"),
        (nested(500_000), "nest"),
        (b'{"openapi": "3.1.0", "x": [' + b"1," * MOST_VALUES + b"1]}", "more than 200000 values"),
        (b"openapi: 3.1.0\nx: " + b"a" * MOST_YAML, "of YAML at most 512 KB"),
        (b'{"a": ' + b" " * MOST_YAML + b"}", "it is no JSON"),
        (b'{"a": 1, ' + b" " * MOST_YAML + b'"a": 2}', "duplicate key"),
    ],
    ids=range(16),
)
def test_what_is_wrong_is_said(body: bytes, why: str) -> None:
    """In a sentence; nothing else is raised."""
    with pytest.raises(NotOpenApi) as refused:
        read(body)

    assert why in str(refused.value)
    assert len(str(refused.value)) <= 300


def test_no_number_is_beyond_what_json_can_say() -> None:
    """One that is would make the whole portal's document unreadable."""
    assert read(b'{"openapi": "3.1.0", "x": [1e999, -1e999, 1e3]}').raw["x"] == ["1e999", "-1e999", 1000.0]
