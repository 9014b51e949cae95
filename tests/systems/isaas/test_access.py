"""ISaaS, its document's authentication, core services, errors and health, line by line."""

from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.systems import System

PREFIXES = ("context", "intent", "predict", "realtime")
GUARDED = PREFIXES[:3]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code; the whole must have the form that the document shows."""
    body = answer.json()
    assert set(body) >= {"error", "request_id"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return answer.status_code, body["error"]["code"]


def test_health(isaas: System) -> None:
    """`status`, `version` and `timestamp`, for anybody."""
    answer = isaas.ask("GET", "/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "healthy")
    assert body["version"]
    assert body["timestamp"].endswith("Z")


def test_token_endpoint(isaas: System) -> None:
    """Form or JSON; what it answers opens the account, the refresh token brings another pair."""
    wanted = {"grant_type": "password", "username": "walt", "password": isaas.passwords["walt"]}
    by_form = isaas.ask("POST", "/api/v1/auth/token", data=wanted).json()
    by_json = isaas.ask("POST", "/api/v1/auth/token", json=wanted).json()
    again = {"grant_type": "refresh_token", "refresh_token": by_form["refresh_token"]}
    refreshed = isaas.ask("POST", "/api/v1/auth/token", data=again)
    wrong = isaas.ask("POST", "/api/v1/auth/token", data={**wanted, "password": "wrong"})
    assert (
        set(by_form) == set(by_json) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    )
    assert (by_form["token_type"], by_form["expires_in"]) == ("Bearer", 900)
    assert set(by_form["scope"].split()) == {"read", "write"}
    assert refreshed.status_code == 200
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")


def test_users_me(isaas: System) -> None:
    """The account, its roles and what they bring; nobody else gets an answer."""
    me = isaas.ask("GET", "/api/v1/users/me", isaas.signed_in("rita")).json()
    assert (me["username"], me["roles"], me["scopes"]) == ("rita", ["reader"], ["read"])
    assert refusal(isaas.ask("GET", "/api/v1/users/me")) == (401, "AUTH_ERROR")


@pytest.mark.parametrize("prefix", GUARDED)
def test_scopes(isaas: System, prefix: str) -> None:
    """`read` reads, `write` writes, `admin` administers, and the 403 says what is missing."""
    people = {name: isaas.signed_in(name) for name in ("rita", "walt", "adele")}
    asked: dict[str, list[int]] = {}
    for name, caller in people.items():
        answers = [
            isaas.ask("GET", f"/api/v1/{prefix}", caller),
            isaas.ask("POST", f"/api/v1/{prefix}", caller, json={"by": name}),
            isaas.ask("GET", f"/api/v1/{prefix}/admin", caller),
        ]
        asked[name] = [answer.status_code for answer in answers]
    missing = isaas.ask("POST", f"/api/v1/{prefix}", people["rita"], json={})
    assert asked == {"rita": [200, 403, 403], "walt": [200, 201, 403], "adele": [200, 201, 200]}
    assert refusal(missing) == (403, "FORBIDDEN")
    assert missing.json()["error"]["details"] == {"missing_scopes": ["write"]}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_methods_and_authentication(isaas: System, prefix: str) -> None:
    """GET and POST alone, for those who are signed in alone."""
    nobody = [isaas.ask(method, f"/api/v1/{prefix}") for method in ("GET", "POST")]
    other = isaas.ask("DELETE", f"/api/v1/{prefix}", isaas.signed_in("adele"))
    assert [refusal(answer) for answer in nobody] == [(401, "AUTH_ERROR")] * 2
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer") for answer in nobody)
    assert refusal(other) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= {name.strip() for name in other.headers["Allow"].split(",")}


def test_privacy_header(isaas: System) -> None:
    """Where it is sent it must be right; what is private is not taken without it."""
    rita = isaas.signed_in("rita")

    def asked(path: str, level: str) -> httpx.Response:
        return isaas.ask("GET", path, rita, headers={"X-Privacy-Level": level} if level else {})

    private, open_ = "/api/v1/predict/private", "/api/v1/context"
    found = {
        (path, level): asked(path, level) for path in (private, open_) for level in ("", "strict", "none")
    }
    refused = {key: refusal(answer) for key, answer in found.items() if answer.status_code != 200}
    wrong = (400, "INVALID_REQUEST")
    assert refused == {(private, ""): wrong, (private, "none"): wrong, (open_, "none"): wrong}
    assert found[private, "none"].json()["error"]["details"]["expected"] == ["strict", "standard"]


def test_realtime_by_http(isaas: System) -> None:
    """GET and POST; the service gets a token of its own, and nothing that opens other doors."""
    walt = isaas.signed_in("walt")
    posted = isaas.ask("POST", "/api/v1/realtime", walt, json={"mood": "fine"})
    listed = isaas.ask("GET", "/api/v1/realtime", walt)
    assert (posted.status_code, posted.json()["record"]) == (201, {"mood": "fine"})
    assert listed.json()["records"] == [{"mood": "fine"}]


def test_realtime_by_websocket(isaas: System) -> None:
    """On the same path: what one says comes back, and what others post; without a token there is no upgrade."""
    walt = isaas.signed_in("walt")
    url = f"{isaas.socket_url}/api/v1/realtime"
    with connect(url, additional_headers=walt, proxy=None) as socket:
        told: list[Any] = [socket.recv(timeout=30)]
        socket.send("hello")
        told.append(socket.recv(timeout=30))
        isaas.ask("POST", "/api/v1/realtime", walt, json={"mood": "good"})
        told.append(socket.recv(timeout=30))
    with pytest.raises(InvalidStatus) as refused, connect(url, proxy=None):
        pass
    assert '"service": "realtime"' in told[0]
    assert told[1:] == ['{"heard": "hello"}', '{"posted": {"mood": "good"}}']
    assert refused.value.response.status_code == 401
