"""D&D Character Creator, its document line by line; from Traefik's side, too."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_project.server.ports import keep_port
from tests.support import systems
from tests.support.systems import System, until

NAME = "dnd-character-creator"
TRAEFIK = Path(sys.executable).with_name("traefik")
PREFIXES = ("characters", "campaigns", "images")


@pytest.fixture
def dnd(system_named: Callable[..., System]) -> System:
    """With its services ready, which a busy machine may start later than the gateway."""
    system = system_named(NAME)
    until(lambda: all(service.answers() for service in system.services.values()))
    caller = token(system, "early")  # the auth service's keys are fetched again soon, where it came late
    until(lambda: system.ask("GET", "/api/v2/characters", caller).status_code == 200)
    return system


def token(system: System, name: str, role: str = "player") -> dict[str, str]:
    """From the auth service, by way of the gateway."""
    answer = system.ask("POST", "/api/v2/auth/token", data={"name": name, "role": role})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes(dnd: System, prefix: str) -> None:
    """Each leads to its service, whole segments alone, for those who are known alone."""
    master = token(dnd, f"maker-{prefix}", "game-master")
    made = dnd.ask("POST", f"/api/v2/{prefix}", master, json={"name": "x"})
    number = made.json()["record"]["id"]
    answers = [dnd.ask("GET", f"/api/v2/{prefix}{rest}", master) for rest in ("", f"/{number}", "es")]
    changes = [
        dnd.ask(method, f"/api/v2/{prefix}/{number}", master, json={"level": 2})
        for method in ("PATCH", "PUT", "DELETE")
    ]
    nobody = dnd.ask("GET", f"/api/v2/{prefix}")
    assert made.status_code == 201
    assert [answer.status_code for answer in changes] == [200, 200, 204]
    assert changes[0].json()["record"] == {"name": "x", "level": 2, "id": number}
    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert answers[0].json()["service"] == prefix
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "AUTH_ERROR")


def test_tokens_of_the_auth_service(dnd: System) -> None:
    """They are verified by its key; one that it did not sign opens nothing. The gateway's own are good, too."""
    known = dnd.ask("GET", "/api/v2/characters", token(dnd, "catti"))
    forged = dnd.ask("GET", "/api/v2/characters", {"Authorization": "Bearer a.b.c"})
    own = dnd.ask("GET", "/api/v2/characters", dnd.signed_in("drizzt"))
    assert (known.status_code, known.json()["caller"]["name"]) == (200, "catti")
    assert (forged.status_code, own.status_code) == (401, 200)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_redirects_of_services(dnd: System, prefix: str) -> None:
    """They lead to where the client asked: services see its Host, and no client sees their address."""
    caller = token(dnd, f"follower-{prefix}")
    sent_on = dnd.ask("GET", f"/api/v2/{prefix}/", caller)
    assert (sent_on.status_code, sent_on.headers["Location"]) == (307, f"{dnd.url}/api/v2/{prefix}")


def test_api_key(dnd: System) -> None:
    """Alone or beside a token, as the document lists both; it is then the token that counts."""
    key = dnd.keyed("companion-app")
    callers = [
        dnd.ask("GET", "/api/v2/characters", fields).json()["caller"]
        for fields in (key, {**key, **token(dnd, "gale")})
    ]
    wrong = dnd.ask("GET", "/api/v2/characters", {"X-API-Key": "wrong"})
    assert [(caller["name"], caller["method"]) for caller in callers] == [
        ("companion-app", "api_key"), ("gale", "jwt")
    ]  # fmt: skip
    assert wrong.status_code == 401


