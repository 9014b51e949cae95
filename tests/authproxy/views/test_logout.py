"""Signing out: everything of the session ends, and only those who mean it do it."""

import pytest

from authproxy.models import Session
from authproxy.security import SecurityEvent
from tests.support.endpoints import Endpoints, account, kinds, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

REFRESH = "/api/auth/refresh"
LOGOUT = "/api/auth/logout"
VALIDATE = "/api/auth/validate"


def test_logout_ends_the_session(client: Endpoints, heard: list[SecurityEvent]) -> None:
    """Access token, refresh token and cookie with it; another session of the account goes on."""
    account("ada")
    pair, other = client.signed_in("ada"), Endpoints().signed_in("ada")
    stranger = Endpoints()

    assert client.send(LOGOUT).status_code == 204
    assert stranger.ask(VALIDATE, token=pair["access"]).status_code == 401
    assert stranger.send(REFRESH, {"refresh": pair["refresh"]}).status_code == 401
    assert stranger.ask(VALIDATE, token=other["access"]).status_code == 200
    assert {cookie.value for cookie in client.cookies.values()} == {""}
    assert "logout" in kinds(heard)


def test_logout_by_either_token(client: Endpoints) -> None:
    """The access token alone ends the refresh token, and the other way round."""
    account("ada")
    one, two = Endpoints().signed_in("ada"), Endpoints().signed_in("ada")

    assert client.send(LOGOUT, token=one["access"]).status_code == 204
    assert client.send(REFRESH, {"refresh": one["refresh"]}).status_code == 401
    assert client.send(LOGOUT, {"refresh": two["refresh"]}).status_code == 204
    assert client.ask(VALIDATE, token=two["access"]).status_code == 401


def test_logout_of_two_sessions_at_once(client: Endpoints) -> None:
    """The token of one and the refresh token of another end both."""
    account("ada")
    one, two = Endpoints().signed_in("ada"), Endpoints().signed_in("ada")
    client.send(LOGOUT, {"refresh": two["refresh"]}, token=one["access"])

    assert not Session.objects.filter(ended_at=None).exists()


def test_logout_of_nobody(client: Endpoints) -> None:
    """401 says how to sign in."""
    answer = client.send(LOGOUT)

    assert refusal(answer)[:2] == (401, "AUTH_ERROR")
    assert "Bearer" in answer["WWW-Authenticate"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver:81", "https://testserver"]
)
def test_other_sites_pages_do_nothing(origin: str) -> None:
    """A cookie from another origin, another port or scheme: 403, and nothing has happened."""
    account("ada")
    browser = Endpoints(origin=None)
    browser.signed_in("ada")
    answer = browser.send(LOGOUT, headers={"origin": origin})

    assert refusal(answer)[:2] == (403, "FORBIDDEN")
    assert Session.objects.get().ended_at is None


def test_the_csrf_token_will_do() -> None:
    """A page that can read the cookie, though it says no origin."""
    account("ada")
    browser = Endpoints(origin=None)
    browser.signed_in("ada")
    token = browser.cookies["torana_csrf_token"].value

    assert browser.send(LOGOUT, headers={"x-csrf-token": "x" * 64}).status_code == 403
    assert browser.send(LOGOUT, headers={"x-csrf-token": token}).status_code == 204


def test_tokens_need_no_origin() -> None:
    """Only browsers send credentials that nobody asked them for."""
    account("ada")
    client = Endpoints(origin="http://evil.example")
    pair = Endpoints().signed_in("ada")

    assert client.send(REFRESH, {"refresh": pair["refresh"]}).status_code == 200
    assert client.send(LOGOUT, token=pair["access"]).status_code == 204
