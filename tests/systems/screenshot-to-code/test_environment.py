"""The variables of the system's document: each start with others does what they say."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import jwt
import pytest
import yaml

from examples.upstream import Answer, Request, handler_of
from gateway_project.examples import EXAMPLES
from gateway_project.server.ports import keep_port
from tests.support import oidc, systems
from tests.support.oidcserver import CLIENT_ID
from tests.support.process import Running, Site
from tests.support.systems import System

NAME = "screenshot-to-code"
STATS = "/api/v1/images/usage/stats"
TENANT = "5e1f0000-2222-3333-4444-555555555555"
MOUNT = f"{TENANT}/v2.0"
PNG = "data:image/png;base64,iVBORw0KGgo="


@contextmanager
def served(service: Callable[[Request], Answer]) -> Iterator[str]:
    """A service of the test's own, at this URL; it knows no worker."""

    def answer(request: Request) -> Answer:
        return (404, {}) if request.path.startswith("/jobs") else service(request)

    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of("own", answer)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def broken(request: Request) -> Answer:
    return (200 if request.path == "/health" else 500), {"status": "x"}


def statuses(system: System, count: int, path: str = STATS) -> list[int]:
    return [system.ask("GET", path).status_code for _ in range(count)]


def test_switched_off(tmp_path: Path) -> None:
    """ENABLE_… and CIRCUIT_BREAKER_ENABLED false, another API_PREFIX, staging, DEBUG lines, another name."""
    env = {
        "ENVIRONMENT": "staging",
        "LOG_LEVEL": "DEBUG",
        "SERVICE_NAME": "screenshots",
        "API_HOST": "127.0.0.1",
        "API_PORT": str(keep_port()),
        "GATEWAY_PORT": "",
        "API_PREFIX": "/gw/v2",
        "ENABLE_AUTHENTICATION": "false",
        "ENABLE_RATE_LIMITING": "false",
        "CIRCUIT_BREAKER_ENABLED": "false",
    }
    with (
        served(broken) as url,
        systems.running(NAME, tmp_path, IMAGE_GENERATOR_SERVICE_URL=url, **env) as system,
    ):
        begun = system.ask("POST", "/gw/v2/code/generate", json={"image": PNG, "code_stack": "bootstrap"})
        health = system.ask("GET", "/gw/v2/health")
        failing = statuses(system, 30, "/gw/v2/images/usage/stats")
        gone = system.ask("GET", "/api/v1/code/variants")
        name = system.ask("GET", "/docs/openapi.json").json()["info"]["title"]
    assert str(system.port) == env["API_PORT"]
    assert (begun.status_code, health.status_code, gone.status_code) == (202, 200, 404)
    assert "X-RateLimit-Limit" not in begun.headers
    assert set(failing) == {500}
    assert name.startswith("screenshots")
    assert "DEBUG" in system.text


def test_breaker_and_window(tmp_path: Path) -> None:
    """Production: opens after …_FAILURE_THRESHOLD, tries again after …_TIMEOUT_SECONDS, a trial has …_RETRY_TIMEOUT."""
    well, hanging, released = threading.Event(), threading.Event(), threading.Event()
    trials: list[str] = []

    def service(request: Request) -> Answer:
        if request.path != STATS or not (well.is_set() or hanging.is_set()):
            return broken(request)
        if not well.is_set():
            trials.append(request.path)
            released.wait(60.0)
        return 200, {"made": 1}

    env = {
        "ENVIRONMENT": "production",
        "JWT_SECRET": "a-secret-of-thirty-two-characters",
        "JWT_ALGORITHM": "HS256",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "7",
        "CIRCUIT_BREAKER_TIMEOUT_SECONDS": "2",
        "CIRCUIT_BREAKER_RETRY_TIMEOUT": "1",
        "RATE_LIMIT_REQUESTS": "20",
        "RATE_LIMIT_WINDOW_SECONDS": "3",
    }
    with (
        served(service) as url,
        systems.running(NAME, tmp_path, IMAGE_GENERATOR_SERVICE_URL=url, **env) as system,
    ):
        caller = system.newcomer("ada")
        answers = [system.ask("GET", STATS, caller) for _ in range(9)]
        state = system.ask("GET", "/api/v1/health/detailed").json()["services"]["image-generator"]
        hanging.set()
        with ThreadPoolExecutor(8) as pool:

            def second_trial() -> bool:
                pool.submit(system.ask, "GET", STATS, caller)
                return len(trials) > 1

            try:
                systems.until(second_trial, within_s=20.0, every_s=0.4)
            finally:
                well.set()
                released.set()
        systems.until(lambda: system.ask("GET", STATS, caller).status_code == 200, every_s=0.4)
        other = system.newcomer("edsger")
        seen = statuses_of(system, other, 25)
        systems.until(lambda: system.ask("GET", STATS, other).status_code == 200, every_s=0.4)
    access = caller["Authorization"].split()[1]
    assert jwt.decode(access, env["JWT_SECRET"], algorithms=["HS256"])["name"] == "ada"
    assert [answer.status_code for answer in answers] == [500] * 7 + [503] * 2
    assert answers[-1].json()["error"]["code"] == "CIRCUIT_OPEN"
    assert "Retry-After" in answers[-1].headers
    assert "open" in json.dumps(state)
    assert seen[:20] == [200] * 20
    assert seen[-1] == 429


