"""Forms, deletions and actions on rows that are no part of the document: one event each, with before and after."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from routing.models import Owner, Service
from tests.support.adminpages import signed_in, submit
from tests.support.trail import events

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def admin() -> Client:
    return signed_in("anna")


def test_a_row_is_made_changed_and_deleted(admin: Client) -> None:
    assert admin.post(reverse("admin:auth_group_add"), {"name": "crew"}).status_code == 302
    group = Group.objects.get(name="crew")
    change = reverse("admin:auth_group_change", args=[group.pk])
    assert submit(admin, change, {"name": "team"}).status_code == 302
    assert submit(admin, change, {}).status_code == 302  # as it was
    gone = reverse("admin:auth_group_delete", args=[group.pk])
    assert admin.post(gone, {"post": "yes"}).status_code == 302
    made, renamed, deleted = events()
    assert [each["action"] for each in (made, renamed, deleted)] == [
        "group.create",
        "group.change",
        "group.delete",
    ]
    assert renamed["changes"][0]["fields"] == [{"path": "name", "before": "crew", "after": "team"}]
    assert renamed["objects"] == [["group", "team"], ["group", "crew"]]
    assert {each["actor"] for each in events()} == {"anna"}
    assert {each["door"] for each in events()} == {"admin"}


def test_what_is_wrong_leaves_nothing(admin: Client) -> None:
    assert admin.post(reverse("admin:auth_group_add"), {"name": ""}).status_code == 200
    assert events() == []


def test_many_are_deleted_in_one_event(admin: Client) -> None:
    keys = [Group.objects.create(name=name).pk for name in ("a", "b")]
    data = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    admin.post(reverse("admin:auth_group_changelist"), data)
    assert not Group.objects.filter(pk__in=keys).exists()
    (event,) = events()
    assert sorted(event["objects"]) == [["group", "a"], ["group", "b"]]


def test_a_password_is_an_event_and_not_in_it(admin: Client) -> None:
    user = User.objects.create_user("bert", password="Old-Secret-7")
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    new = {"usable_password": "true", "password1": "New-Secret-7", "password2": "New-Secret-7"}
    assert admin.post(url, new).status_code == 302
    user.refresh_from_db()
    assert user.check_password("New-Secret-7")
    (event,) = events()
    assert (event["action"], event["objects"]) == ("account.password", [["account", "bert"]])
    assert "New-Secret-7" not in str(event)
    assert user.password not in str(event)


def test_an_owner(admin: Client) -> None:
    service = Service.objects.create(name="orders")
    group = Group.objects.create(name="crew")
    assert admin.post(
        reverse("admin:routing_owner_add"), {"group": group.pk, "service": service.pk}
    ).status_code in (200, 302)
    assert Owner.objects.count() == 1
    (event,) = events()
    assert event["action"] == "owner.create"
