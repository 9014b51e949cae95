"""What `validate` of a route must be."""

from typing import Any

import pytest

from routing.document.validate_rules import check_validate
from routing.problems import format_path


def lines(part: Any) -> list[str]:
    return [f"{each.id} {format_path(each.location)}: {each.message}" for each in check_validate({}, part)]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"body_schema": {"properties": {"a": {"type": "strin"}}}},
            "gateway.E041 validate.body_schema.properties.a.type: is not a type",
        ),
        ({"query_schema": {"$ref": "http://a/b"}}, 'gateway.E041 validate.query_schema["$ref"]: '),
        ({"content_types": ["a/b", "a/b"]}, "gateway.E032 validate.content_types[1]"),
        ({"upload": {"types": ["a/b", "a/b"]}}, "gateway.E032 validate.upload.types[1]"),
        ({"upload": {"max_file": 1}, "data_urls": ["a"]}, 'gateway.E042 validate.data_urls[0]: "a" is not'),
        ({"data_urls": ["/a"]}, "gateway.E036 validate.data_urls: needs validate.upload"),
    ],
)
def test_reported(part: dict[str, Any], message: str) -> None:
    """Each at its place."""
    [line] = lines(part)

    assert line.startswith(message)


@pytest.mark.parametrize(
    "part",
    [
        "nonsense",
        {"body_schema": 5, "query_schema": [], "content_types": 1, "upload": 2, "data_urls": 3},
        {"data_urls": [1], "upload": {"types": None, "max_file": 1}},
        {"body_schema": {"type": "object"}, "upload": {"types": ["image/*"]}, "data_urls": ["", "/a/*/b"]},
    ],
)
def test_nothing_to_report(part: Any) -> None:
    """Wrong kinds of values are reported elsewhere."""
    assert lines(part) == []
