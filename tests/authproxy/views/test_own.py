"""What an account has given out: keys and sessions, listed, made and taken back."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from authproxy import accounts, apikeys, sessions
from authproxy.models import ApiKey, Consumer, Session
from tests.support.endpoints import PASSWORD, Endpoints, account, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

KEYS, SESSIONS, ME = "/api/v1/users/me/keys", "/api/v1/users/me/sessions", "/api/v1/users/me"


@pytest.fixture
def ada() -> User:
    """She has two scopes of her own."""
    user = account("ada")
    consumer = accounts.consumer_of(user)
    consumer.scopes = ["read", "write"]
    consumer.save()
    return user


@pytest.fixture
def token(ada: User) -> str:
    """Signed in with all that she has."""
    return str(Endpoints().signed_in("ada")["access"])


@pytest.fixture
def narrow(ada: User) -> str:
    """Signed in to read alone."""
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD, "scope": "read"}
    return str(Endpoints().send("/api/v1/auth/token", form).json()["access_token"])


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def test_a_key_of_ones_own(client: Endpoints, token: str) -> None:
    """Shown once, listed without the secret, good for what it was made for, and taken back."""
    made = client.send(KEYS, {"name": "laptop", "scopes": ["read"]}, token=token)
    key = made.json()

    assert made.status_code == 201
    assert key["key"].startswith(f"{key['prefix']}_")
    shown = {name: value for name, value in key.items() if name != "key"}
    assert client.ask(KEYS, token=token).json() == {"keys": [shown]}
    assert (shown["name"], shown["scopes"], shown["expires_at"], shown["last_used_at"]) == (
        "laptop",
        ["read"],
        None,
        None,
    )
    assert client.ask(ME, key=key["key"]).json()["scopes"] == ["read"]

    assert client.ask(f"{KEYS}/{key['id']}", token=token, method="delete").status_code == 204
    assert client.ask(ME, key=key["key"]).status_code == 401
    assert client.ask(KEYS, token=token).json() == {"keys": []}
    assert client.ask(f"{KEYS}/{key['id']}", token=token, method="delete").status_code == 404


def test_a_key_is_no_stronger_than_what_makes_it(client: Endpoints, narrow: str, token: str) -> None:
    """A narrowed token makes narrowed keys, also when it names no scopes; a whole one makes whole keys."""
    asked = client.send(KEYS, {"name": "one"}, token=narrow).json()
    whole = client.send(KEYS, {"name": "two"}, token=token).json()
    more = client.send(KEYS, {"name": "three", "scopes": ["write"]}, token=narrow)

    assert (asked["scopes"], whole["scopes"]) == (["read"], None)
    assert client.ask(ME, key=asked["key"]).json()["scopes"] == ["read"]
    assert refusal(more) == (403, "FORBIDDEN", {"missing_scopes": ["write"]})


def test_times(client: Endpoints, token: str) -> None:
    """A key may end by itself."""
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = client.send(KEYS, {"name": "brief", "expires_at": at}, token=token).json()

    assert made["expires_at"] == at


def test_nobody_makes_a_key_that_does_more(client: Endpoints, token: str) -> None:
    """What is missing is named, as on a route."""
    answer = client.send(KEYS, {"name": "k", "scopes": ["admin", "read"]}, token=token)

    assert refusal(answer) == (403, "FORBIDDEN", {"missing_scopes": ["admin"]})
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"name": "taken"}, "name"),
        ({"scopes": "read"}, "scopes"),
        ({"scopes": [["read"]]}, "scopes"),
        ({"scopes": [None]}, "scopes"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"expires_at": 7}, "expires_at"),
    ],
)
def test_what_is_wrong_with_a_key(
    client: Endpoints, ada: User, token: str, wrong: dict[str, Any], field: str
) -> None:
    """By field; nothing is made."""
    apikeys.create(accounts.consumer_of(ada), "taken", by="ada")
    status, code, details = refusal(client.send(KEYS, {"name": "k", **wrong}, token=token))

    assert (status, code) == (400, "VALIDATION_ERROR")
    assert field in details
    assert ApiKey.objects.count() == 1


def test_keys_and_sessions_of_others(client: Endpoints, token: str) -> None:
    """They are not listed and not found, and stay as they are."""
    bob = account("bob")
    key, secret = apikeys.create(accounts.consumer_of(bob), "k", by="bob")
    opened = sessions.open(bob, address="", user_agent="")
    paths = [
        f"{KEYS}/{key.pk}",
        f"{SESSIONS}/{opened.session.pk}",
        f"{KEYS}/{10**30}",
        f"{SESSIONS}/{uuid4()}",
    ]

    assert client.ask(KEYS, token=token).json() == {"keys": []}
    assert [client.ask(path, token=token, method="delete").status_code for path in paths] == [404] * 4
    assert client.ask(ME, key=secret).status_code == 200


def test_sessions(client: Endpoints, token: str) -> None:
    """Those that go on, with the one that asks; ending one ends its tokens."""
    other = Endpoints(address="198.51.100.7").signed_in("ada")
    rows = client.ask(SESSIONS, token=token).json()["sessions"]

    assert [(row["address"], row["current"]) for row in rows] == [
        ("198.51.100.7", False),
        ("192.0.2.1", True),
    ]
    assert set(rows[0]) == {
        "id",
        "created_at",
        "last_seen_at",
        "expires_at",
        "address",
        "user_agent",
        "current",
    }
    assert client.ask(f"{SESSIONS}/{rows[0]['id']}", token=token, method="delete").status_code == 204
    assert client.ask(ME, token=other["access"]).status_code == 401
    assert len(client.ask(SESSIONS, token=token).json()["sessions"]) == 1


def test_a_session_by_its_cookie(ada: User) -> None:
    """From the same origin it may do everything; from another it may look."""
    browser = Endpoints()
    browser.signed_in("ada")
    (row,) = browser.ask(SESSIONS).json()["sessions"]
    elsewhere = {"origin": "http://evil.example"}

    assert row["current"] is True
    assert (
        browser.post(KEYS, {"name": "k"}, content_type="application/json", headers=elsewhere).status_code
        == 403
    )
    assert browser.delete(f"{SESSIONS}/{row['id']}", headers=elsewhere).status_code == 403
    assert not ApiKey.objects.exists()
    assert browser.ask(f"{SESSIONS}/{row['id']}", method="delete").status_code == 204
    assert Session.objects.get().ended_at is not None


def test_a_key_looks_and_does_not_touch(client: Endpoints, ada: User) -> None:
    """Whoever finds one cannot make others, nor end sessions."""
    key, secret = apikeys.create(accounts.consumer_of(ada), "k", by="ada")
    opened = sessions.open(ada, address="", user_agent="")

    assert client.ask(KEYS, key=secret).status_code == client.ask(SESSIONS, key=secret).status_code == 200
    assert client.send(KEYS, {"name": "more"}, key=secret).status_code == 403
    assert client.ask(f"{KEYS}/{key.pk}", key=secret, method="delete").status_code == 403
    assert client.ask(f"{SESSIONS}/{opened.session.pk}", key=secret, method="delete").status_code == 403


@pytest.mark.parametrize("path", [KEYS, SESSIONS])
def test_services_have_neither(client: Endpoints, path: str) -> None:
    """Administrators make their keys."""
    consumer = Consumer.objects.create(name="robot", kind="service")
    _, secret = apikeys.create(consumer, "k", by="root")

    assert refusal(client.ask(path, key=secret))[:2] == (403, "FORBIDDEN")
    assert client.ask(path).status_code == 401
