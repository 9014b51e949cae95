"""ISaaS, its document's limits, breakers, discovery and health checks, line by line."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
import yaml

from gateway_project.examples import EXAMPLES
from tests.support.redisserver import RedisServer
from tests.support.systems import Companion, System, until

BURST, PER_S = 20, 10


async def flood(
    system: System, caller: dict[str, str], path: str, number: int = 120
) -> tuple[list[httpx.Response], float]:
    """The answers to many requests at a time, and the seconds that they took."""
    async with httpx.AsyncClient(base_url=system.url, headers=caller, timeout=60) as client:
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get(path) for _ in range(number)))
        return [*answers], time.monotonic() - began


def flood_undisturbed(system: System, path: str) -> tuple[list[httpx.Response], float]:
    """The answers to a newcomer while Redis gave every answer in its 50 ms; neighbours can make it miss them.

    The gateway then decides alone, by a bucket of its own, which is full: it is asked anew.
    """
    numbers = count(1)
    while True:
        before = unanswered(system)
        caller = system.newcomer(f"flooder-{path}-{next(numbers)}")
        found = asyncio.run(flood(system, caller, f"/api/v1/{path}"))
        if unanswered(system) == before:
            return found


def unanswered(system: System) -> list[str]:
    """What metrics say of calls to Redis that were not answered."""
    lines = system.ask("GET", "/metrics").text.splitlines()
    return [each for each in lines if each.startswith("gateway_redis_calls_total") and '"sent"' not in each]


def assert_is_limited(answers: list[httpx.Response], took_s: float) -> None:
    """Twenty at once, then ten a second; who is refused learns of it in the usual form."""
    counts = Counter(answer.status_code for answer in answers)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert set(counts) == {200, 429}
    assert BURST <= counts[200] <= BURST + PER_S * (took_s + 0.5) + 1
    assert refused.json()["error"]["code"] == "RATE_LIMIT"
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["X-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize("path", ["context", "intent", "predict", "realtime"])
def test_rate_limit(isaas: System, path: str) -> None:
    """Of each caller, on every service: ten a second, twenty at once. Others are not disturbed."""
    assert_is_limited(*flood_undisturbed(isaas, path))
    assert isaas.ask("GET", f"/api/v1/{path}", isaas.signed_in("adele")).status_code == 200


def test_rate_limit_headers(isaas: System) -> None:
    """How many there are, how many are left, and when there will be more."""
    answer = isaas.ask("GET", "/api/v1/context", isaas.newcomer("counter"))
    fields = {name: int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")}
    assert fields["Limit"] == PER_S
    assert fields["Remaining"] == BURST - 1
    assert abs(fields["Reset"] - time.time()) < 60


def test_rate_limit_without_redis(isaas: System, isaas_redis: RedisServer) -> None:
    """When it goes away nothing fails, and limits hold in the process; when it is back, they are shared again."""
    caller = isaas.newcomer("flooder-away")
    isaas_redis.stop()
    try:
        assert_is_limited(*asyncio.run(flood(isaas, caller, "/api/v1/context")))
        assert isaas.ask("GET", "/health").status_code == 200
    finally:
        isaas_redis.start()
    back = asyncio.run(flood(isaas, isaas.newcomer("flooder-back"), "/api/v1/context"))
    assert_is_limited(*back)


def test_breaker_opens(isaas: System) -> None:
    """Five failures; then it fails fast, says for how long, leaves other services alone, and can be reset."""
    adele, intent = isaas.signed_in("adele"), isaas.services["intent"]
    with away(intent, isaas):
        answers = [isaas.ask("GET", "/api/v1/intent", adele) for _ in range(7)]
        other = isaas.ask("GET", "/api/v1/predict", adele)
        state = isaas.ask("GET", "/control/v1/breakers/intent", isaas.staff).json()
    said = [(answer.status_code, answer.json()["error"]["code"]) for answer in answers]
    assert said == [(502, "BAD_GATEWAY")] * 5 + [(503, "CIRCUIT_OPEN")] * 2
    assert 55 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert other.status_code == 200
    assert state["state"] == "open"
    assert isaas.ask("GET", "/api/v1/intent", adele).status_code == 200


def test_realtime_has_no_breaker(isaas: System) -> None:
    """However often it fails, it is asked again, and there at once when it is back."""
    walt, realtime = isaas.newcomer("persistent"), isaas.services["realtime"]
    realtime.kill()
    codes = {isaas.ask("GET", "/api/v1/realtime", walt).json()["error"]["code"] for _ in range(10)}
    realtime.again()
    assert codes == {"BAD_GATEWAY"}
    assert isaas.ask("GET", "/api/v1/realtime", walt).status_code == 200


@contextmanager
def away(service: Companion, system: System) -> Iterator[None]:
    """It is killed and comes back; its breaker is reset."""
    service.kill()
    try:
        yield
    finally:
        service.again()
        reset = system.ask("POST", f"/control/v1/breakers/{service.name}", system.staff, json={"reset": True})
        assert reset.status_code == 200, reset.text


@pytest.mark.parametrize("service", ["context", "intent", "prediction"])
def test_breaker_settings(isaas: System, service: str) -> None:
    """Those of the document, as they run."""
    found = yaml.safe_load(isaas.manage("gateway", "export"))
    [entry] = [each for each in found["services"] if each["name"] == service]
    assert {"min_throughput": 5, **entry["breaker"]} == {  # five is the usual one, which no export writes
        "failure_threshold": 5, "recovery_timeout": "60s", "half_open_timeout": "30s",
        "failure_window": "120s", "min_throughput": 5,
    }  # fmt: skip


def test_registration(isaas: System) -> None:
    """The request of the document: a second context service gets traffic while its lease lives, and is checked."""
    key, adele = isaas.keyed("registrar"), isaas.signed_in("adele")
    with another_context() as port:
        sent = {"service_name": "context_service", "host": "127.0.0.1", "port": port}
        lease = isaas.ask(
            "POST",
            "/discovery/register",
            key,
            json={**sent, "check_endpoint": "/health", "check_interval": 30},
        )
        until(lambda: isaas.ask("GET", "/api/v1/context", adele).json().get("records") == ["the other one"])
        listed = isaas.ask("GET", "/discovery/services", key).json()["services"]
        health = isaas.ask("GET", "/discovery/health", key).json()
        ended = isaas.ask("DELETE", f"/discovery/lease/{lease.json()['lease_id']}", key)
    [targets] = [service["targets"] for service in listed if service["name"] == "context"]
    assert (lease.status_code, lease.json()["service_name"], ended.status_code) == (201, "context", 204)
    assert {target["url"] for target in targets} >= {f"http://127.0.0.1:{port}"}
    assert health["status"] == "healthy"
    assert isaas.ask("POST", "/discovery/register", adele, json=sent).status_code == 403
    until(lambda: answers_of_two(isaas, adele) == {200})


def answers_of_two(system: System, caller: dict[str, str]) -> set[int]:
    return {system.ask("GET", "/api/v1/context", caller).status_code for _ in range(2)}


@contextmanager
def another_context() -> Iterator[int]:
    """A context service whose records are somebody else's; its port."""
    program = (
        "import examples.isaas.records as r, sys; r.owner_of = lambda head: 'x';"
        "app = r.service('context'); r.asgi(app)"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", program, "--port", str(port)], cwd=EXAMPLES.parent)
    try:
        url = f"http://127.0.0.1:{port}/api/v1/context"
        until(lambda: posted(url))
        yield port
    finally:
        process.kill()
        process.wait()


def posted(url: str) -> bool:
    try:
        return httpx.post(url, json="the other one").status_code == 201
    except httpx.ConnectError:
        return False


def test_failed_health_check(isaas: System, tmp_path: Path) -> None:
    """Checks are periodic, their interval is the configuration's; a service that fails them is not asked any more."""
    file = EXAMPLES / "isaas" / "gateway.yaml"
    quick = re.sub(
        r"health: {path: /health, interval: 30s", "health: {path: /health, interval: 100ms", file.read_text()
    )
    other = tmp_path / "gateway.yaml"
    other.write_text(quick)
    adele, prediction = isaas.signed_in("adele"), isaas.services["prediction"]
    isaas.manage("gateway", "apply", str(other))
    prediction.kill()
    try:
        until(lambda: status(isaas, "prediction") == "down")
        refused = isaas.ask("GET", "/api/v1/predict", adele)
        told = isaas.ask("GET", "/discovery/health", isaas.keyed("registrar")).json()
        prediction.again()
        until(lambda: status(isaas, "prediction") == "up")
        answered = isaas.ask("GET", "/api/v1/predict", adele)
    finally:
        isaas.manage("gateway", "apply", str(file))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert (told["status"], told["services"]["prediction"]["failing"]) == ("degraded", 1)
    assert answered.status_code == 200


def status(system: System, service: str) -> str:
    return str(system.ask("GET", "/status").json()["services"][service]["status"])


def test_slow_service(isaas: System, tmp_path: Path) -> None:
    """Who asks it is told so in time."""
    file = EXAMPLES / "isaas" / "gateway.yaml"
    quick = tmp_path / "gateway.yaml"
    quick.write_text(file.read_text().replace("total: 30s", "total: 500ms"))
    realtime, adele = isaas.services["realtime"], isaas.signed_in("adele")
    isaas.manage("gateway", "apply", str(quick))
    realtime.pause()
    try:
        late = isaas.ask("GET", "/api/v1/realtime", adele)
    finally:
        realtime.again()
        isaas.manage("gateway", "apply", str(file))
    assert (late.status_code, late.json()["error"]["code"]) == (504, "UPSTREAM_TIMEOUT")


def test_names(system_named: Callable[..., System], isaas: System) -> None:
    """One start serves all of these tests."""
    assert system_named("isaas") is isaas
