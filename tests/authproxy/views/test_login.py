"""Signing in: by name or mail, with a second factor, and what guessing comes to."""

from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User

from authproxy import lockout
from authproxy.granting import Standing
from authproxy.models import Consumer, FailedSignIn, Session
from authproxy.security import SecurityEvent
from authproxy.signin import SignInRefused, sign_in
from authproxy.views import login, token
from tests.support.endpoints import PASSWORD, Endpoints, account, kinds, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

ADA = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
LOGIN = "/api/auth/login"
VALIDATE = "/api/auth/validate"


def test_login_answers_with_a_pair(client: Endpoints, heard: list[SecurityEvent]) -> None:
    """Tokens and cookies of one session; both prove the account."""
    user = account("ada")
    pair = client.signed_in("ada")

    assert set(pair) == {"access", "refresh", "token_type", "expires_in", "user"}
    assert (pair["token_type"], pair["expires_in"], pair["user"]["id"]) == ("Bearer", 900, user.pk)
    assert kinds(heard) == ["login"]
    assert Session.objects.get().address == "192.0.2.1"
    for proof in (Endpoints().ask(VALIDATE, token=pair["access"]), client.ask(VALIDATE)):
        assert (proof.status_code, proof.json()["valid"], proof.json()["user"]) == (200, True, pair["user"])


def test_email_stands_for_the_name(client: Endpoints) -> None:
    """Under either key, in any case; of two accounts the older one has it."""
    older = account("ada")
    User.objects.create_user("other", "ADA@example.com", "another-password-1")
    for given in ({"email": "ADA@Example.com"}, {"username": "ada@example.com"}):
        answer = client.send(LOGIN, {**given, "password": PASSWORD})
        assert answer.json()["user"]["id"] == older.pk


@pytest.mark.parametrize(
    "given",
    [
        {"username": "ada", "password": "wrong-password"},
        {"username": "nobody", "password": PASSWORD},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"username": "disabled", "password": PASSWORD},
        {"username": "shut", "password": PASSWORD},
        {"username": "unusable", "password": "!"},
        {"username": "robot", "password": PASSWORD},
    ],
)
def test_refusals_are_alike(client: Endpoints, heard: list[SecurityEvent], given: dict[str, str]) -> None:
    """Wrong password, no such account, disabled account or consumer, no password at all: one answer, and no cookie."""
    account("ada")
    account("disabled", is_active=False)
    Consumer.objects.create(name="shut", user=account("shut"), enabled=False)
    User.objects.create_user("unusable", "u@example.com", None)
    Consumer.objects.create(name="robot", kind="service")
    answer = client.send(LOGIN, given)

    assert refusal(answer) == (401, "AUTH_ERROR", {"reason": "invalid"})
    assert answer["WWW-Authenticate"] == 'Bearer realm="torana"'
    assert kinds(heard) == ["login_failed"]
    assert not client.cookies
    assert PASSWORD not in answer.content.decode()


