"""What a snapshot knows of callers."""

from typing import Any

import pytest

from routing.compiler import CompileOptions, compile_snapshot
from routing.problems import ConfigurationInvalid
from routing.snapshot import CompiledProvider, Snapshot
from tests.support.documents import document

KEYS = {"issuer": "https://id.test", "jwks_url": "https://id.test/jwks"}
FROM_ENVIRONMENT = CompiledProvider(
    "azure", frozenset(), frozenset(), "https://a", None, None, None, frozenset()
)


def compiled(
    previous: Snapshot | None = None, options: CompileOptions | None = None, **more: Any
) -> Snapshot:
    return compile_snapshot(
        document(**more), revision=1, options=options or CompileOptions(), previous=previous
    )


def provider(options: CompileOptions | None = None, **keys: Any) -> CompiledProvider:
    [found] = compiled(options=options, identity_providers=[{"name": "idp", **KEYS, **keys}]).providers
    return found


def test_roles_and_plans() -> None:
    """Scopes by role, the roles that everybody has, and the names of plans."""
    found = compiled(
        roles=[{"name": "analyst", "scopes": ["read", "write"]}, {"name": "guest", "default": True}],
        plans=[{"name": "gold"}],
    )

    assert found.roles == {"analyst": {"read", "write"}, "guest": set()}
    assert found.default_roles == {"guest"}
    assert found.plans == {"gold": {}}


def test_unchanged_roles_are_the_same_object() -> None:
    """What is remembered of a caller hangs on it; a change makes another one."""
    roles = [{"name": "a", "scopes": ["x"]}]
    first = compiled(roles=roles)

    assert compiled(first, roles=roles, plans=[{"name": "p"}]).roles is first.roles
    assert compiled(first, roles=[{"name": "a", "scopes": ["y"]}]).roles == {"a": {"y"}}
    empty = compiled(first)
    assert empty.roles == {}
    assert compiled(empty).roles is empty.roles


def test_a_provider_as_written() -> None:
    """Every key has its place; what is left out has the defaults of OpenID Connect."""
    claims = {"subject": "oid", "name": "nick", "email": "mail", "roles": "groups", "scopes": "scp"}
    plain = provider()
    full = provider(audience="api", cookie="access_token", algorithms=["ES256"], claims=claims)

    assert (plain.issuers, plain.audiences, plain.algorithms) == ({"https://id.test"}, set(), {"RS256"})
    assert (plain.subject_claim, plain.name_claim, plain.scopes_claim) == ("sub", None, "scope")
    assert (full.audiences, full.cookie, full.algorithms) == ({"api"}, "access_token", {"ES256"})
    assert (full.subject_claim, full.name_claim, full.email_claim) == ("oid", "nick", "mail")
    assert (full.roles_claim, full.scopes_claim) == ("groups", "scp")


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("${SECRET}", "ab/cd"),
        ("/run/secrets/idp", "read from /run/secrets/idp"),
        ("/run/secrets/${NAME}", "read from /run/secrets/idp"),
        ("/nowhere", None),
    ],
)
def test_where_a_secret_comes_from(written: str, secret: str | None) -> None:
    """A variable is the secret itself, even with a slash in it; a path is read. It is in no representation."""

    def read(path: str) -> str | None:
        return f"read from {path}" if path.startswith("/run") else None

    options = CompileOptions(env={"SECRET": "ab/cd", "NAME": "idp"}, read_secret=read)
    found = provider(options, secret=written, algorithms=["HS256"], jwks_url=None)

    assert found.secret == secret
    assert "ab/cd" not in repr(found)


def test_a_provider_of_the_document_takes_the_place_of_the_environments() -> None:
    """One of another name stands beside it."""
    options = CompileOptions(providers=(FROM_ENVIRONMENT,))

    assert compiled(options=options).providers == (FROM_ENVIRONMENT,)
    beside = compiled(options=options, identity_providers=[{"name": "idp", **KEYS}])
    assert [each.name for each in beside.providers] == ["idp", "azure"]
    [instead] = compiled(options=options, identity_providers=[{"name": "azure", **KEYS}]).providers
    assert instead.issuers == {"https://id.test"}


@pytest.mark.parametrize(
    ("section", "entries", "problem"),
    [
        ("roles", [{"name": "a"}, {"name": "a"}], 'roles[1].name: "a" is the name of roles[0] already'),
        ("roles", ["a"], "roles[0]: must be a mapping"),
        ("plans", {"name": "a"}, "plans: must be a list"),
        ("identity_providers", [{"name": "i"}], "identity_providers[0]: needs jwks_url"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(section: str, entries: Any, problem: str) -> None:
    """As anything else in the document."""
    with pytest.raises(ConfigurationInvalid) as refused:
        compiled(**{section: entries})

    assert str(refused.value).startswith(problem)
