"""A role is a Django group."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from routing.drafts import Actor
from routing.groups import make_groups
from routing.models import RoleScopes
from routing.publishing import apply_document, publish, publish_rows_after_edit, rollback
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA, BERT = Actor("anna"), Actor("bert")


def with_roles(*names: str) -> dict[str, Any]:
    return {**small(), "roles": [{"name": name, "scopes": ["read"]} for name in names]}


def groups() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


@pytest.fixture(autouse=True)
def only_groups_of_this_test() -> None:
    Group.objects.all().delete()


def test_groups_that_are_missing_are_made(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """Those that are there stay what they are; a role's name may come from the environment."""
    there = Group.objects.create(name="analyst")
    monkeypatch.setenv("GUESTS", "guest")

    make_groups(with_roles("analyst", "${GUESTS}"))

    assert groups() == ["analyst", "guest"]
    assert Group.objects.get(name="analyst").pk == there.pk
    with django_assert_num_queries(0):
        make_groups(small())


def test_applying_makes_groups_and_pruning_keeps_them() -> None:
    """Accounts may be in a group whose role is gone; what was only drafted makes none."""
    apply_document(with_roles("a"), actor=ANNA, draft=True)
    assert groups() == []
    publish(actor=BERT)
    assert groups() == ["a"]
    apply_document(with_roles("b"), actor=ANNA, prune=True)
    assert groups() == ["a", "b"]


def test_a_saved_row_and_a_rollback_make_groups_too() -> None:
    """Whichever door a role comes through."""
    apply_document(with_roles("a"), actor=ANNA)
    RoleScopes.objects.create(name="b")
    publish_rows_after_edit(actor=ANNA)
    assert groups() == ["a", "b"]
    Group.objects.all().delete()
    rollback(1, actor=ANNA)
    assert groups() == ["a"]


def test_a_group_that_somebody_deleted_comes_back() -> None:
    """Applying what is live already makes no revision, but a group."""
    apply_document(with_roles("a"), actor=ANNA)
    Group.objects.all().delete()

    assert apply_document(with_roles("a"), actor=ANNA).kind == "unchanged"
    assert groups() == ["a"]
