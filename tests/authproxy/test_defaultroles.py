"""A revision that changes what every account has is a change of every account."""

import pytest

from authproxy.models import IdentityChange
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.configuration import small
from tests.support.identities import publish_roles

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def told() -> list[str]:
    found = list(IdentityChange.objects.values_list("subject", flat=True))
    IdentityChange.objects.all().delete()
    return found


def test_the_roles_of_every_account_are_told_of() -> None:
    """When there are some, others, or none any more."""
    publish_roles(member=["read"], default=["member"])
    assert told() == ["default-roles"]
    publish_roles(member=["read"], other=[], default=["member", "other"])
    assert told() == ["default-roles"]
    publish_roles(member=["read"])
    assert told() == ["default-roles"]


def test_nothing_else_is() -> None:
    """Scopes of roles are looked up in the revision itself."""
    publish_roles(member=["read"], default=["member"])
    told()
    publish_roles(member=["read", "write"], default=["member"])
    apply_document(small(), actor=Actor("test"))
    apply_document({"version": 1, "roles": [{"name": "other"}]}, actor=Actor("test"))
    assert told() == []


def test_a_draft_changes_nobody() -> None:
    """Until it is published."""
    document = {"version": 1, "roles": [{"name": "member", "default": True}]}
    apply_document(document, actor=Actor("test"), draft=True)
    assert told() == []
