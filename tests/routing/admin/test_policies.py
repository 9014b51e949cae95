"""The pages of roles, plans and identity providers."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routing.drafts import Actor
from routing.models import IdentityProvider, Plan, Revision, RoleScopes, TopicRule
from routing.publishing import apply_document
from tests.support.adminpages import errors, messages, page, signed_in, submit

pytestmark = pytest.mark.django_db
PROVIDER = {"name": "idp", "issuer": "https://id.test", "audience": "api", "jwks_url": "https://id.test/keys"}


@pytest.fixture
def admin() -> Client:
    return signed_in()


def live() -> dict[str, Any]:
    import orjson

    found: dict[str, Any] = orjson.loads(Revision.objects.latest("number").document)
    return found


def test_saving_publishes(admin: Client) -> None:
    """Each of the three is a revision, and a role is a group."""
    submit(admin, page("rolescopes", "add"), {"name": "analyst", "scopes": "read write", "reason": "needed"})
    submit(admin, page("plan", "add"), {"name": "gold"})
    submit(admin, page("identityprovider", "add"), PROVIDER)

    document = live()
    assert document["roles"] == [{"name": "analyst", "scopes": ["read", "write"]}]
    assert document["plans"] == [{"name": "gold"}]
    assert document["identity_providers"] == [{**PROVIDER, "audience": ["api"]}]
    assert list(Revision.objects.order_by("number").values_list("message", flat=True)) == ["needed", "", ""]
    assert Group.objects.filter(name="analyst").exists()


def test_a_fault_is_at_its_field(admin: Client) -> None:
    """And nothing is published."""
    refused = submit(admin, page("identityprovider", "add"), {**PROVIDER, "cookie": "torana_session"})

    assert list(errors(refused)) == ["cookie"]
    assert not Revision.objects.exists()
    RoleScopes.objects.create(name="a")
    assert "already exists" in str(errors(submit(admin, page("rolescopes", "add"), {"name": "a"})))


def test_two_providers_with_one_cookie(admin: Client) -> None:
    """What only the whole document shows is told at the field of the second."""
    submit(admin, page("identityprovider", "add"), {**PROVIDER, "cookie": "token"})
    refused = submit(admin, page("identityprovider", "add"), {**PROVIDER, "name": "other", "cookie": "token"})

    assert errors(refused) == {"cookie": ['"token" is there twice']}
    assert IdentityProvider.objects.count() == 1


def test_warnings_are_told(admin: Client) -> None:
    """After saving and on the page; nothing is in the way."""
    weak = {**PROVIDER, "audience": "", "jwks_url": "http://id.test/keys"}
    submit(admin, page("identityprovider", "add"), weak)

    text = admin.get(page("identityprovider", "changelist")).content.decode()
    assert "Audience: is missing: tokens for other applications are accepted, too." in text
    there = page("identityprovider", "change", IdentityProvider.objects.get().pk)
    assert (
        "JWKS URL: &quot;http://id.test/keys&quot;: whoever is on the way"
        in admin.get(there).content.decode()
    )


def test_a_role_that_is_a_group_of_staff(admin: Client) -> None:
    """One cannot be given without the other."""
    apply_document({"version": 1, "roles": [{"name": "viewer"}, {"name": "reader"}]}, actor=Actor("first"))
    says = "has rights in admin"
    for role in RoleScopes.objects.all():
        text = admin.get(page("rolescopes", "change", role.pk)).content.decode()
        assert (says in text) is (role.name == "viewer")


def test_deleting_a_role_keeps_its_group(admin: Client) -> None:
    """Accounts may be in it."""
    submit(admin, page("rolescopes", "add"), {"name": "analyst"})
    role = RoleScopes.objects.get()
    admin.post(page("rolescopes", "delete", role.pk), {"post": "yes"})

    assert "roles" not in live()
    assert Group.objects.filter(name="analyst").exists()


def test_list_of_roles(admin: Client) -> None:
    """Scopes and how many accounts have it, in as many queries at any size."""
    queries = []
    for size in (2, 60):
        roles = [{"name": f"r{n:02}", "scopes": ["read", "write"]} for n in range(size)]
        apply_document(
            {"version": 1, "roles": [*roles, {"name": "z", "default": True}]}, actor=Actor("first")
        )
        with CaptureQueriesContext(
            connection,
        ) as captured:
            response = admin.get(page("rolescopes", "changelist"))
        queries.append(len(captured))
    assert queries[0] == queries[1]
    User.objects.create_user("bert").groups.add(Group.objects.get(name="r01"))
    rows = admin.get(page("rolescopes", "changelist")).context["cl"].result_list
    assert {row.name: row.account_count for row in rows if row.account_count} == {"r01": 1}
    assert "everybody who registered" in admin.get(f"{page('rolescopes', 'changelist')}?q=z").content.decode()
    assert response.status_code == 200


def test_search(admin: Client) -> None:
    """Roles by a scope, providers by their issuer."""
    apply_document(
        {
            "version": 1,
            "roles": [{"name": "a", "scopes": ["read"]}, {"name": "b", "scopes": ["write"]}],
            "plans": [{"name": "gold"}, {"name": "silver"}],
            "identity_providers": [PROVIDER],
        },
        actor=Actor("first"),
    )
    for kind, query, names in (
        ("rolescopes", "write", ["b"]),
        ("plan", "gold", ["gold"]),
        ("identityprovider", "id.test", ["idp"]),
        ("identityprovider", "elsewhere", []),
    ):
        found = admin.get(f"{page(kind, 'changelist')}?q={query}").context["cl"].result_list
        assert [row.name for row in found] == names
    assert Plan.objects.count() == 2


def test_what_the_environment_brings_is_shown(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no row, but its tokens are believed."""
    text = admin.get(page("identityprovider", "changelist")).content.decode()
    assert "AZURE_TENANT_ID" not in text
    changed = replace(settings.CONFIG, azure_tenant_id="t", azure_client_id="c")
    monkeypatch.setattr(settings, "CONFIG", changed)

    text = admin.get(page("identityprovider", "changelist")).content.decode()
    assert "AZURE_TENANT_ID" in text
    assert "/t/v2.0/.well-known/openid-configuration" in text


