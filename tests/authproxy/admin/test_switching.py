"""Letting in and shutting out accounts, which are switched as consumers are."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from authproxy import sessions
from authproxy.models import IdentityChange
from tests.support.accesspages import Heard, a_session, access_admin, choose, dialog
from tests.support.adminpages import messages, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/auth/user/"


@pytest.fixture
def admin() -> Client:
    return signed_in()


def test_disabled_account_is_out_everywhere(
    admin: Client, django_capture_on_commit_callbacks: object
) -> None:
    """Its sessions end, and enabling it does not bring them back."""
    user = a_session("bert").user
    with Heard() as heard, django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        dialog(admin, f"{LIST}{user.pk}/disable/", reason="left us")
    user.refresh_from_db()
    assert user.is_active is False
    assert not sessions.live(user).exists()
    assert ("account_disabled", "anna", "bert") in heard.told()
    assert IdentityChange.objects.filter(subject=f"user:{user.pk}").exists()
    dialog(admin, f"{LIST}{user.pk}/enable/")
    user.refresh_from_db()
    assert user.is_active is True
    assert not sessions.live(user).exists()


def test_nobody_disables_the_account_by_which_one_is_signed_in(admin: Client) -> None:
    """Nor by selecting everybody."""
    bert = User.objects.create_user("bert")
    me = User.objects.get(username="anna")
    response = choose(admin, LIST, "disable_selected", [me, bert])
    assert messages(response) == ["Disabled 1 user: live everywhere within a second."]
    assert User.objects.get(is_active=True) == me
    dialog(admin, f"{LIST}{me.pk}/disable/")
    assert User.objects.get(is_active=True) == me


def test_superuser_is_disabled_by_superusers_only() -> None:
    """Selecting one among others leaves it out."""
    root, bert = User.objects.create_superuser("root"), User.objects.create_user("bert")
    client = access_admin()
    assert client.post(f"{LIST}{root.pk}/disable/", {"_form_submitted": "True"}).status_code == 403
    choose(client, LIST, "disable_selected", [root, bert])
    assert list(User.objects.filter(is_active=False)) == [bert]