def test_roles(dnd: System) -> None:
    """Game masters make campaigns; players look at them. Of tokens and of accounts alike."""
    sent = {"json": {"name": "Icewind Dale"}}
    callers = [
        token(dnd, "wulfgar"), dnd.signed_in("drizzt"),
        token(dnd, "khelben", "game-master"), dnd.signed_in("elminster"),
    ]  # fmt: skip
    assert [dnd.ask("POST", "/api/v2/campaigns", each, **sent).status_code for each in callers] == [
        403, 403, 201, 201,
    ]  # fmt: skip
    assert {dnd.ask("GET", "/api/v2/campaigns", each).status_code for each in callers} == {200}
    for method in ("PUT", "PATCH", "DELETE"):
        found = [dnd.ask(method, "/api/v2/campaigns/987", each, **sent).status_code for each in callers]
        assert found[:2] == [403, 403]
        assert set(found[2:]) <= {204, 404}


def test_limit_of_each_client(dnd: System) -> None:
    """Forty at once; who asks for more is told when to come again, and nobody else is."""
    flooder, other = token(dnd, "flooder"), token(dnd, "other")
    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        asked = pool.map(lambda _: dnd.ask("GET", "/api/v2/characters", flooder), range(150))
        answers = [*asked]
    took_s = time.monotonic() - began
    counts = Counter(answer.status_code for answer in answers)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert set(counts) == {200, 429}
    assert 40 <= counts[200] <= 40 + 20 * (took_s + 0.5) + 1
    assert (refused.headers["X-RateLimit-Limit"], refused.json()["error"]["details"]["window_s"]) == (
        "20",
        1.0,
    )
    assert (refused.json()["error"]["code"], refused.headers["X-RateLimit-Remaining"]) == ("RATE_LIMIT", "0")
    assert int(refused.headers["Retry-After"]) >= 1
    assert dnd.ask("GET", "/api/v2/characters", other).status_code == 200


async def test_throttling(dnd: System) -> None:
    """Fifty at a time, a hundred wait; more are told to come later, and all that waited are answered."""
    campaigns = dnd.services["campaigns"]
    callers = [token(dnd, f"crowd-{number}", "game-master") for number in range(6)]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=dnd.url, timeout=60, limits=limits) as client:
        campaigns.pause()
        try:
            asked = [
                asyncio.ensure_future(client.get("/api/v2/campaigns", headers=callers[number % len(callers)]))
                for number in range(180)
            ]
            while sum(each.done() for each in asked) < 30:
                await asyncio.wait([each for each in asked if not each.done()], return_when="FIRST_COMPLETED")
        finally:
            campaigns.again()
        answers = await asyncio.gather(*asked)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) == 30
    assert {answer.json()["error"]["code"] for answer in refused} == {"OVERLOADED"}
    assert all(answer.headers["Retry-After"] for answer in refused)


def test_breaker(dnd: System) -> None:
    """Five failures, and it fails fast; other services go on; metrics and health tell of it."""
    caller, images = token(dnd, "painter"), dnd.services["images"]
    images.kill()
    try:
        codes = []
        while "CIRCUIT_OPEN" not in codes and len(codes) < 20:
            answer = dnd.ask("GET", "/api/v2/images", caller)
            codes.append(answer.json()["error"]["code"])
        until(lambda: 'gateway_breaker_state{service="images"} 2.0' in metrics(dnd))
        until(lambda: states(dnd) == ["open"])
        until(lambda: system_health(dnd)["services"]["images"]["status"] == "down")
        told = system_health(dnd)
    finally:
        images.again()
        dnd.ask("POST", "/control/v1/breakers/images", dnd.staff, json={"reset": True})
    assert codes == ["BAD_GATEWAY"] * 5 + ["CIRCUIT_OPEN"]
    assert (told["status"], told["services"]["images"]["breaker"]) == ("degraded", "open")
    assert told["services"]["characters"]["status"] == "up"
    assert 25 <= int(answer.headers["Retry-After"]) <= 30
    assert dnd.ask("GET", "/api/v2/characters", caller).status_code == 200
    until(lambda: dnd.ask("GET", "/api/v2/images", caller).status_code == 200)


def metrics(system: System) -> str:
    return system.ask("GET", "/monitoring/metrics").text


def states(system: System) -> list[str]:
    found = system.ask("GET", "/monitoring/health", system.staff).json()["services"]
    return [found["images"]["breaker"]]


