"""What the keys of a route's `auth` must be to each other."""

from typing import Any

import pytest

from routing.document.auth_rules import check_auth
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("auth", "found"),
    [
        ({"level": "public", "reject_invalid": True, "scopes": [], "roles": None}, []),
        ({"scopes": ["read"], "roles": ["a"], "methods": ["jwt"]}, []),
        ({"level": "public", "scopes": ["read"]}, ["E022 auth.scopes: a public route asks nobody for them"]),
        ({"level": "public", "roles": ["a"]}, ["E022 auth.roles: a public route asks nobody"]),
        ({"reject_invalid": True}, ["W005 auth.reject_invalid: has no effect"]),
        ({"methods": []}, ["E036 auth.methods: needs at least one of jwt, api_key, session"]),
        ({"methods": ["jwt", "jwt"]}, ['E032 auth.methods[1]: "jwt" is there twice']),
        ({"scopes": ["a", "b", "a"]}, ['E032 auth.scopes[2]: "a" is there twice']),
        ("user", []),
        ({"level": 5, "scopes": "a", "roles": 5, "methods": "jwt"}, []),
    ],
)
def test_keys_of_auth(auth: Any, found: list[str]) -> None:
    """A route that asks for rights is never public by mistake; wrong types are somebody else's to judge."""
    reported = lines(check_auth({}, auth))

    assert len(reported) == len(found)
    assert all(line.startswith(start) for line, start in zip(reported, found, strict=True))
