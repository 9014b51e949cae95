"""The token endpoint: three grants, narrowed scopes, and errors as RFC 6749 has them."""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from authproxy import accounts, apikeys
from authproxy.models import ApiKey, Consumer, FailedSignIn, RefreshToken, Session
from tests.support.endpoints import PASSWORD, Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]

TOKEN = "/api/v1/auth/token"
ME = "/api/v1/users/me"
FORM = "application/x-www-form-urlencoded"


def ask(form: dict[str, str], *, basic: str = "") -> Any:
    headers = {"authorization": f"Basic {b64encode(basic.encode()).decode()}"} if basic else {}
    return Endpoints(origin=None).post(TOKEN, urlencode(form), content_type=FORM, headers=headers)


def granted(form: dict[str, str], **more: str) -> dict[str, Any]:
    answer = ask(form, **more)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def error(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    return answer.status_code, body["error"]


def me(token: str) -> Any:
    return Endpoints().ask(ME, token=token)


@pytest.fixture
def ada() -> User:
    """She has three scopes of her own."""
    user = account("ada")
    consumer = accounts.consumer_of(user)
    consumer.scopes = ["read", "write", "admin"]
    consumer.save()
    return user


@pytest.fixture
def robot() -> tuple[Consumer, ApiKey, str]:
    """A service with two scopes, and a key that has one of them."""
    consumer = Consumer.objects.create(name="robot", kind="service", scopes=["read", "write"])
    return (consumer, *apikeys.create(consumer, "nightly", scopes=["read"], by="root"))


PASSWORD_GRANT = {"grant_type": "password", "username": "ada", "password": PASSWORD}


def test_password_grant(ada: User) -> None:
    """A pair with all scopes, and no cookie."""
    answer = ask(PASSWORD_GRANT)
    body = answer.json()

    assert list(body) == ["access_token", "token_type", "expires_in", "refresh_token", "scope"]
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, "admin read write")
    assert (answer["Cache-Control"], answer["Pragma"]) == ("no-store", "no-cache")
    assert not answer.cookies
    assert me(body["access_token"]).json()["username"] == "ada"


def test_json_does_as_well(ada: User) -> None:
    """The same members, in an object."""
    assert Endpoints().send(TOKEN, PASSWORD_GRANT).json()["scope"] == "admin read write"


def test_a_session_may_be_asked_to_have_less(ada: User) -> None:
    """The scope is the ceiling of everything that follows."""
    first = granted({**PASSWORD_GRANT, "scope": "read write"})
    second = granted({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    third = granted(
        {"grant_type": "refresh_token", "refresh_token": second["refresh_token"], "scope": "read"}
    )
    fourth = granted({"grant_type": "refresh_token", "refresh_token": third["refresh_token"]})

    assert [each["scope"] for each in (first, second, third, fourth)] == [
        "read write",
        "read write",
        "read",
        "read write",
    ]
    assert me(third["access_token"]).json()["scopes"] == ["read"]


def test_nobody_gets_more(ada: User) -> None:
    """Not at the sign-in; and not later, where the refresh token is then still good."""
    assert error(ask({**PASSWORD_GRANT, "scope": "read root"})) == (400, "invalid_scope")
    first = granted({**PASSWORD_GRANT, "scope": "read"})
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    assert error(ask({**form, "scope": "read write"})) == (400, "invalid_scope")
    assert not RefreshToken.objects.exclude(used_at=None).exists()
    assert granted(form)["scope"] == "read"


def test_a_reused_refresh_token_ends_its_family(ada: User) -> None:
    """As at the other endpoint."""
    first = granted(PASSWORD_GRANT)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = granted(form)

    assert error(ask(form)) == (400, "invalid_grant")
    assert error(ask({**form, "refresh_token": second["refresh_token"]})) == (400, "invalid_grant")
    assert me(second["access_token"]).status_code == 401
    assert Session.objects.get().end_reason


def test_client_credentials(robot: tuple[Consumer, ApiKey, str]) -> None:
    """A service and its key, in the header or in the body: an access token, and no refresh token."""
    _, _, secret = robot
    in_header = granted({"grant_type": "client_credentials"}, basic=f"robot:{secret}")
    in_body = granted(
        {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": "read"}
    )

    for each in (in_header, in_body):
        assert set(each) == {"access_token", "token_type", "expires_in", "scope"}
        assert each["scope"] == "read"
        shown = me(each["access_token"]).json()
        assert (shown["id"], shown["username"], shown["kind"]) == (None, "robot", "service")
        assert shown["scopes"] == ["read"]


def test_a_programs_token_ends_with_its_key(robot: tuple[Consumer, ApiKey, str]) -> None:
    """Revoked, or logged out by itself."""
    _, key, secret = robot
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret}
    one, two = (granted(form)["access_token"] for _ in range(2))

    assert Endpoints().send("/api/auth/logout", token=one).status_code == 204
    assert (me(one).status_code, me(two).status_code) == (401, 200)
    apikeys.revoke(key, by="root")
    assert me(two).status_code == 401
    assert error(ask(form)) == (401, "invalid_client")


def test_a_programs_token_lives_no_longer_than_its_key(robot: tuple[Consumer, ApiKey, str]) -> None:
    """A key with a minute left gives a token of a minute."""
    secret = robot[2]
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret}

    assert 50 <= granted(form)["expires_in"] <= 60
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert error(ask(form)) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("robot", "tor_x"),
        ("robot", ""),
        ("nobody", "{}"),
        ("", "{}"),
        ("robot", "{}x"),
        ("ada", "{}"),
        ("robot", "\0"),
    ],
)
def test_wrong_clients(robot: tuple[Consumer, ApiKey, str], name: str, secret: str) -> None:
    """An unknown client, a wrong secret, another client's: one answer, and the challenge."""
    answer = ask({"grant_type": "client_credentials"}, basic=f"{name}:{secret.format(robot[2])}")

    assert error(answer) == (401, "invalid_client")
    assert answer["WWW-Authenticate"] == 'Basic realm="torana"'


