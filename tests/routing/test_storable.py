"""What the tables cannot hold is refused with its place."""

from typing import Any

import pytest

from routing.storable import storable_problems


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"services": [{"name": "${NAME}"}]}, "services[0].name"),
        ({"routes": [{"name": "a", "service": "${SVC:-a}"}]}, "routes[0].service"),
        ({"routes": [{"name": "a", "backends": [{"service": "${SVC}"}]}]}, "routes[0].backends[0].service"),
        ({"routes": [{"name": "a", "respond": {"body": "a\0b"}}]}, "routes[0].respond.body"),
        ({"routes": [{"name": "a", "respond": {"headers": {"a\0b": "c"}}}]}, "routes[0].respond.headers"),
        ({"routes": [{"name": "a", "respond": {"body": "\ud800"}}]}, "routes[0].respond.body"),
        (
            {"routes": [{"name": "a", "validate": {"body_schema": {"maximum": 2**64}}}]},
            "routes[0].validate.body_schema.maximum",
        ),
    ],
)
def test_what_cannot_be_stored_is_named(document: dict[str, Any], path: str) -> None:
    """Each problem says where it is."""
    assert [problem.path for problem in storable_problems(document)] == [path]


def test_ordinary_documents_have_no_such_problem() -> None:
    """Variables elsewhere, and any ordinary characters, are fine."""
    document = {
        "services": [{"name": "a", "targets": [{"url": "http://${HOST}:80"}]}],
        "routes": [{"name": "r", "service": "a", "respond": {"body": "grüße 🎉", "n": 1}}],
    }
    assert storable_problems(document) == ()
