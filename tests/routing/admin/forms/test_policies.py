"""The forms of roles, plans and identity providers: each fault at its field, values as written."""

from typing import Any

import pytest

from routing.admin.forms.policies import PlanForm, ProviderForm, QuotaForm, RoleForm
from routing.columns import QUOTA
from routing.document.honoured import is_honoured
from routing.models import IdentityProvider, RoleScopes

pytestmark = pytest.mark.django_db


def provider(**changes: Any) -> ProviderForm:
    given = {
        "name": "idp",
        "issuer": "https://id.test",
        "audience": "api",
        "jwks_url": "https://id.test/keys",
    }
    return ProviderForm({**given, **changes})


def test_only_what_is_honoured_is_shown() -> None:
    """Nothing that a form offers is refused for being too early."""
    forms = {"quotas": QuotaForm, "roles": RoleForm, "plans": PlanForm, "identity_providers": ProviderForm}
    for kind, form in forms.items():
        assert all(is_honoured(kind, ".".join(leaf.path)) for leaf in form.leaves)
    assert [leaf.name for leaf in PlanForm.leaves] == ["name", "managed_by", "quotas"]
    assert {leaf.name for leaf in QuotaForm.leaves} == set(QUOTA.plain)
    assert {leaf.name for leaf in RoleForm.leaves} == {"name", "managed_by", "scopes", "default"}
    assert {"audience", "algorithms", "claims__subject", "secret"} <= {
        leaf.name for leaf in ProviderForm.leaves
    }


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "missing"),
        ({"name": "a b"}, "name", "name"),
        ({"jwks_url": "ftp://a"}, "jwks_url", "http"),
        ({"secret": "hunter2", "jwks_url": "", "algorithms": "HS256"}, "secret", "${"),
        ({"jwks_url": "", "secret": "/run/s"}, "algorithms", "HS256"),
        ({"algorithms": "RS256 HS256", "secret": "/run/s"}, "algorithms", "exclude each other"),
        ({"algorithms": "none"}, "algorithms", "RS256"),
        ({"cookie": "torana_session"}, "cookie", "keeps for itself"),
        ({"cookie": "a b"}, "cookie", "not a cookie"),
        ({"audience": "api\napi\x00"}, "audience", "Null"),
    ],
)
def test_each_fault_is_at_its_field(changes: dict[str, str], field: str, says: str) -> None:
    """The message stands where it can be mended, and never holds a secret."""
    form = provider(**changes)

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert says in " ".join(form.errors[field])
    assert "hunter2" not in str(form.errors)


def test_keys_from_nowhere_are_told_above_the_form() -> None:
    """No one field is to blame."""
    form = provider(jwks_url="")

    assert list(form.errors) == ["__all__"]
    assert "jwks_url, discovery_url or secret" in str(form.errors)


def test_values_are_stored_as_written() -> None:
    """Lists as lists, and what is empty is NULL."""
    form = provider(
        audience="api\napi://1", algorithms="ES256, EdDSA", claims__subject="oid", secret="", cookie=""
    )
    assert form.is_valid(), form.errors
    row = form.save()

    row.refresh_from_db()
    assert (row.audience, row.algorithms, row.claims) == (
        ["api", "api://1"],
        ["ES256", "EdDSA"],
        {"subject": "oid"},
    )
    assert (row.secret, row.cookie, row.discovery_url) == (None, None, None)
    unchanged = ProviderForm(
        {**ProviderForm(instance=row).initial, "issuer": "https://other.test"}, instance=row
    )
    assert unchanged.is_valid(), unchanged.errors
    unchanged.save()
    stored = IdentityProvider.objects.get()
    assert (stored.audience, stored.issuer) == (["api", "api://1"], "https://other.test")


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": " "}, "name", "missing"),
        ({"name": "x" * 151}, "name", "150"),
        ({"scopes": 'read "write"'}, "scopes", "not a scope"),
        ({"scopes": "read read"}, "scopes", "twice"),
        ({"default": "perhaps"}, "default", "true or false"),
    ],
)
def test_faults_of_a_role(changes: dict[str, str], field: str, says: str) -> None:
    """A role is named as a group is."""
    form = RoleForm({"name": "Köche & Kellner", "scopes": "read", **changes})

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert says in " ".join(form.errors[field])


def test_a_role_as_typed() -> None:
    """Spaces in its name, and commas between scopes."""
    form = RoleForm({"name": "Köche & Kellner", "scopes": "read, orders:write", "default": "yes"})
    assert form.is_valid()
    form.save()

    row = RoleScopes.objects.get()
    assert (row.name, row.scopes, row.default) == ("Köche & Kellner", ["read", "orders:write"], True)