def test_every_guess_costs_one_hash(client: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not there is such an account: the time says nothing."""
    account("ada")
    User.objects.create_user("unusable", "u@example.com", None)
    made: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        made.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    counts = []
    for name in ("ada", "nobody", "unusable"):
        made.clear()
        client.send(LOGIN, {"username": name, "password": "wrong-password"})
        counts.append(len(made))

    assert counts == [1, 1, 1]


@pytest.mark.parametrize(
    "body", [{}, {"password": PASSWORD}, {"username": "ada", "email": "a@example.com", "password": PASSWORD}]
)
def test_login_wants_one_name(client: Endpoints, body: dict[str, str]) -> None:
    """Neither none nor two."""
    assert refusal(client.send(LOGIN, body))[:2] == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("view", "path", "more", "status"),
    [(login, LOGIN, {}, 401), (token, "/api/v1/auth/token", {"grant_type": "password"}, 400)],
)
def test_a_password_that_is_changed_before_the_session_opens(
    client: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
    view: Any,
    path: str,
    more: dict[str, str],
    status: int,
) -> None:
    """Changing it ends every session; one that is about to open must not outlast that."""
    user = account("ada")

    def early(**given: Any) -> Standing | SignInRefused:
        found = sign_in(**given)
        user.set_password("another-password-1")
        user.save()
        return found

    monkeypatch.setattr(view, "sign_in", early)
    answer = client.send(path, {"username": "ada", "password": PASSWORD, **more})

    assert (answer.status_code, Session.objects.count()) == (status, 0)


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_guessing_is_made_to_wait(client: Endpoints, heard: list[SecurityEvent], name: str) -> None:
    """After five failures even the right password has to, with the same answer for an account that there is not."""
    account("ada")
    for _ in range(5):
        client.send(LOGIN, {"username": name, "password": "wrong-password"})
    answer = client.send(LOGIN, {"username": name, "password": PASSWORD})

    status, code, details = refusal(answer)
    assert (status, code) == (429, "RATE_LIMIT")
    assert 8 <= int(answer["Retry-After"]) == details["retry_after"] <= 10
    assert kinds(heard).count("login_locked") == 1


def test_the_owner_signs_in_from_elsewhere(client: Endpoints) -> None:
    """Somebody guessing does not lock out who it is about."""
    account("ada")
    for _ in range(6):
        client.send(LOGIN, {"username": "ada", "password": "wrong-password"})

    assert Endpoints(address="198.51.100.7").signed_in("ada")


def test_name_and_mail_are_one_account_to_the_lockout(client: Endpoints) -> None:
    """Guessing under either spelling does not double the allowance."""
    account("ada")
    for given in ({"username": "ada"}, {"email": "ada@example.com"}, {"username": "ADA@example.com"}) * 2:
        last = client.send(LOGIN, {**given, "password": "wrong-password"})

    assert last.status_code == 429


def test_a_lock_that_came_meanwhile_holds(client: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many guesses side by side get no further than the same guesses one after another."""
    account("ada")
    check = User.check_password

    def slow(self: User, password: str) -> bool:
        for _ in range(5):
            lockout.failed("ada", "192.0.2.1")
        return check(self, password)

    monkeypatch.setattr(User, "check_password", slow)

    assert client.send(LOGIN, {"username": "ada", "password": PASSWORD}).status_code == 429
    assert not Session.objects.exists()


@pytest.fixture
def codes() -> list[str]:
    """Ada's recovery codes."""
    found: list[str] = RecoveryCodes.activate(account("ada")).get_unused_codes()
    return found


def test_a_second_factor_is_asked_for(
    client: Endpoints, codes: list[str], heard: list[SecurityEvent]
) -> None:
    """Only after the right password; the code signs in, once."""
    first = client.send(LOGIN, {"username": "ada", "password": PASSWORD})
    assert refusal(first) == (401, "AUTH_ERROR", {"reason": "second_factor_required"})
    assert not FailedSignIn.objects.exists()

    wrong = client.send(LOGIN, {"username": "ada", "password": "wrong-password", "otp": codes[0]})
    assert refusal(wrong)[2] == {"reason": "invalid"}

    given = {"username": "ada", "password": PASSWORD, "otp": codes[0]}
    assert client.send(LOGIN, given).status_code == 200
    assert refusal(client.send(LOGIN, given))[2] == {"reason": "invalid"}
    assert kinds(heard) == ["login_failed", "login", "mfa_failed", "login_failed"]


@pytest.mark.parametrize("otp", ["000000", "x" * 32, "０００００", "'", "-1"])
def test_guessing_codes_is_made_to_wait(client: Endpoints, codes: list[str], otp: str) -> None:
    """Like guessing passwords."""
    for _ in range(5):
        client.send(LOGIN, {"username": "ada", "password": PASSWORD, "otp": otp})

    assert client.send(LOGIN, {"username": "ada", "password": PASSWORD, "otp": codes[0]}).status_code == 429