def system_health(system: System) -> dict[str, Any]:
    found: dict[str, Any] = system.ask("GET", "/discovery/health", system.keyed("registrar")).json()
    return found


def test_discovery(dnd: System) -> None:
    """Registering wants the key of a service; the list has what is registered and what is configured."""
    key = dnd.keyed("registrar")
    sent = {"service_name": "dice", "host": "127.0.0.1", "port": keep_port()}
    refused = dnd.ask("POST", "/discovery/register", json=sent)
    lease = dnd.ask("POST", "/discovery/register", key, json=sent)
    until(lambda: "dice" in {each["name"] for each in listed(dnd)})
    health = dnd.ask("GET", "/discovery/health", key)
    left = dnd.ask("DELETE", f"/discovery/lease/{lease.json()['lease_id']}", key)
    assert (refused.status_code, lease.status_code, health.status_code, left.status_code) == (
        401,
        201,
        200,
        204,
    )
    assert {each["name"] for each in listed(dnd)} >= {*PREFIXES, "auth"}


def listed(system: System) -> list[dict[str, str]]:
    found: list[dict[str, str]] = system.ask("GET", "/discovery/services", system.keyed("registrar")).json()[
        "services"
    ]
    return found


def test_metrics(dnd: System) -> None:
    """Requests, latencies, errors, services' health, breakers, failures of authentication."""
    dnd.ask("GET", "/api/v2/characters", {"X-API-Key": "wrong"})
    dnd.ask("GET", "/api/v2/characters", token(dnd, "counter"))
    families = (
        "gateway_requests_total", "gateway_request_duration_seconds_bucket", "gateway_upstream_attempts_total",
        "gateway_breaker_state", "gateway_auth_failures_total", "gateway_rate_limit_decisions_total",
    )  # fmt: skip
    until(lambda: all(f"\n{family}{{" in metrics(dnd) for family in families))
    told = metrics(dnd)
    assert [family for family in families if f"\n{family}{{" not in told] == []


def test_health(dnd: System) -> None:
    """Components, dependencies, resources; of each service breaker, response time and error rate; for staff alone."""
    until(lambda: {state for name in PREFIXES for state in target_states(dnd, name)} == {"healthy"})
    found = dnd.ask("GET", "/monitoring/health", dnd.staff).json()
    assert set(found["components"]) >= {"database", "redis", "bus"}
    assert found["resources"]["rss_bytes"] > 0
    for name in PREFIXES:
        assert set(found["services"][name]) >= {"status", "breaker", "targets", "last_minute"}
        assert set(found["services"][name]["last_minute"]) >= {"error_rate", "response_ms"}
    assert dnd.ask("GET", "/monitoring/health").status_code == 401


def target_states(system: System, service: str) -> list[str]:
    """What probes say of them."""
    found = system.ask("GET", "/monitoring/health", system.staff).json()["services"][service]
    return [target["state"] for target in found["targets"]]


def test_security_headers_and_cors(dnd: System) -> None:
    """Answers say how browsers are to take them; the page's origin may ask, another may not."""
    asks = {"Access-Control-Request-Method": "GET"}
    page, other = (
        dnd.ask("OPTIONS", "/api/v2/characters", headers={"Origin": origin, **asks})
        for origin in ("http://localhost:3000", "http://elsewhere.example")
    )
    answer = dnd.ask("GET", "/api/v2/characters", token(dnd, "reader"))
    assert page.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "Access-Control-Allow-Origin" not in other.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert {"X-Frame-Options", "Referrer-Policy", "X-Request-ID"} <= {
        name.title().replace("-Id", "-ID") for name in answer.headers
    }


