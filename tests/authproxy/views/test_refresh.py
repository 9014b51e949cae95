"""Refreshing: the next pair, once; a token that comes twice ends its family."""

from typing import Any

import pytest

from authproxy.models import Consumer, RefreshToken
from authproxy.security import SecurityEvent
from tests.support.endpoints import Endpoints, account, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

REFRESH = "/api/auth/refresh"
VALIDATE = "/api/auth/validate"


def test_refresh_gives_the_pair_anew(client: Endpoints) -> None:
    """In the body, without cookies."""
    account("ada")
    pair = Endpoints().signed_in("ada")
    answer = client.send(REFRESH, {"refresh": pair["refresh"]})
    anew = answer.json()

    assert (answer.status_code, set(anew), anew["user"]) == (200, set(pair), pair["user"])
    assert anew["refresh"] != pair["refresh"]
    assert not client.cookies
    assert client.ask(VALIDATE, token=anew["access"]).status_code == 200
    assert client.ask(VALIDATE, token=pair["access"]).status_code == 200


def test_a_reused_token_ends_its_family(client: Endpoints, heard: list[SecurityEvent]) -> None:
    """Whoever stole it, thief and owner are out; other sessions go on."""
    account("ada")
    pair, other = Endpoints().signed_in("ada"), Endpoints().signed_in("ada")
    anew = client.send(REFRESH, {"refresh": pair["refresh"]}).json()
    again = client.send(REFRESH, {"refresh": pair["refresh"]})

    assert refusal(again) == (401, "AUTH_ERROR", {"reason": "invalid"})
    assert client.send(REFRESH, {"refresh": anew["refresh"]}).status_code == 401
    assert client.ask(VALIDATE, token=anew["access"]).status_code == 401
    assert client.ask(VALIDATE, token=other["access"]).status_code == 200


def test_refresh_by_cookie(client: Endpoints) -> None:
    """The browser's three cookies are set anew."""
    account("ada")
    pair = client.signed_in("ada")
    session = client.cookies["torana_session"].value
    answer = client.send(REFRESH)

    assert answer.status_code == 200
    assert client.cookies["torana_refresh"].value == answer.json()["refresh"] != pair["refresh"]
    assert client.cookies["torana_session"].value == session
    assert client.ask(VALIDATE).status_code == 200


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "\u00e9.\u00e9.\u00e9", "..", "x" * 20_000, {"a": 1}, None, 7, ["x"]]
)
def test_what_is_no_refresh_token(client: Endpoints, token: Any) -> None:
    """401, or 400 where it is not even text."""
    assert client.send(REFRESH, {"refresh": token}).status_code in (400, 401)


def test_no_other_token_refreshes(client: Endpoints) -> None:
    """An access token is signed with the same key."""
    account("ada")
    pair = client.signed_in("ada")

    assert Endpoints().send(REFRESH, {"refresh": pair["access"]}).status_code == 401


def test_a_refresh_token_lets_nobody_in(client: Endpoints) -> None:
    """It is for one endpoint."""
    account("ada")

    assert Endpoints().ask(VALIDATE, token=client.signed_in("ada")["refresh"]).status_code == 401


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}])
def test_refresh_ends_with_the_account(client: Endpoints, change: dict[str, Any]) -> None:
    """Disabled, or its password changed."""
    user = account("ada")
    pair = client.signed_in("ada")
    for name, value in change.items():
        setattr(user, name, value)
    user.save()

    assert client.send(REFRESH, {"refresh": pair["refresh"]}).status_code == 401


def test_refresh_ends_with_the_consumer(client: Endpoints) -> None:
    """A consumer that is disabled gets no new pair."""
    user = account("ada")
    pair = client.signed_in("ada")
    Consumer.objects.create(name="ada", user=user, enabled=False)

    assert client.send(REFRESH, {"refresh": pair["refresh"]}).status_code == 401


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver:81", "https://testserver"]
)
def test_other_sites_pages_do_nothing(origin: str) -> None:
    """A cookie from another origin, another port or scheme: 403, and nothing has happened."""
    account("ada")
    browser = Endpoints(origin=None)
    browser.signed_in("ada")
    answer = browser.send(REFRESH, headers={"origin": origin})

    assert refusal(answer)[:2] == (403, "FORBIDDEN")
    assert not RefreshToken.objects.exclude(used_at=None).exists()
