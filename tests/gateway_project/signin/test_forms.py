"""Passwords and codes at the sign-in pages: what is asked for, in which order, and how guessing ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from authproxy import security

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
LOGIN, CODE, CHANGE = "/accounts/login/", "/accounts/2fa/authenticate/", "/accounts/password/change/"
ENOUGH = 12  # failures, however lenient the rules are


@pytest.fixture
def ada() -> User:
    cache.clear()
    return User.objects.create_superuser("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def codes(ada: User) -> list[str]:
    """Recovery codes of an account with a second factor."""
    Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={"secret": "not openable"})
    return RecoveryCodes.activate(ada).generate_codes()


@pytest.fixture
def kinds() -> Iterator[list[str]]:
    """What was told, by kind."""
    found: list[str] = []
    unbind = security.bind(lambda event: found.append(event.kind))
    yield found
    unbind()


def sign_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": "ada", "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_right_password_is_enough_without_a_second_factor(ada: User, kinds: list[str]) -> None:
    """It leads to admin, or where one was going."""
    client = Client()

    assert sign_in(client)["Location"] == "/admin/"
    assert is_in(client)
    assert sign_in(Client(), next="/admin/routing/node/")["Location"] == "/admin/routing/node/"
    assert kinds == ["staff_login", "staff_login"]


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_signing_in(ada: User, there: str) -> None:
    """Redirects stay on this site."""
    assert sign_in(Client(), next=there)["Location"] == "/admin/"


@pytest.mark.parametrize("name", ["ada", "nobody", "bob"])
def test_refusal_says_nothing_about_the_account(ada: User, name: str) -> None:
    """Wrong password, no such account and a disabled one look the same."""
    User.objects.create_user("bob", password=PASSWORD, is_active=False)
    password = "wrong" if name == "ada" else PASSWORD
    response = Client().post(LOGIN, {"login": name, "password": password})

    assert response.context["form"].non_field_errors() == [
        "The username and/or password you specified are not correct."
    ]


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_guessing_waits(ada: User, kinds: list[str], name: str) -> None:
    """After some failures nothing is looked at for a while, the right password neither; for unknown names as well."""
    client = Client()
    for _ in range(ENOUGH):
        response = client.post(LOGIN, {"login": name, "password": "wrong"})
    right = client.post(LOGIN, {"login": name, "password": PASSWORD})

    assert "Too many failed attempts" in str(response.context["form"].errors)
    assert "Too many failed attempts" in str(right.context["form"].errors)
    assert 0 < kinds.count("staff_login_failed") < ENOUGH
    assert not is_in(client)


def test_password_alone_does_not_open_with_a_second_factor(
    ada: User, codes: list[str], kinds: list[str]
) -> None:
    """Nothing but the page for the code is open in between."""
    client = Client()

    assert sign_in(client)["Location"] == CODE
    assert not is_in(client)
    assert kinds == []
    assert client.post(CODE, {"code": codes[0]})["Location"] == "/admin/"
    assert is_in(client)
    assert kinds == ["staff_login"]


def test_wrong_codes_are_told_and_wait(ada: User, codes: list[str], kinds: list[str]) -> None:
    """Knowing the password gives no more guesses: failures count on, and a new start does not forget them."""
    client = Client()
    for _ in range(ENOUGH):
        sign_in(client)
        client.post(CODE, {"code": "000000"})
    sign_in(client)
    client.post(CODE, {"code": codes[0]})

    assert not is_in(client)
    assert 0 < kinds.count("mfa_failed") < ENOUGH


def test_recovery_code_works_once(ada: User, codes: list[str]) -> None:
    """And a code of one account is none of another's."""
    for expected in (True, False):
        client = Client()
        sign_in(client)
        client.post(CODE, {"code": codes[0]})
        assert is_in(client) is expected


@pytest.mark.parametrize(
    "data", [{}, {"code": ""}, {"credential": "{"}, {"credential": "[]"}, {"credential": '{"id": 1}'}]
)
def test_malformed_second_factor_is_refused(ada: User, codes: list[str], data: dict[str, str]) -> None:
    """Never an error of ours."""
    client = Client()
    sign_in(client)

    assert client.post(CODE, data).status_code == 200
    assert not is_in(client)


def test_malformed_security_key_is_refused(ada: User) -> None:
    """Adding one with a made-up credential shows the page again, and adds nothing."""
    client = Client()
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    for credential in (
        "{",
        "[]",
        "1",
        '{"id": 1}',
        '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}',
    ):
        response = client.post("/accounts/2fa/webauthn/add/", {"name": "key", "credential": credential})
        assert response.status_code == 200, credential
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "login", ["", "\x00", "a" * 10_000, "ada\n", "' OR 1=1 --", "\ud800".encode("utf-8", "replace")]
)
def test_malformed_name_is_refused(ada: User, login: Any) -> None:
    """Whatever is typed, the page is shown again."""
    assert Client().post(LOGIN, {"login": login, "password": "x\x00"}).status_code == 200


def test_old_password_is_not_guessed_at_a_screen_left_open(ada: User) -> None:
    """Changing the password asks for the old one, and waits as well."""
    client = Client()
    sign_in(client)
    new = {"password1": "an even better battery", "password2": "an even better battery"}
    for _ in range(ENOUGH):
        client.post(CHANGE, {"oldpassword": "wrong", **new})

    assert "Too many" in str(client.post(CHANGE, {"oldpassword": PASSWORD, **new}).context["form"].errors)
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_changed_password_keeps_this_browser_and_ends_others(ada: User) -> None:
    """Whoever else was signed in with the old one is not any more."""
    here, elsewhere = Client(), Client()
    sign_in(here), sign_in(elsewhere)
    new = "an even better battery"
    here.post(CHANGE, {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert (is_in(here), is_in(elsewhere)) == (True, False)


def test_form_of_another_site_signs_nobody_in(ada: User) -> None:
    """Django's CSRF protection stands before the page."""
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403
