"""Health, metrics and documentation, as a user without a credential, with a wrong one and with a right one asks."""

import re
import subprocess

from tests.support.systems import SOON_S, System, until

LIMIT = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def test_starts_soon(system: System) -> None:
    """Under 15 s, on a machine that has nothing else to do."""
    assert system.start_s < SOON_S


def test_printed_lines_work(system: System, tmp_path: object) -> None:
    """One after another, in one shell."""
    script = "\n".join(line.replace("curl -s", "curl -sf") for line in system.tried)
    done = subprocess.run(["bash", "-e", "-c", script], cwd=str(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, (script, done.stderr)
    assert '"generation_id":"img_' in done.stdout


def test_probes(system: System) -> None:
    """GET /health, /health/live, /health/ready."""
    said = [system.ask("GET", path).json()["status"] for path in ("/health", "/health/live", "/health/ready")]
    assert said == ["healthy", "alive", "ready"]


def test_detailed(system: System) -> None:
    """Below both paths: components, and each service with its breaker, targets and times."""
    for path in ("/health/detailed", "/api/v1/health/detailed"):
        told = system.ask("GET", path).json()
        assert told["components"]["redis"]["status"] == "healthy"
        assert {"code-generator", "image-generator"} <= set(told["services"])
        assert "closed" in str(told["services"]["code-generator"])


def test_versioned_health_shows_limits(system: System) -> None:
    """`curl -i …/api/v1/health` counts down."""
    first, second = (system.ask("GET", "/api/v1/health") for _ in range(2))
    assert first.status_code == 200
    assert [name in first.headers for name in LIMIT] == [True] * 3
    assert first.headers["X-RateLimit-Limit"] == "100"
    assert int(second.headers["X-RateLimit-Remaining"]) < int(first.headers["X-RateLimit-Remaining"])


def test_versioned_health_tries_tokens(system: System, caller: dict[str, str]) -> None:
    """`curl -H "Authorization: Bearer YOUR_TOKEN" …/api/v1/health`."""
    good = system.ask("GET", "/api/v1/health", caller)
    bad = system.ask("GET", "/api/v1/health", {"Authorization": "Bearer YOUR_TOKEN"})
    assert (good.status_code, bad.status_code, bad.json()["error"]["code"]) == (200, 401, "AUTH_ERROR")
    assert "WWW-Authenticate" in bad.headers


def test_metrics(system: System, caller: dict[str, str]) -> None:
    """Times of requests, states of breakers, decisions of limits, open WebSockets."""
    system.ask("GET", "/api/v1/images/usage/stats", caller)
    wanted = (
        r'gateway_request_duration_seconds_bucket\{[^}]*route="images-usage"',
        r'gateway_breaker_state\{[^}]*service="code-generator"',
        r"gateway_rate_limit_decisions_total\{",
        r"gateway_websocket_connections",
    )

    def missing() -> list[str]:
        told = system.ask("GET", "/metrics").text
        return [pattern for pattern in wanted if not re.search(pattern, told)]

    until(lambda: not missing(), every_s=0.1)
    assert missing() == []


def test_documentation(system: System) -> None:
    """OpenAPI as a page and as a document. Who is signed in sees the services' operations to which routes lead."""
    reader = system.newcomer("documentalist")

    def paths() -> set[str]:
        return {*system.ask("GET", "/docs/openapi.json", reader).json()["paths"]}

    until(lambda: {"/api/v1/code/generate", "/api/v1/images/generate"} <= paths(), every_s=0.2)
    assert not {path for path in paths() if "jobs" in path}
    page = system.ask("GET", "/docs", headers={"Accept": "text/html"})
    told = system.ask("GET", "/docs/openapi.json").json()
    assert (page.status_code, told["openapi"][:2]) == (200, "3.")
    assert "/api/v1/health" in told["paths"]


def test_security_fields(system: System) -> None:
    """Of every answer of the gateway; an id is kept if it is sane, else made."""
    answer = system.ask("GET", "/health", headers={"X-Request-ID": "req-12345"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"] == "req-12345"
    assert len(system.ask("GET", "/health").headers["X-Request-ID"]) >= 16


def test_hosts(system: System) -> None:
    """Routes answer under their own hosts, pages of the gateway under ALLOWED_HOSTS."""
    path = "/api/v1/images/providers"
    seen = [
        system.ask("GET", path, headers={"Host": host}).status_code
        for host in (f"localhost:{system.port}", "api.localhost", "elsewhere.example")
    ]
    page = system.ask("GET", "/admin/login/", headers={"Host": "elsewhere.example"})
    assert seen == [200, 200, 404]
    assert page.status_code == 400


def test_cross_origin(system: System) -> None:
    """CORS_ALLOWED_ORIGINS, for routes and for the gateway's own paths; nobody else."""
    path = "/api/v1/code/generate"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    ours = system.ask("OPTIONS", path, headers={"Origin": "http://localhost:3000", **asked})
    other = system.ask("OPTIONS", path, headers={"Origin": "http://elsewhere.example", **asked})
    assert ours.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "Access-Control-Allow-Origin" not in other.headers


def test_service_goes_and_comes_back(system: System) -> None:
    """The error is the gateway's; afterwards all is as before."""
    service = system.services["image-generator"]
    caller = system.newcomer("waiting")
    service.kill()
    gone = system.ask("GET", "/api/v1/images/usage/stats", caller)
    service.again()
    until_back(system, caller)
    assert gone.status_code in (502, 503)
    assert gone.json()["error"]["code"] in ("BAD_GATEWAY", "SERVICE_UNAVAILABLE")


def test_breaker_is_reset(system: System) -> None:
    """By its operator's line; without it, it would stay open for a minute."""
    service, caller = system.services["image-generator"], system.newcomer("operated")

    def code() -> str:
        return str(system.ask("GET", "/api/v1/images/usage/stats", caller).json()["error"]["code"])

    service.kill()
    codes = [code() for _ in range(6)]
    service.again()
    still = code()
    system.manage("gateway", "breaker", "reset", "image-generator")
    until(
        lambda: system.ask("GET", "/api/v1/images/usage/stats", caller).status_code == 200,
        within_s=20,
        every_s=0.2,
    )
    assert (codes[0], codes[-1]) == ("BAD_GATEWAY", "CIRCUIT_OPEN")
    assert still == "CIRCUIT_OPEN"


def test_structured_logs(system: System) -> None:
    """A line for each request, with its ids, times and the user."""
    caller = system.newcomer("logged")
    answer = system.ask("GET", "/api/v1/images/usage/stats", caller, headers={"X-Request-ID": "req-of-logs"})
    until(lambda: system.logged("req-of-logs"))
    [line] = system.logged("req-of-logs")
    assert (line["status"], line["route"], line["consumer"]) == (answer.status_code, "images-usage", "logged")
    assert line["trace_id"] == answer.headers["traceparent"].split("-")[1]
    assert line["ms"]["total"] >= line["ms"]["upstream"] > 0


def until_back(system: System, caller: dict[str, str]) -> None:
    until(lambda: system.ask("GET", "/api/v1/images/usage/stats", caller).status_code == 200)
