"""Phoenix with the Flask auth service in the gateway's place, as its README says: /api/auth/… is led to it."""

import json
import secrets
from collections.abc import Iterator

import httpx
import pytest

from gateway_project.examples import EXAMPLES
from tests.support.systems import PASSWORD, System, until

FILE = str(EXAMPLES / "phoenix" / "auth-service.yaml")
HELLO = {"message": "hello"}


@pytest.fixture
def led(phoenix: System) -> Iterator[System]:
    """For the time of a test; afterwards the accounts are the gateway's again."""
    number = max(each["number"] for each in json.loads(phoenix.manage("gateway", "revisions", "--json")))
    secret = (phoenix.var_dir / "secret_key").read_text()
    phoenix.manage("gateway", "apply", FILE, JWT_SECRET_KEY=secret)
    until(lambda: phoenix.ask("GET", "/api/auth/profile").json() == {"error": "sign in first"})
    yield phoenix
    phoenix.manage("gateway", "rollback", str(number), JWT_SECRET_KEY=secret)
    until(lambda: "error" in phoenix.ask("GET", "/api/auth/profile").json())
    until(lambda: isinstance(phoenix.ask("GET", "/api/auth/profile").json()["error"], dict))


def test_accounts_of_the_service(led: System) -> None:
    """It registers, signs in, refreshes and signs out; what it signs opens the chat, by field and by cookie."""
    name = f"flask-{secrets.token_hex(4)}"
    account = {"username": name, "password": PASSWORD}
    registered = led.ask("POST", "/api/auth/register", json=account)
    wrong = led.ask("POST", "/api/auth/login", json={**account, "password": "wrong"})
    login = led.ask("POST", "/api/auth/login", json=account)
    pair = login.json()
    bearer = {"Authorization": f"Bearer {pair['access']}"}
    cookie = {"Cookie": f"theme=dark; {login.headers['set-cookie'].split(';')[0]}"}
    valid = led.ask("GET", "/api/auth/validate", bearer)
    said = led.ask("POST", "/api/chat/message", bearer, json=HELLO)
    history = led.ask("GET", "/api/chat/history", cookie)
    elsewhere = led.ask("POST", "/api/chat/avatar", {**cookie, "Origin": "http://elsewhere"}, json={})
    refreshed = led.ask("POST", "/api/auth/refresh", json={"refresh": pair["refresh"]})
    reused = led.ask("POST", "/api/auth/refresh", json={"refresh": pair["refresh"]})
    left = led.ask("POST", "/api/auth/logout", bearer)
    after = led.ask("GET", "/api/auth/validate", bearer)
    assert (registered.status_code, registered.json()) == (201, {"user": {"username": name}})
    assert set(pair) == set(refreshed.json()) == {"access", "refresh", "token_type", "expires_in", "user"}
    assert (wrong.status_code, wrong.json()) == (401, {"error": "name or password is wrong"})
    assert valid.json()["valid"] is True
    assert said.json()["data"]["caller"]["consumer"] == f"auth-service:account-{name}"
    assert history.json()["data"]["total"] == 1
    assert (elsewhere.status_code, reused.status_code, left.status_code, after.status_code) == (
        403,
        401,
        204,
        401,
    )


def test_dashboard_needs_the_service(led: System) -> None:
    """The profile is its; without it there is no dashboard, and after five failures its breaker is open."""
    bearer = signed_in(led)
    whole = led.ask("GET", "/api/dashboard", bearer).json()
    led.services["auth"].kill()
    try:
        failed = led.ask("GET", "/api/dashboard", bearer)
        codes = [led.ask("GET", "/api/auth/profile").json()["error"]["code"] for _ in range(5)]
    finally:
        led.services["auth"].again()
        reset = led.ask("POST", "/control/v1/breakers/auth", led.staff, json={"reset": True})
    assert whole["profile"]["username"].startswith("flask-")
    assert (failed.status_code, failed.json()["error"]["details"]["part"]) == (502, "profile")
    assert codes == ["BAD_GATEWAY"] * 4 + ["CIRCUIT_OPEN"]
    assert reset.status_code == 200


def signed_in(system: System) -> dict[str, str]:
    account = {"username": f"flask-{secrets.token_hex(4)}", "password": PASSWORD}
    answers: list[httpx.Response] = [
        system.ask("POST", f"/api/auth/{what}", json=account) for what in ("register", "login")
    ]
    return {"Authorization": f"Bearer {answers[1].json()['access']}"}


def test_services_are_there_directly(phoenix: System) -> None:
    """Who asked them before goes on doing so."""
    direct = httpx.get(f"{phoenix.services['chat'].url}/api/chat/avatar").json()
    registered = httpx.post(
        f"{phoenix.services['auth'].url}/api/auth/register",
        json={"username": f"direct-{secrets.token_hex(4)}", "password": PASSWORD},
    )
    assert (direct["avatar"], registered.status_code) == ("none yet", 201)