def test_only_enabled_services_are_clients(ada: User, robot: tuple[Consumer, ApiKey, str]) -> None:
    """An account's key is no client, and neither is a consumer that was disabled."""
    _, own = apikeys.create(accounts.consumer_of(ada), "own", by="ada")
    assert error(ask({"grant_type": "client_credentials"}, basic=f"ada:{own}")) == (401, "invalid_client")

    consumer, _, secret = robot
    consumer.enabled = False
    consumer.save()
    assert error(ask({"grant_type": "client_credentials"}, basic=f"robot:{secret}")) == (
        401,
        "invalid_client",
    )


MALFORMED = [
    ({}, "invalid_request"),
    ({"grant_type": ""}, "invalid_request"),
    ({"grant_type": "implicit"}, "unsupported_grant_type"),
    ({"grant_type": "password"}, "invalid_request"),
    ({"grant_type": "password", "username": "ada"}, "invalid_request"),
    ({"grant_type": "password", "username": "ada\0", "password": "x"}, "invalid_request"),
    ({"grant_type": "password", "username": "a" * 300, "password": "x"}, "invalid_request"),
    ({"grant_type": "refresh_token"}, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
    ({"grant_type": "refresh_token", "refresh_token": "\u00e9.\u00e9.\u00e9"}, "invalid_grant"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "scope": '"'}, "invalid_scope"),
    ({"grant_type": "client_credentials"}, "invalid_client"),
    ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client"),
    ({"grant_type": "client_credentials", "client_secret": "x"}, "invalid_request"),
]


@pytest.mark.parametrize(("form", "code"), MALFORMED)
def test_malformed_requests(form: dict[str, str], code: str) -> None:
    """Each has its code; the status is 400, but for clients that did not prove who they are."""
    assert error(ask(form)) == (401 if code == "invalid_client" else 400, code)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"grant_type": 7}', "application/json"),
        (b'{"grant_type": ["password"]}', "application/json"),
        (b"grant_type=password&grant_type=password", FORM),
        (b"grant_type=%ff", FORM),
        (b"x" * 70_000, FORM),
        (b"grant_type=password", "text/plain"),
        (b"grant_type=password", ""),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, kind: str) -> None:
    """Also in OAuth's words."""
    assert error(Endpoints().post(TOKEN, body, content_type=kind)) == (400, "invalid_request")


def test_two_ways_at_once(robot: tuple[Consumer, ApiKey, str]) -> None:
    """RFC 6749 section 2.3: a client uses one method."""
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": robot[2]}

    assert error(ask(form, basic=f"robot:{robot[2]}")) == (400, "invalid_request")


def test_wrong_passwords_are_counted(ada: User) -> None:
    """They and the login share the lockout."""
    for _ in range(5):
        assert error(ask({**PASSWORD_GRANT, "password": "wrong-password"})) == (400, "invalid_grant")
    answer = ask(PASSWORD_GRANT)

    assert error(answer) == (429, "slow_down")
    assert 8 <= int(answer["Retry-After"]) <= 10
    assert FailedSignIn.objects.exists()
