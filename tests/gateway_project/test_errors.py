"""Django's refusals: the envelope for programs, a page for people, the database's absence told apart."""

import json

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.db import DataError, InterfaceError, OperationalError, ProgrammingError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from authproxy import problems
from authproxy.exchange import SCOPE_REQUEST_ID
from gateway_project import errors


@pytest.fixture
def request_() -> HttpRequest:
    request = RequestFactory().get("/control/v1/things")
    request.scope = {SCOPE_REQUEST_ID: b"the-id"}  # type: ignore[attr-defined]
    return request


def outage(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    return errors.OutageMiddleware(lambda _request: HttpResponse()).process_exception(request, exception)


def envelope(response: HttpResponse) -> tuple[int, str, str]:
    """Status, code and message; the other parts are always there."""
    document = json.loads(response.content)
    assert document["request_id"] == "the-id"
    assert document["timestamp"].endswith("Z")
    assert response["Content-Type"] == "application/json"
    return response.status_code, document["error"]["code"], document["error"]["message"]


def test_refusals_are_envelopes(request_: HttpRequest) -> None:
    """Each of Django's handlers answers with status, code, message and the request's id."""
    assert envelope(errors.page_not_found(request_, Http404()))[:2] == (404, "NOT_FOUND")
    assert envelope(errors.permission_denied(request_, PermissionDenied("No."))) == (403, "FORBIDDEN", "No.")
    assert envelope(errors.server_error(request_))[:2] == (500, "INTERNAL_ERROR")
    assert envelope(errors.bad_request(request_, ValueError()))[:2] == (400, "INVALID_REQUEST")


def test_foreign_host_is_named_as_the_reason(request_: HttpRequest) -> None:
    """Who forgot ALLOWED_HOSTS is reminded of it."""
    assert "ALLOWED_HOSTS" in envelope(errors.bad_request(request_, DisallowedHost("x")))[2]


def test_people_get_a_page(request_: HttpRequest) -> None:
    """A browser is shown the same message, escaped; not where nobody browses."""
    request_.META["HTTP_ACCEPT"] = "text/html,*/*;q=0.8"
    assert envelope(errors.server_error(request_))[:2] == (500, "INTERNAL_ERROR")
    request_.path = "/docs/account"
    response = errors.permission_denied(request_, PermissionDenied("<b>No</b>"))
    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "<h1>Forbidden</h1>" in page
    assert "&lt;b&gt;No&lt;/b&gt;" in page
    assert "the-id" in page
    assert 'href="/admin/"' not in page
    request_.path = "/admin/routing/nothing/"
    assert 'href="/admin/"' in errors.page_not_found(request_, Http404()).content.decode()


def test_every_way_to_authenticate_is_named(request_: HttpRequest) -> None:
    """Fields that occur more than once become one list (RFC 9110 section 5.3)."""
    rejection = problems.unauthenticated("missing", methods=("jwt", "api_key"), realm="torana")
    response = errors.answer(request_, rejection)

    assert response["WWW-Authenticate"] == 'Bearer realm="torana", ApiKey realm="torana"'


@pytest.mark.parametrize(
    "exception",
    [
        OperationalError('connection to server at "10.1.2.3" failed'),
        InterfaceError("connection already closed"),
        OperationalError("unable to open database file"),
        ProgrammingError('relation "auth_user" does not exist'),
    ],
)
def test_database_that_is_away_is_no_mistake_of_ours(request_: HttpRequest, exception: Exception) -> None:
    """503 with the reason, without the server's address, and when to come again."""
    response = outage(request_, exception)
    assert response is not None
    status, code, message = envelope(response)
    assert (status, code, response["Retry-After"]) == (503, "SERVICE_UNAVAILABLE", "2")
    assert "database" in message
    assert "10.1.2.3" not in message


def test_other_exceptions_are_left_alone(request_: HttpRequest) -> None:
    """Wrong data and anything that is not the database's are reported as our mistakes."""
    assert outage(request_, DataError("out of range")) is None
    assert outage(request_, ValueError("x")) is None


def test_handlers_are_wired() -> None:
    """A reserved path with nothing behind it answers with the envelope."""
    response = Client().get("/control/v1/nothing", headers={"host": "localhost"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_foreign_host_is_refused() -> None:
    """ALLOWED_HOSTS guards what Django answers, under ASGI as well."""
    response = await AsyncClient().get("/admin/", headers={"host": "evil.example"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("query", "is_refused"), [("route=" + "9" * 19, True), ("route=12", False), ("", False)]
)
def test_a_huge_number_in_the_address_is_the_clients_mistake(query: str, *, is_refused: bool) -> None:
    """Of what SQLite's driver raises; where no number is huge, the mistake is ours."""
    request = RequestFactory().get(f"/admin/routing/owner/?{query}")
    answer = outage(request, OverflowError("Python int too large to convert to SQLite INTEGER"))
    assert (answer is not None and answer.status_code == 400) is is_refused