def test_message_hub(dnd: System) -> None:
    """What a route publishes reaches the hub, with who asked."""
    sent = dnd.ask("POST", "/api/v2/images/portraits", token(dnd, "regis"), json={"character": "Regis"})
    heard = httpx.get(dnd.services["hub"].url, timeout=30).json()
    [event] = [each for each in heard if each["id"] == sent.json()["id"]]
    assert (sent.status_code, sent.json()["kept_by"]) == (202, "hub")
    assert (event["topic"], event["data"]) == ("dnd.portraits.wanted", {"character": "Regis"})
    assert (event["headers"]["x-user-name"], event["headers"]["x-user-roles"]) == ("regis", "player")


def test_structured_logging(dnd: System) -> None:
    """A line for each request: what was asked and answered, by whom, how long it took, and who was refused why."""
    answers = [
        dnd.ask("GET", "/api/v2/characters", caller)
        for caller in (token(dnd, "artemis"), {"X-API-Key": "wrong"})
    ]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    until(lambda: all(dnd.logged(each) for each in ids))
    [well], [refused] = map(dnd.logged, ids)
    assert (well["method"], well["path"], well["status"]) == ("GET", "/api/v2/characters", 200)
    assert (well["service"], well["consumer"], well["client"]) == ("characters", "auth:artemis", "127.0.0.1")
    assert well["ms"]["total"] >= well["ms"]["upstream"] > 0
    assert (refused["status"], refused["code"], refused["reason"]) == (401, "AUTH_ERROR", "invalid")


def test_https(tmp_path: Path) -> None:
    """Where it is enforced, plain HTTP is sent to HTTPS; what Traefik says came by HTTPS is served."""
    with systems.running(NAME, tmp_path, ENFORCE_HTTPS="redirect", ENABLE_AUTHENTICATION="false") as system:
        until(system.services["characters"].answers)
        plain = system.ask("GET", "/api/v2/characters")
        secure = system.ask("GET", "/api/v2/characters", headers={"X-Forwarded-Proto": "https"})
    assert (plain.status_code, plain.headers["Location"][:8]) == (308, "https://")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=")


def test_lines_that_are_printed(dnd: System, tmp_path: Path) -> None:
    said = dnd.run_tried(tmp_path)
    assert '"kept_by":"hub"' in said
    assert "gateway_requests_total" in said


@contextmanager
def traefik(system: System, folder: Path) -> Iterator[str]:
    """A real one that knows of the gateway by nothing but its HTTP provider; where it serves."""
    web = keep_port()
    with (folder / "traefik.log").open("wb") as log:
        process = subprocess.Popen(
            [
                TRAEFIK,
                f"--entrypoints.web.address=127.0.0.1:{web}",
                "--global.checknewversion=false",
                "--global.sendanonymoususage=false",
                f"--providers.http.endpoint={system.url}/discovery/traefik",
                f"--providers.http.headers.X-API-Key={system.keys['registrar']}",
                "--providers.http.pollinterval=1s",
            ],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield f"http://127.0.0.1:{web}"
        finally:
            process.terminate()
            process.wait(30)


def test_traefik_in_front(dnd: System, tmp_path: Path) -> None:
    """Every prefix is reached through it, open or closed as the gateway says; services learn the client's address."""
    caller = token(dnd, "traveller")
    with traefik(dnd, tmp_path) as url, httpx.Client(base_url=url, timeout=30) as client:

        def asked(path: str, **options: dict[str, str]) -> httpx.Response | None:
            try:
                return client.get(path, **options)
            except httpx.TransportError:  # it does not listen yet
                return None

        until(lambda: (answer := asked("/api/v2/characters")) and answer.status_code == 401)
        found = [asked(f"/api/v2/{prefix}", headers=caller) for prefix in PREFIXES]
        spoofed = asked("/api/v2/characters", headers={**caller, "X-Forwarded-For": "203.0.113.9"})
        nowhere = asked("/nowhere")
    assert [answer.status_code for answer in found if answer] == [200] * 3
    assert [answer.json()["service"] for answer in found if answer] == [*PREFIXES]
    assert spoofed
    assert "203.0.113.9" not in str(spoofed.json()["client"])
    assert nowhere is not None
    assert nowhere.status_code == 404
