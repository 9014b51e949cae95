"""Phoenix's document, line by line, with the accounts in the gateway."""

import secrets
import time
from typing import Any

import httpx
import orjson
import pytest
import yaml
from websockets.sync.client import connect

from tests.support.systems import PASSWORD, System, until

HELLO = {"message": "hello"}
SAID = {"message": "hello", "reply": "You said: hello"}
PAGE = "http://localhost:3000"


@pytest.fixture
def somebody(phoenix: System) -> dict[str, str]:
    """A new account's header field."""
    return phoenix.newcomer(f"new-{secrets.token_hex(4)}")


def data_of(answer: httpx.Response) -> Any:
    """What the chat said, in the form that all of its answers have."""
    body = answer.json()
    assert set(body) == {"data", "request_id", "timestamp"}, body
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body["data"]


def test_registration_login_and_sessions(phoenix: System) -> None:
    """The six endpoints in turn: register, login, validate, profile, refresh, logout; by token and by cookie."""
    name = f"new-{secrets.token_hex(4)}"
    fields = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    registered = phoenix.ask("POST", "/api/auth/register", json=fields)
    wrong = phoenix.ask("POST", "/api/auth/login", json={"username": name, "password": "wrong"})
    login = phoenix.ask("POST", "/api/auth/login", json={"username": name, "password": PASSWORD})
    pair = login.json()
    bearer = {"Authorization": f"Bearer {pair['access']}"}
    cookies = {"Cookie": "; ".join(field.split(";")[0] for field in login.headers.get_list("set-cookie"))}
    asked = [
        phoenix.ask("GET", f"/api/auth/{what}", by)
        for what in ("validate", "profile")
        for by in (bearer, cookies)
    ]
    refreshed = phoenix.ask("POST", "/api/auth/refresh", json={"refresh": pair["refresh"]})
    reused = phoenix.ask("POST", "/api/auth/refresh", json={"refresh": pair["refresh"]})
    until(
        lambda: phoenix.ask("GET", "/api/auth/validate", bearer).status_code == 401
    )  # with all of its family
    anew = phoenix.signed_in(name, PASSWORD)
    left = phoenix.ask("POST", "/api/auth/logout", anew)
    until(lambda: phoenix.ask("GET", "/api/auth/validate", anew).status_code == 401)
    assert (registered.status_code, registered.json()["user"]["username"]) == (201, name)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "AUTH_ERROR")
    assert {"access", "refresh", "token_type", "expires_in", "user"} <= set(pair)
    assert all(
        "httponly" in field.lower() for field in login.headers.get_list("set-cookie") if "csrf" not in field
    )
    assert [answer.status_code for answer in asked] == [200] * 4
    assert (asked[0].json()["valid"], refreshed.status_code) == (True, 200)
    assert (reused.status_code, left.status_code) == (401, 204)


def test_chat(phoenix: System, somebody: dict[str, str]) -> None:
    """Messages, a history by pages, an avatar; each knows who asks, whatever the client says of itself."""
    said = phoenix.ask("POST", "/api/chat/message", somebody, json=HELLO)
    phoenix.ask("POST", "/api/chat/message", somebody, json={"message": "again"})
    page = phoenix.ask("GET", "/api/chat/history?limit=1&offset=1", somebody)
    drawn = phoenix.ask("POST", "/api/chat/avatar", somebody, json={"style": "owl"})
    seen = phoenix.ask("GET", "/api/chat/avatar", somebody)
    forged = phoenix.ask(
        "GET", "/api/chat/avatar", {"X-User-Id": "1", "X-Consumer": "root", "X-Auth-Method": "jwt"}
    )
    assert {key: data_of(said)[key] for key in SAID} == SAID
    assert (data_of(page)["total"], [each["message"] for each in data_of(page)["history"]]) == (2, ["again"])
    assert (drawn.status_code, data_of(seen)["avatar"][:3]) == (201, "owl")
    assert data_of(said)["caller"]["method"] == "jwt"
    assert data_of(forged)["caller"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "chat/message"), ("GET", "chat/history"), ("POST", "chat/avatar"), ("GET", "dashboard")],
)
def test_who_is_not_signed_in(phoenix: System, method: str, path: str) -> None:
    """Gets no answer, and no service is asked."""
    answer = phoenix.ask(method, f"/api/{path}", json=HELLO if method == "POST" else None)
    bad = phoenix.ask(method, f"/api/{path}", {"Authorization": "Bearer x.y.z"})
    assert [each.json()["error"]["code"] for each in (answer, bad)] == ["AUTH_ERROR"] * 2
    assert (answer.status_code, bad.status_code) == (401, 401)


def test_errors_have_one_form(phoenix: System, somebody: dict[str, str]) -> None:
    """The gateway's and the services' alike."""
    refused = phoenix.ask("POST", "/api/chat/message", somebody, json={"massage": 1})
    unknown = phoenix.ask("GET", "/api/chat/nothing", somebody)
    other = phoenix.ask("DELETE", "/api/chat/history", somebody)
    assert (refused.status_code, unknown.status_code, other.status_code) == (422, 404, 405)
    assert all(set(each.json()) == {"error", "request_id", "timestamp"} for each in (refused, unknown, other))
    assert "detail" in refused.json()["error"]["details"]["upstream"]


