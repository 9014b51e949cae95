"""Who the gateway takes the caller for."""

import re
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User

from authproxy import accounts, apikeys
from authproxy.models import Consumer
from resilience.clock import wall_clock
from tests.support.endpoints import Endpoints, account, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

VALIDATE, PROFILE, ME = "/api/auth/validate", "/api/auth/profile", "/api/v1/users/me"


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def foreign(**claims: Any) -> str:
    """A token that somebody else signed who has the secret."""
    payload = {"exp": wall_clock() + 60, "sub": "someone", **claims}
    return jwt.encode(payload, str(settings.CONFIG.jwt_secret), algorithm="HS256")


@pytest.mark.parametrize("path", [VALIDATE, PROFILE, ME])
@pytest.mark.parametrize(("token", "reason"), [("", "missing"), ("x", "invalid"), (None, "expired")])
def test_nobody(client: Endpoints, path: str, token: str | None, reason: str) -> None:
    """401 with the reason, and how to authenticate."""
    answer = client.ask(path, token=foreign(exp=1) if token is None else token)

    methods = ["jwt", "api_key", "session"]
    assert refusal(answer) == (401, "AUTH_ERROR", {"reason": reason, "methods": methods})
    error = "" if reason == "missing" else ', error="invalid_token"'
    assert answer["WWW-Authenticate"] == f'Bearer realm="torana"{error}, ApiKey realm="torana"'
    assert answer["Cache-Control"] == "no-store"


def test_an_account(client: Endpoints) -> None:
    """By each credential; only how it came differs."""
    user = account("ada", is_staff=True)
    user.groups.add(Group.objects.create(name="analyst"))
    _, key = apikeys.create(accounts.consumer_of(user), "k", by="ada")
    pair = client.signed_in("ada")
    shown = {
        "id": user.pk,
        "username": "ada",
        "email": "ada@example.com",
        "roles": ["analyst"],
        "scopes": [],
    }
    stranger = Endpoints()

    assert stranger.ask(PROFILE, token=pair["access"]).json() == shown
    for answer, method in (
        (stranger.ask(ME, token=pair["access"]), "jwt"),
        (stranger.ask(ME, key=key), "api_key"),
        (client.ask(ME), "session"),
    ):
        more = {"consumer": "ada", "kind": "user", "plan": None, "staff": True, "provider": None}
        assert answer.json() == {**shown, **more, "method": method}


def test_how_long_it_holds(client: Endpoints) -> None:
    """A time for what ends, null for a key that does not."""
    _, key = apikeys.create(accounts.consumer_of(account("ada")), "k", by="ada")
    pair = Endpoints().signed_in("ada")
    ends = client.ask(VALIDATE, token=pair["access"]).json()["expires_at"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ends)
    assert client.ask(VALIDATE, key=key).json()["expires_at"] is None


def test_a_service(client: Endpoints) -> None:
    """It has a name, and no account."""
    consumer = Consumer.objects.create(name="robot", kind="service", plan="gold", scopes=["read"])
    _, key = apikeys.create(consumer, "k", by="root")
    shown = client.ask(ME, key=key).json()

    assert (shown["id"], shown["username"], shown["email"]) == (None, "robot", "")
    assert (shown["kind"], shown["plan"], shown["scopes"]) == ("service", "gold", ["read"])


@pytest.mark.parametrize("subject", ["someone", "9" * 30, "0", "999999", "\u0663"])
def test_somebody_without_an_account(client: Endpoints, subject: str) -> None:
    """A token that another issuer signed with the shared secret is who it says, whatever that is."""
    shown = client.ask(PROFILE, token=foreign(sub=subject, name="Some One", scopes=["read"]))

    assert shown.status_code == 200
    assert (shown.json()["id"], shown.json()["username"]) == (subject, "Some One")
    assert shown.json()["scopes"] == ["read"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods(client: Endpoints, method: str) -> None:
    """405 with what is allowed; OPTIONS says it, too."""
    answer = getattr(client, method)(VALIDATE)

    assert refusal(answer) == (405, "METHOD_NOT_ALLOWED", {"allow": ["GET", "HEAD", "OPTIONS"]})
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert client.options(VALIDATE)["Allow"] == "GET, HEAD, OPTIONS"


def test_foreign_number_is_no_account_of_ours(client: Endpoints) -> None:
    """Somebody else who holds JWT_SECRET has accounts with numbers of its own."""
    ada = User.objects.create_user("ada", "ada@example.com")

    for subject in (str(ada.pk), f"0{ada.pk}", "9" * 30):
        shown = client.ask(PROFILE, token=foreign(sub=subject, name="Somebody"))

        assert (shown.json()["id"], shown.json()["username"], shown.json()["email"]) == (
            subject,
            "Somebody",
            "",
        )
