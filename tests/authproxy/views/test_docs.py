"""The OpenAPI document and its page; the page itself is tried in a browser."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from authproxy import upstreamdocs, urls
from authproxy.upstreamdocs import UpstreamDocuments
from authproxy.views import docs
from gateway_project import changesurls, controlurls
from routing.compiler import CompileOptions, compile_snapshot
from routing.foreign import Notes
from routing.openapi.portal import Described
from routing.openapi.reading import Source
from tests.support.endpoints import Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]
UUID = "4c9a3f0e-0000-4000-8000-000000000000"
PUBLIC = {"signIn", "register", "refresh", "getTokens", "publicKeys"}


@pytest.fixture(scope="module")
def document() -> Any:
    return Client().get("/docs/openapi.json").json()


def operations(document: Any) -> list[tuple[str, Any]]:
    """Those of Django's views; health and events are looked at beside what answers them."""
    found = [(path, each) for path, item in document["paths"].items() for each in item.values()]
    return [(path, each) for path, each in found if each["tags"] not in (["Health"], ["Events"])]


def test_every_endpoint_is_there(document: Any) -> None:
    """Each path that is answered, but for the documentation's own."""
    answered = {
        "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", re.sub(r"<\w+:pk>", "{id}", str(each.pattern)))
        for each in (*urls.urlpatterns, *changesurls.urlpatterns, *controlurls.urlpatterns)
    }

    assert {path for path, _ in operations(document)} == answered - {
        "/docs",
        "/docs/account",
        "/docs/openapi.json",
    } | {
        "/api/v1/users/me/usage",
        "/discovery/register",
        "/discovery/lease/{id}",
        "/discovery/services",
        "/discovery/health",
        "/discovery/traefik",
    }


def test_every_error_is_described(document: Any) -> None:
    """Each with the envelope; the token endpoint speaks OAuth, unless accounts cannot be looked up at all."""
    for path, operation in operations(document):
        errors = {status: each for status, each in operation["responses"].items() if status >= "400"}
        usual = "OAuthError" if path.endswith("/auth/token") else "ErrorEnvelope"

        assert "503" in errors
        assert "401" in errors or operation["operationId"] in PUBLIC
        for status, error in errors.items():
            schema = error["content"]["application/json"]["schema"]
            shape = "ErrorEnvelope" if status == "503" else usual
            assert schema == {"$ref": f"#/components/schemas/{shape}"}
            assert error["description"]


def test_who_may_have_to_wait_is_said(document: Any) -> None:
    """Wherever passwords are checked or made."""
    waits = {
        operation["operationId"] for _, operation in operations(document) if "429" in operation["responses"]
    }

    assert waits == {"signIn", "register", "getTokens"}


def test_who_must_be_known_is_said(document: Any) -> None:
    """Every operation but the public ones takes each of the three credentials."""
    credentials = [{"bearer": []}, {"apiKey": []}, {"session": []}]
    for _, operation in operations(document):
        is_public = operation["operationId"] in PUBLIC

        assert operation.get("security", []) == ([] if is_public else credentials)


def test_every_401_says_how_to_sign_in(document: Any) -> None:
    """Wherever somebody must be known (RFC 9110 section 15.5.2), and where a token is exchanged."""
    for path, operation in operations(document):
        if "401" not in operation["responses"] or operation["operationId"] in PUBLIC - {"refresh"}:
            continue
        method = next(name for name, each in document["paths"][path].items() if each is operation)
        asked = re.sub(r"(sessions|leases?)/{id}", rf"\1/{UUID}", path)
        asked = re.sub(r"{\w+}", "1", asked)
        body = {"refresh": "nonsense"} if operation["operationId"] == "refresh" else {}
        answer = Client().generic(method.upper(), asked, json.dumps(body), content_type="application/json")

        assert (answer.status_code, answer.has_header("WWW-Authenticate")) == (401, True), f"{method} {asked}"


def test_the_page_runs_nothing_from_elsewhere() -> None:
    """Its policy allows scripts of this site alone, and none within the page."""
    answer = Client().get("/docs")
    policy = answer["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "<script>" not in answer.content.decode()
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.content.decode())


CONFIGURATION = {
    "version": 1,
    "services": [{"name": "shop", "targets": [{"url": "http://127.0.0.1:9"}], "openapi": {}}],
    "routes": [
        {"name": "open", "match": {"path": "/open"}, "service": "shop", "auth": {"level": "public"}},
        {"name": "closed", "match": {"path": "/closed"}, "service": "shop", "auth": {"scopes": ["read"]}},
        {"name": "watched", "match": {"path": "/watched"}, "service": "shop",
         "auth": {"level": "admin", "mode": "log"}},
    ],
}  # fmt: skip


class Known(UpstreamDocuments):
    """A service that said what it has."""

    def described(self) -> list[Described]:
        paths = {path: {"get": {}} for path in ("/open", "/closed", "/watched")}
        return [Described("shop", Source({"openapi": "3.1.0", "paths": paths}, Notes()))]


@pytest.fixture
def known() -> Iterator[Known]:
    snapshot = compile_snapshot(CONFIGURATION, revision=1, options=CompileOptions())
    made = Known(lambda: snapshot)
    upstreamdocs.bind(made)
    yield made
    upstreamdocs.unbind(made)


def shown(client: Endpoints, token: str = "", query: str = "") -> set[str]:
    """The paths of the service that somebody sees."""
    paths = client.ask(f"/docs/openapi.json{query}", token=token).json()["paths"]
    return {path for path in paths if path in ("/open", "/closed", "/watched")}


@pytest.mark.usefixtures("known")
def test_everybody_sees_what_they_may_call() -> None:
    """Nobody: nothing of services. An account: what its rights allow, or only a log says it may not. Staff: all."""
    client = Endpoints()
    account("ann")
    account("sue", is_staff=True)
    tokens = {name: client.signed_in(name)["access"] for name in ("ann", "sue")}
    assert shown(client) == {"/open", "/watched", "/closed"}  # by sue's session
    client.cookies.clear()

    assert shown(client) == set()
    assert shown(client, query="?service=shop") == set()
    assert shown(client, tokens["ann"]) == {"/open", "/watched"}
    assert shown(client, tokens["ann"], "?service=") == set()
    assert shown(client, tokens["sue"]) == {"/open", "/watched", "/closed"}


def test_the_document_is_kept_for_its_reader(known: Known) -> None:
    """By private caches, under its ETag, until a service's document is another one."""
    client = Endpoints()
    account("ann")
    token = client.signed_in("ann")["access"]
    first = client.ask("/docs/openapi.json", token=token)
    again = client.get("/docs/openapi.json", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first["Cache-Control"] == "private, no-cache"
    assert first["Vary"].startswith("Authorization, Cookie, X-API-Key")
    known.version += 1
    assert client.get("/docs/openapi.json")["ETag"] == first["ETag"]
    client.cookies.clear()
    assert client.get("/docs/openapi.json")["ETag"] != first["ETag"]


@pytest.mark.parametrize("path", ["/docs", "/docs/account"])
def test_pages_are_their_own_alone(path: str) -> None:
    """Each by files of ours."""
    answer = Client().get(path)

    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert not re.search(r"<script>|<style|(src|href)=\"(https?:)?//| on\w+=", answer.content.decode())


@pytest.mark.parametrize("value", [1, [], {}, {"ä": [{"b": {"c": {"d": {"e": None}}}}], '"': {"\n": {}}}])
def test_pieces_make_the_same_json(value: Any) -> None:
    """As one call would."""
    assert docs._text(value, 3) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)