def test_a_refused_deletion_says_so(admin: Client) -> None:
    """Nothing is lost of what was not deleted."""
    submit(admin, page("plan", "add"), {"name": "gold"})
    response = admin.post(
        page("plan", "changelist"),
        {"action": "delete_selected", "_selected_action": str(Plan.objects.get().pk), "post": "yes"},
        follow=True,
    )

    assert any("Published as revision 2" in text for text in messages(response))
    assert not Plan.objects.exists()


def test_topic_rules_are_added_and_edited(admin: Client) -> None:
    """Each save is a revision; the list says who may do what."""
    submit(
        admin,
        page("topicrule", "add"),
        {"name": "orders", "topics": "orders.*", "subscribe__roles": "clerk", "reason": "new"},
    )
    assert live()["topics"] == [
        {"name": "orders", "topics": ["orders.*"], "subscribe": {"roles": ["clerk"]}},
    ]
    row = TopicRule.objects.get()
    submit(
        admin,
        page("topicrule", "change", row.pk),
        {"topics": "orders.*\norders.eu.>", "bus__subject": "orders.>"},
    )
    (rule,) = live()["topics"]
    assert (rule["topics"], rule["bus"]) == (["orders.*", "orders.eu.>"], {"subject": "orders.>"})
    assert Revision.objects.count() == 2
    shown = admin.get(page("topicrule", "changelist")).content.decode()
    assert "<code>orders.eu.&gt;</code>" in shown
    assert "user; role clerk" in shown


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"topics": "two>parts"}, "topics", "in its midst"),
        ({"topics": "user.${user.password}"}, "topics", "stands for nothing"),
        ({"topics": ""}, "topics", ""),
        ({"bus__subject": "user.${user.id}"}, "bus__subject", "the bus knows no callers"),
        ({"topics": "taken.*"}, "topics", "already"),
        ({"name": "taken"}, "name", "already exists"),
    ],
)
def test_a_faulty_topic_rule(admin: Client, changes: dict[str, str], field: str, why: str) -> None:
    """The fault stands at its field, a clash with another rule too, and nothing is published."""
    submit(admin, page("topicrule", "add"), {"name": "taken", "topics": "taken.*"})
    refused = submit(admin, page("topicrule", "add"), {"name": "mine", "topics": "mine.*", **changes})
    found = errors(refused)
    assert list(found) == [field]
    assert why in " ".join(found[field])
    assert (TopicRule.objects.count(), Revision.objects.count()) == (1, 1)


def test_a_topic_rule_of_the_gateways_own_warns(admin: Client) -> None:
    """Whoever may publish below `gateway.` still may not: the page says so."""
    submit(admin, page("topicrule", "add"), {"name": "own", "topics": "gateway.>", "publish__level": "user"})
    row = TopicRule.objects.get()
    assert "gateway." in str(admin.get(page("topicrule", "change", row.pk)).content)