def test_realtime(phoenix: System, somebody: dict[str, str]) -> None:
    """What was said in one window is told in the other."""
    url = f"{phoenix.socket_url}/api/v1/ws?connection_id=window-{secrets.token_hex(4)}"
    with connect(url, additional_headers=somebody, proxy=None) as socket:
        connected = orjson.loads(socket.recv(timeout=30))
        phoenix.ask("POST", "/api/chat/message", somebody, json=HELLO)
        event = orjson.loads(socket.recv(timeout=30))
    assert connected["type"] == "connected"
    assert (event["type"], event["data"]) in [("event", SAID), ("chat.message", SAID)]


def test_dashboard(phoenix: System, somebody: dict[str, str]) -> None:
    """Profile, history and avatar in one answer; without the chat the rest is there, and what is missing is said."""
    phoenix.ask("POST", "/api/chat/message", somebody, json=HELLO)
    whole = phoenix.ask("GET", "/api/dashboard", somebody).json()
    with_breaker_closed(phoenix)
    phoenix.services["chat"].kill()
    try:
        degraded = phoenix.ask("GET", "/api/dashboard", somebody)
    finally:
        phoenix.services["chat"].again()
        with_breaker_closed(phoenix)
    body = degraded.json()
    assert (whole["history"], whole["avatar"], whole["profile"]["username"][:4]) == (
        [SAID],
        "none yet",
        "new-",
    )
    assert (degraded.status_code, body["profile"], body["history"]) == (200, whole["profile"], [])
    assert {part: error["code"] for part, error in body["errors"].items()} == {
        "avatar": "BAD_GATEWAY", "history": "BAD_GATEWAY",
    }  # fmt: skip


def test_dashboard_asks_at_the_same_time(phoenix: System, somebody: dict[str, str]) -> None:
    """Two parts that never answer cost the time of one."""
    with_breaker_closed(phoenix)
    phoenix.services["chat"].pause()
    try:
        began = time.monotonic()
        late = phoenix.ask("GET", "/api/dashboard", somebody)
        took_s = time.monotonic() - began
    finally:
        phoenix.services["chat"].again()
        with_breaker_closed(phoenix)
    assert {error["code"] for error in late.json()["errors"].values()} == {"UPSTREAM_TIMEOUT"}
    assert 1.0 <= took_s < 2.0


def with_breaker_closed(system: System) -> None:
    reset = system.ask("POST", "/control/v1/breakers/chat", system.staff, json={"reset": True})
    assert reset.status_code == 200, reset.text


def test_breaker(phoenix: System, somebody: dict[str, str]) -> None:
    """Five failures, and it says so at once, for a minute."""
    with_breaker_closed(phoenix)
    phoenix.services["chat"].kill()
    try:
        answers = [phoenix.ask("GET", "/api/chat/history", somebody) for _ in range(6)]
    finally:
        phoenix.services["chat"].again()
        with_breaker_closed(phoenix)
    assert [answer.json()["error"]["code"] for answer in answers] == ["BAD_GATEWAY"] * 5 + ["CIRCUIT_OPEN"]
    assert 55 <= int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize("service", ["auth", "chat"])
def test_breaker_settings(phoenix: System, service: str) -> None:
    """Those of the document, for both services, as they run."""
    found = yaml.safe_load(phoenix.manage("gateway", "export"))
    [entry] = [each for each in found["services"] if each["name"] == service]
    usual = {"failure_threshold": 5, "failure_window": "10s", "recovery_timeout": "60s"}
    told = phoenix.ask("GET", "/health/detailed", phoenix.staff).json()["services"]
    assert {**usual, **entry.get("breaker", {})} == usual  # no export writes what is usual
    assert told[service]["breaker"] is not None


def test_health(phoenix: System) -> None:
    """The gateway's own, and whether each service is there."""
    health = phoenix.ask("GET", "/health")
    assert (health.status_code, health.json()["status"]) == (200, "healthy")
    until(lambda: {name: each["status"] for name, each in phoenix.ask("GET", "/status").json()["services"].items()}
          == {"auth": "up", "chat": "up"})  # fmt: skip


def test_requests_are_logged(phoenix: System, somebody: dict[str, str]) -> None:
    """Each with the id that its answer has."""
    asked = f"asked-{secrets.token_hex(4)}"
    answer = phoenix.ask("GET", "/api/chat/history", {**somebody, "X-Request-ID": asked})
    until(lambda: phoenix.logged(asked))
    [line] = phoenix.logged(asked)
    assert answer.headers["X-Request-ID"] == asked
    assert (line["route"], line["service"], line["status"]) == ("chat-history", "chat", 200)
    assert line["consumer"].startswith("new-")


def test_pages_of_another_origin(phoenix: System, somebody: dict[str, str]) -> None:
    """The one that is allowed may read answers of routes and of sign-in, and is told so before; others may not."""
    before = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    paths = ("/api/chat/message", "/api/auth/login")
    asked = [phoenix.ask("OPTIONS", path, before) for path in paths]
    stranger = phoenix.ask("OPTIONS", paths[0], {**before, "Origin": "http://elsewhere.example"})
    read = phoenix.ask("GET", "/api/chat/history", {**somebody, "Origin": PAGE})
    assert [answer.status_code for answer in asked] == [204, 204]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in (*asked, read)} == {PAGE}
    assert stranger.status_code == 403
