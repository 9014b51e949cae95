"""Accounts in admin: unfold's forms, and passwords that are stored hashed."""

import pytest
from django.contrib.auth.models import Group, User

from tests.support.adminpages import filled, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
PASSWORD = "correct horse battery staple"


def test_account_is_added_with_a_password() -> None:
    """The password works and is not readable."""
    data = {"username": "bert", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert signed_in().post("/admin/auth/user/add/", data).status_code == 302
    user = User.objects.get(username="bert")
    assert user.check_password(PASSWORD)
    assert PASSWORD not in user.password


def test_password_is_changed_on_its_own_page() -> None:
    """The form of the account links to it."""
    user = User.objects.create_user("bert")
    url = f"/admin/auth/user/{user.pk}/password/"
    client = signed_in()
    assert "../password/" in client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    data = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(url, data).status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_account_page_saves_and_lists_search() -> None:
    """Editing an account keeps the rest of it."""
    user = User.objects.create_user("bert", email="b@example.com")
    client = signed_in()
    data = filled(client, url := f"/admin/auth/user/{user.pk}/change/")
    data = {name: value for name, value in data.items() if name not in ("groups", "user_permissions")}
    joined = user.date_joined
    data |= {"first_name": "Bert", "is_active": "on", "date_joined_0": f"{joined:%Y-%m-%d}"}
    data |= {"date_joined_1": f"{joined:%H:%M:%S}"}
    data.pop("is_superuser", None)
    data.pop("is_staff", None)
    assert client.post(url, data).status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.email) == ("Bert", "b@example.com")
    assert "bert" in client.get("/admin/auth/user/?q=bert").content.decode()


def test_group_is_added() -> None:
    """Groups hold permissions."""
    assert signed_in().post("/admin/auth/group/add/", {"name": "editors"}).status_code == 302
    assert Group.objects.filter(name="editors").exists()
