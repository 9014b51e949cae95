"""Admin's own doors."""

import pytest
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from gateway_project.signin.views import forgiving
from tests.support.adminpages import signed_in

pytestmark = pytest.mark.django_db


def test_stranger_signs_in_and_comes_back() -> None:
    """Admin's login page leads to the one that there is."""
    response = Client().get("/admin/login/?next=/admin/routing/route/")

    assert response["Location"] == "/accounts/login/?next=%2Fadmin%2Frouting%2Froute%2F"


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_nobody_is_sent_elsewhere(there: str) -> None:
    """An address that is not of this site is forgotten."""
    assert Client().get("/admin/login/", {"next": there})["Location"].endswith("next=%2Fadmin%2F")
    assert signed_in().get("/admin/login/", {"next": there})["Location"] == "/admin/"


def test_password_sent_to_the_old_door_is_not_looked_at() -> None:
    """There is one place where passwords are checked, and guessing waits there."""
    User.objects.create_superuser("ada", password="correct")
    response = Client().post("/admin/login/", {"username": "ada", "password": "correct"})

    assert response["Location"].startswith("/accounts/login/")
    assert "sessionid" not in response.cookies
    assert "torana_admin" not in response.cookies


def test_who_is_no_staff_is_told_so() -> None:
    """Instead of being sent round in circles."""
    client = Client()
    client.force_login(User.objects.create_user("bob"))
    response = client.get("/admin/", follow=True)

    assert response.status_code == 403
    assert "no staff account" in response.content.decode()


def test_password_is_changed_in_one_place() -> None:
    """Admin's own page leads there."""
    assert signed_in().get("/admin/password_change/")["Location"] == "/accounts/password/change/"


@pytest.mark.parametrize(
    "fault", [OSError("away"), OAuth2Error("no"), KeyError("sub"), ValueError("no JSON")]
)
def test_what_a_provider_does_wrong_is_told(fault: Exception) -> None:
    """On a page, without details."""

    def view(_request: HttpRequest) -> HttpResponse:
        raise fault

    request = RequestFactory().get("/accounts/oidc/staff/login/")
    request.user = AnonymousUser()
    response = forgiving(view)(request)

    assert response.status_code == 502
    assert "did not work" in response.content.decode()


def test_what_is_not_there_stays_a_404() -> None:
    """A provider of another name is none."""

    def view(_request: HttpRequest) -> HttpResponse:
        raise Http404

    with pytest.raises(Http404):
        forgiving(view)(RequestFactory().get("/"))
