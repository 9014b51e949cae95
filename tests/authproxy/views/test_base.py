"""What every endpoint shares: who calls, whether a cookie was meant, and what comes of bodies that are none."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.models import Session
from authproxy.refusing import Refused
from authproxy.views import base
from tests.support.endpoints import Endpoints, account, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]

LOGIN = "/api/auth/login"


def request_with(
    identity: Identity | None, failure: str = "", method: str = "post", **headers: str
) -> Request:
    request = getattr(APIRequestFactory(), method)("/x", headers=headers)
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    request.scope = {SCOPE_IDENTITY: identity, SCOPE_AUTH_FAILURE: failure, "headers": fields}
    return Request(request)


def refused(request: Request) -> tuple[int, Any]:
    with pytest.raises(Refused) as caught:
        base.required_identity(request)
    return caught.value.rejection.status, caught.value.rejection.details.get("reason")


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        ("", 401, "missing"),
        ("invalid", 401, "invalid"),
        ("expired", 401, "expired"),
        ("unavailable", 503, "identities_unavailable"),
    ],
)
def test_why_nobody_is_known(failure: str, status: int, reason: str) -> None:
    """As the pipeline found out; a store that is away lets nobody in, and blames nobody."""
    assert refused(request_with(None, failure)) == (status, reason)


def test_a_cookie_from_another_site() -> None:
    """It speaks for reading alone; a token speaks for anything."""
    by_cookie = Identity(method="session", consumer="ada", session="s")
    by_token = Identity(method="jwt", consumer="ada")
    evil = {"origin": "http://evil.example"}

    assert refused(request_with(by_cookie, **evil)) == (403, "cross_site")
    assert base.required_identity(request_with(by_cookie, method="get", **evil)) is by_cookie
    assert base.required_identity(request_with(by_cookie, origin="http://testserver")) is by_cookie
    assert base.required_identity(request_with(by_token, **evil)) is by_token


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_REQUEST"),
        (b"[]", "application/json", 400, "INVALID_REQUEST"),
        (b"", "application/json", 400, "VALIDATION_ERROR"),
        (b"{}", "application/json; charset=latin-1", 400, "VALIDATION_ERROR"),
        (b"{}", "APPLICATION/JSON", 400, "VALIDATION_ERROR"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"username=ada&password=x", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"x", "multipart/form-data; boundary=x", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"x", ";;;", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * 70_000, "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_bodies(body: bytes, kind: str, status: int, code: str) -> None:
    """Only JSON, which another site's form cannot send; whatever is wrong has its envelope."""
    assert refusal(Endpoints().post(LOGIN, body, content_type=kind))[:2] == (status, code)


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/json;q=0", "*/*", "x"])
def test_json_whatever_is_accepted(accept: str) -> None:
    """A client that cannot read it still learns the status."""
    account("ada")
    given = {"username": "ada", "password": "correct-horse-battery"}
    answer = Endpoints().send(LOGIN, given, headers={"accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    refused = Endpoints().send(LOGIN, {**given, "password": "wrong"}, headers={"accept": accept})
    assert refusal(refused)[:2] == (401, "AUTH_ERROR")


def test_who_signed_in_from_where_is_kept_in_bounds() -> None:
    """However long the client's name for itself is."""
    account("ada")
    given = {"username": "ada", "password": "correct-horse-battery"}
    Endpoints(address="2001:db8::1").send(LOGIN, given, headers={"user-agent": "x" * 5000 + "\u00e9"})

    session = Session.objects.get()
    assert (session.address, len(session.user_agent)) == ("2001:db8::1", 256)


@pytest.mark.parametrize(
    ("access", "client", "peer", "opened"),
    [
        ("private", "127.0.0.1", ("127.0.0.1", 1), True),
        ("private", "10.0.0.7", ("127.0.0.1", 1), True),
        ("private", "203.0.113.9", ("127.0.0.1", 1), False),
        ("private", "", None, False),
        ("public", "203.0.113.9", None, True),
        ("restricted", "127.0.0.1", ("127.0.0.1", 1), False),
    ],
)
def test_whom_ops_access_lets_read(
    access: str, client: str, peer: tuple[str, int] | None, opened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the address that the pipeline found, behind trusted proxies."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, ops_access=access))
    request = request_with(None, method="get")
    request.scope |= {SCOPE_CLIENT: client, "client": peer}
    request.META["REMOTE_ADDR"] = ""
    assert base.is_open_to(request) is opened
