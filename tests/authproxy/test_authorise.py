"""Levels, roles and scopes: who may, and what somebody who may not is told."""

from typing import Any

import pytest

from authproxy.authorise import judge
from authproxy.identity import Identity
from routing.snapshot import PUBLIC, Auth

ROLES = {"analyst": frozenset({"read"}), "boss": frozenset({"read", "write"})}


def caller(**known: Any) -> Identity:
    return Identity(method="jwt", consumer="ada", **known)


@pytest.mark.parametrize(
    ("auth", "identity"),
    [
        (PUBLIC, None),
        (PUBLIC, caller()),
        (Auth(), caller()),
        (Auth(level="admin"), caller(is_staff=True)),
        (Auth(level="admin"), caller(is_staff=True, ceiling=frozenset({"read"}))),
        (Auth(roles=frozenset({"boss"})), caller(roles=frozenset({"boss"}), ceiling=frozenset())),
        (Auth(level="service"), caller(kind="service")),
        (Auth(scopes=frozenset({"read"})), caller(direct=frozenset({"read"}))),
        (Auth(scopes=frozenset({"read", "write"})), caller(roles=frozenset({"boss"}))),
        (
            Auth(scopes=frozenset({"read", "x"})),
            caller(roles=frozenset({"analyst"}), direct=frozenset({"x"})),
        ),
        (Auth(roles=frozenset({"boss", "other"})), caller(roles=frozenset({"other", "more"}))),
    ],
)
def test_who_may_pass(auth: Auth, identity: Identity | None) -> None:
    """All scopes, but only one of the roles; scopes may be the caller's own or its roles', and narrow nothing else."""
    assert judge(auth, identity, ROLES) is None


@pytest.mark.parametrize(
    ("auth", "identity", "lacking"),
    [
        (Auth(level="admin"), caller(kind="service"), {"level": "admin"}),
        (Auth(level="service"), caller(is_staff=True), {"level": "service"}),
        (Auth(scopes=frozenset({"b", "a"})), caller(direct=frozenset({"c"})), {"missing_scopes": ["a", "b"]}),
        (
            Auth(scopes=frozenset({"write"})),
            caller(roles=frozenset({"boss"}), ceiling=frozenset({"read"})),
            {"missing_scopes": ["write"]},
        ),
        (Auth(roles=frozenset({"boss", "a"})), caller(roles=frozenset({"x"})), {"roles": ["a", "boss"]}),
        (
            Auth(level="admin", scopes=frozenset({"w"}), roles=frozenset({"r"})),
            caller(),
            {"level": "admin", "missing_scopes": ["w"], "roles": ["r"]},
        ),
    ],
)
def test_refusal_says_what_this_caller_lacks(auth: Auth, identity: Identity, lacking: Any) -> None:
    """403 with all of it at once; a ceiling takes away what roles bring."""
    refusal = judge(auth, identity, ROLES)

    assert refusal is not None
    assert (refusal.status, refusal.details) == (403, lacking)


def test_nobody_is_told_how_to_authenticate() -> None:
    """401, with the reason and the realm that it was asked for with."""
    refusal = judge(Auth(methods=("api_key", "jwt")), None, ROLES, reason="expired", realm="shop")

    assert refusal is not None
    assert refusal.status == 401
    assert refusal.details == {"reason": "expired", "methods": ["api_key", "jwt"]}
    assert refusal.headers == (
        (b"www-authenticate", b'Bearer realm="shop", error="invalid_token"'),
        (b"www-authenticate", b'ApiKey realm="shop"'),
    )
