"""The page of groups: a right is passed on by whoever has it."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from authproxy.admin.groups import GroupForm
from gateway_project.signin.groups import PUBLISHER, SECURITY_ADMIN
from tests.support.adminpages import errors, signed_in
from tests.support.trail import events

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ADD = "admin:auth_group_add"


@pytest.fixture
def sara() -> Client:
    """A security admin."""
    client = signed_in("sara", permissions=())
    User.objects.get(username="sara").groups.add(Group.objects.get(name=SECURITY_ADMIN))
    return client


def right(codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label="routing", codename=codename)


def test_a_right_that_somebody_does_not_have_is_refused(sara: Client) -> None:
    """By name, and only what is not theirs."""
    wanted = [right("publish").pk, right("view_route").pk]
    response = sara.post(reverse(ADD), {"name": "crew", "permissions": wanted})
    assert errors(response) == {"permissions": ["You do not have these rights yourself: routing.publish."]}
    assert (Group.objects.filter(name="crew").exists(), events()) == (False, [])


def test_what_the_group_has_may_stay(sara: Client) -> None:
    """It is renamed without it, and no right of another kind is added."""
    group = Group.objects.get(name=PUBLISHER)
    url = reverse("admin:auth_group_change", args=[group.pk])
    rights = list(group.permissions.values_list("pk", flat=True))
    assert right("publish").pk in rights
    assert sara.post(url, {"name": "releaser", "permissions": rights}).status_code == 302
    more = {"name": "releaser", "permissions": [*rights, right("operate").pk]}
    assert list(errors(sara.post(url, more))) == ["permissions"]
    group.refresh_from_db()
    assert group.name == "releaser"
    assert not group.permissions.filter(codename="operate").exists()


def test_own_rights_are_passed_on(sara: Client) -> None:
    """And a superuser's are all there are."""
    view, publish = right("view_route").pk, right("publish").pk
    assert sara.post(reverse(ADD), {"name": "crew", "permissions": [view]}).status_code == 302
    assert signed_in("root").post(reverse(ADD), {"name": "all", "permissions": [publish]}).status_code == 302
    assert Group.objects.get(name="all").permissions.get().pk == publish


def test_a_form_that_does_not_know_who_fills_it_in_accepts_nothing() -> None:
    """Whoever forgets to tell it finds out, before somebody passes on what they do not have."""
    form = GroupForm({"name": "crew", "permissions": [right("publish").pk]})
    with pytest.raises(AttributeError, match="me"):
        form.is_valid()
