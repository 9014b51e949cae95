"""Who may call."""

from typing import Any

import pytest

from routing.foreign import Notes
from routing.openapi.reading import Operation, Source
from routing.openapi.security import auth_of
from tests.support.shop import shop


@pytest.mark.parametrize(
    ("security", "auth", "notes"),
    [
        (None, None, 1),
        ([], {"level": "public"}, 0),
        ([{}, {"bearer": []}], {"level": "public"}, 0),
        ([{"bearer": []}], {"level": "user", "methods": ["jwt"]}, 0),
        ([{"key": []}, {"bearer": []}], {"level": "user", "methods": ["jwt", "api_key"]}, 0),
        (
            [{"oauth": ["write", "read"]}],
            {"level": "user", "methods": ["jwt"], "scopes": ["read", "write"]},
            0,
        ),
        (
            [{"oauth": ["a"]}, {"key": []}],
            {"level": "user", "methods": ["jwt", "api_key"], "scopes": ["a"]},
            1,
        ),
        (
            [{"oauth": ["b"]}, {"oauth": ["a"]}],
            {"level": "user", "methods": ["jwt"], "scopes": ["a", "b"]},
            1,
        ),
        ([{"basic": []}], {"level": "user"}, 1),
        ([{"nobody": []}], {"level": "user"}, 1),
        ([{"bearer": [], "key": []}], {"level": "user", "methods": ["jwt"]}, 1),
        (["nonsense"], {"level": "user"}, 0),
    ],
)
def test_as_auth(security: list[Any] | None, auth: dict[str, Any] | None, notes: int) -> None:
    """Where it is clear; else the route stays closed, and a note says why."""
    source = Source(shop(), Notes())

    assert auth_of(Operation("/a", "get", "", security=security), source) == auth
    assert len(source.notes.lines()) == notes
