"""Which pages of sign-in there are, and which there are not."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.adminpages import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["login/", "signup/", "inactive/"])
def test_pages_for_strangers_open(path: str) -> None:
    """In admin's look, with its name."""
    response = Client().get(f"/accounts/{path}")

    assert response.status_code == 200
    assert "Torana" in response.content.decode()


@pytest.mark.parametrize("path", ["2fa/", "2fa/totp/activate/", "2fa/webauthn/add/", "password/change/"])
def test_pages_of_an_account_want_somebody_signed_in(path: str) -> None:
    """A stranger is sent to sign in, and comes back afterwards."""
    response = Client().get(f"/accounts/{path}")

    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/accounts/login/")
    assert "next=" in response["Location"]


@pytest.mark.parametrize("path", ["2fa/", "password/change/", "logout/", "reauthenticate/"])
def test_pages_of_an_account_open(path: str) -> None:
    """For whoever is signed in and has a password."""
    User.objects.create_user("anna", password="x")
    assert signed_in().get(f"/accounts/{path}").status_code == 200


def test_account_without_a_password_gets_none() -> None:
    """It signs in through the identity provider, which decides who may."""
    response = signed_in().get("/accounts/password/change/", follow=True)
    assert (response.status_code, "identity provider" in response.content.decode()) == (403, True)


def test_bare_path_leads_to_the_own_account() -> None:
    """So that nobody has to know the paths below it."""
    assert signed_in().get("/accounts/")["Location"] == "/accounts/2fa/"


@pytest.mark.parametrize(
    "path", ["password/reset/", "email/", "confirm-email/", "3rdparty/", "oidc/staff/login/"]
)
def test_what_has_no_use_is_not_there(path: str) -> None:
    """No mail is sent from here, and no provider is configured."""
    assert signed_in().get(f"/accounts/{path}").status_code == 404


def test_nobody_signs_up() -> None:
    """The page says so, and a form that is sent all the same makes no account."""
    data = {"username": "mallory", "password1": "correct horse battery staple", "email": "m@example.com"}
    response = Client().post("/accounts/signup/", data)

    assert "closed" in response.content.decode()
    assert not User.objects.exists()