def statuses_of(system: System, caller: dict[str, str], count: int) -> list[int]:
    return [system.ask("GET", STATS, caller).status_code for _ in range(count)]


def test_production_refuses_placeholders(tmp_path: Path) -> None:
    """JWT_SECRET=your-jwt-secret, as it stands in the document, is for reading only."""
    with pytest.raises(AssertionError, match="JWT_SECRET: is a placeholder"):
        systems.start(NAME, tmp_path, ENVIRONMENT="production", JWT_SECRET="your-jwt-secret")


async def test_azure(tmp_path: Path) -> None:
    """AZURE_TENANT_ID and AZURE_CLIENT_ID, with a real OpenID provider in Microsoft's place."""
    (folder := tmp_path / "provider").mkdir()
    with oidc.process(folder, mount=MOUNT) as port:
        async with oidc.reached(port, mount=MOUNT) as azure:
            token = await azure.id_token()
            env = {
                "AZURE_TENANT_ID": TENANT,
                "AZURE_CLIENT_ID": CLIENT_ID,
                "AZURE_AUTHORITY_HOST": azure.url,
                "ENVIRONMENT": "testing",
            }
            right, wrong, own = await asyncio.to_thread(asked_with, tmp_path, token, env)
    assert (right.status_code, right.json()["owner"]) == (200, "ann")
    assert (wrong.status_code, own.status_code) == (401, 200)


def asked_with(folder: Path, token: str, env: dict[str, str]) -> list[httpx.Response]:
    """With Azure's token, with a forged one, with one of the gateway's own beside it."""
    with systems.running(NAME, folder, **env) as system:
        fields = [{"Authorization": f"Bearer {each}"} for each in (token, f"{token[:-8]}AAAAAAAA")]
        return [system.ask("GET", STATS, field) for field in (*fields, system.newcomer("ada"))]


@pytest.mark.parametrize("strategy", ["round_robin", "weighted_round_robin", "least_connections", "random"])
async def test_strategies(strategy: str, tmp_path: Path) -> None:
    """LOAD_BALANCING_STRATEGY, of two addresses in CODE_GENERATOR_SERVICE_URL; weights are the configuration's."""
    slow = threading.Event()

    def named(name: str) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if name == "a" and request.path.endswith("/slow"):
                slow.wait(10.0)
            return 200, {"name": name}

        return answer

    with served(named("a")) as a, served(named("b")) as b:
        site = Site(tmp_path, {"DATABASE_URL": "", "LOAD_BALANCING_STRATEGY": strategy})
        site.env |= {"ENABLE_AUTHENTICATION": "false", "CODE_GENERATOR_SERVICE_URL": f"{a},{b}"}
        document = yaml.safe_load((EXAMPLES / NAME / "gateway.yaml").read_text())
        if strategy == "weighted_round_robin":
            del site.env["CODE_GENERATOR_SERVICE_URL"]
            document["services"][0]["targets"] = [{"url": a, "weight": 3}, {"url": b, "weight": 1}]
        async with site.serving("--revision", site.write(document)) as running:
            names = await chosen(running, slow if strategy == "least_connections" else None)
    counted = (names.count("a"), names.count("b"))
    if strategy == "round_robin":
        assert names in ("ab" * 20, "ba" * 20)
    elif strategy == "weighted_round_robin":
        assert counted == (30, 10)
    elif strategy == "random":
        assert min(counted) > 3
        assert names not in ("ab" * 20, "ba" * 20)
    else:
        assert names == "b" * 40


async def chosen(running: Running, slow: threading.Event | None) -> str:
    """Who answers forty requests; where `slow`, while "a" is busy with one."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=30) as client:
        path = "/api/v1/code/generation"
        waiting: list[asyncio.Task[httpx.Response]] = []
        while slow is not None and not any(not task.done() for task in waiting):
            waiting.append(asyncio.create_task(client.get(f"{path}/slow")))
            await asyncio.wait(waiting, timeout=1.0)
        names = [(await client.get(f"{path}/x")).json()["name"] for _ in range(40)]
        if slow is not None:
            slow.set()
        await asyncio.gather(*waiting)
    return "".join(names)
