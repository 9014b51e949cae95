"""Registration: who may have an account, and what is said to those who may not."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from authproxy import accounts
from authproxy.models import Consumer
from authproxy.security import SecurityEvent
from tests.support.endpoints import PASSWORD, Endpoints, account, kinds, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

ADA = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}


def test_registration_makes_an_account(client: Endpoints, heard: list[SecurityEvent]) -> None:
    """201 with the account; its password signs in."""
    made = client.send("/api/auth/register", ADA)

    pk = User.objects.get().pk
    user = {"id": pk, "username": "ada", "email": "ada@example.com", "roles": [], "scopes": []}
    assert (made.status_code, made.json()) == (201, {"user": user})
    assert kinds(heard) == ["registered"]
    assert client.signed_in("ada")["user"] == user


@pytest.mark.parametrize(
    "taken",
    [
        {"username": "bob"},
        {"username": "BOB"},
        {"username": "robot"},
        {"email": "Bob@example.com"},
        {"username": "BOB@example.com"},
        {"email": "eve@example.com"},
    ],
)
def test_what_is_taken_is_refused_alike(client: Endpoints, taken: dict[str, str]) -> None:
    """A name, in any case, of an account or a consumer, and an address of mail: one answer, which says not which."""
    account("bob")
    User.objects.create_user("eve@example.com")
    Consumer.objects.create(name="robot", kind="service")
    answer = client.send("/api/auth/register", ADA | taken)

    details = {"username": ["An account with this name or this address cannot be made."]}
    assert refusal(answer) == (400, "VALIDATION_ERROR", details)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "1234567890"}, "password"),
        ({"password": "ada@example.com"}, "password"),
        ({"username": "a b"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": ""}, "username"),
        ({"username": None}, "username"),
        ({"username": ["ada"]}, "username"),
        ({"username": "a\0"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"email": {"a": 1}}, "email"),
        ({"password": "x" * 2000}, "password"),
    ],
)
def test_what_is_wrong_is_said_by_field(client: Endpoints, wrong: dict[str, Any], field: str) -> None:
    """Each with its reasons; nothing is made."""
    status, code, details = refusal(client.send("/api/auth/register", ADA | wrong))

    assert (status, code) == (400, "VALIDATION_ERROR")
    assert field in details
    assert not User.objects.exists()


def test_registering_on_and_on(client: Endpoints, heard: list[SecurityEvent]) -> None:
    """429 after twenty, alike for what would be made and for what is taken; what is wrong by itself is free."""
    for _ in range(30):
        client.send("/api/auth/register", ADA | {"password": "short"})
    tried = [client.send("/api/auth/register", ADA).status_code for _ in range(20)]
    taken = client.send("/api/auth/register", ADA)
    free = client.send("/api/auth/register", ADA | {"username": "bob", "email": "bob@example.com"})
    elsewhere = Endpoints(address="192.0.2.2").send("/api/auth/register", ADA)

    assert tried == [201] + [400] * 19
    assert refusal(taken) == refusal(free) == (429, "RATE_LIMIT", {"retry_after": 10})
    assert (taken["Retry-After"], elsewhere.status_code) == ("10", 400)
    assert kinds(heard) == ["registered", "registration_refused", "registration_refused"]
    assert (heard[-1].address, heard[-1].subject) == ("192.0.2.1", "")


def test_closed_registration(client: Endpoints, settings: Any) -> None:
    """REGISTRATION=closed: 403, whatever is sent."""
    settings.CONFIG = replace(settings.CONFIG, registration="closed")

    assert refusal(client.send("/api/auth/register", {}))[:2] == (403, "FORBIDDEN")


def test_a_name_that_somebody_else_took_meanwhile(client: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database decides; the answer is the same."""
    account("ada")
    monkeypatch.setattr(accounts, "is_taken", lambda *_names, **_more: False)
    answer = client.send("/api/auth/register", ADA | {"email": "other@example.com"})

    assert refusal(answer)[:2] == (400, "VALIDATION_ERROR")
