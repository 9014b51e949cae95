"""CraftNudge's endpoints, levels, limits, errors and events, asked from outside."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support import systems
from tests.support.systems import ROOT, SOON_S, System, until

Caller = dict[str, str]
HASH = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
RABBIT = "amqp://guest:guest@127.0.0.1:5672/"


def joined(system: System, caller: Caller) -> ClientConnection:
    return connect(f"{system.socket_url}/api/v1/ws", additional_headers=caller, proxy=None)


def heard(socket: ClientConnection, kind: str) -> Any:
    """The data of the next event of that kind."""
    while True:
        message = json.loads(socket.recv(30))
        if message.get("event") == kind:
            return message["data"]


def post(system: System, path: str, caller: Caller, **body: Any) -> Any:
    return system.ask("POST", f"/api/v1/{path}", caller, json=body)


def test_starts_soon(system: System) -> None:
    """As soon as an example should."""
    assert system.start_s < SOON_S


def test_printed_lines_work(system: System, tmp_path: Path) -> None:
    """One after another, in one shell."""
    script = "\n".join(line.replace("curl -s", "curl -sf") for line in system.tried)
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, (script, done.stderr)
    assert '"kept_by":"hub"' in done.stdout.replace(" ", "")


def test_commits(system: System) -> None:
    """POST track and batch, GET all and one; the gRPC service says the kind; the owner's screens hear of it."""
    ada, other = system.newcomer("ada"), system.newcomer("eve")
    with joined(system, ada) as socket:
        tracked = post(system, "commits/track", ada, commit_hash=HASH, message="fix: the last day")
        told = heard(socket, "commit.tracked")
    batch = [{"commit_hash": letter * 40, "message": "docs: more"} for letter in "ab"]
    both = post(system, "commits/batch", ada, commits=batch)
    listed = system.ask("GET", "/api/v1/commits?limit=2", ada).json()
    one = system.ask("GET", f"/api/v1/commits/{HASH}", ada).json()["commit"]
    assert (tracked.status_code, both.status_code) == (201, 201)
    assert told == one == tracked.json()["commit"]
    assert one["kind"] == "fix"
    assert (listed["total"], [each["commit_hash"][0] for each in listed["commits"]]) == (3, ["b", "a"])
    missing = system.ask("GET", f"/api/v1/commits/{HASH}", other)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_error_of_the_document(system: System) -> None:
    """Exactly as the document shows it."""
    answer = system.ask(
        "POST",
        "/api/v1/commits/track",
        {**system.newcomer("hasty"), "X-Request-ID": "req-12345"},
        json={"commit_hash": "abc123"},
    )
    told = answer.json()
    assert answer.status_code == 400
    assert told["error"] == {
        "code": "VALIDATION_ERROR",
        "message": "Invalid commit hash format",
        "details": {"field": "commit_hash", "value": "abc123", "expected": "40-character SHA-1 hash"},
    }
    assert told["request_id"] == "req-12345"
    assert told["timestamp"].endswith("Z")
    assert set(told) == {"error", "timestamp", "request_id"}


def test_analytics(system: System) -> None:
    """GET patterns, metrics, trends of one's own; POST analyze is 202, and its result comes to all screens."""
    caller = system.newcomer("analyst")
    post(system, "commits/track", caller, commit_hash=HASH, message="feat: x", repository="r")
    patterns, metrics, trends = (
        system.ask("GET", f"/api/v1/analytics/{what}", caller).json()
        for what in ("patterns", "metrics", "trends")
    )
    with joined(system, caller) as socket:
        asked = post(system, "analytics/analyze", caller, days=7)
        told = heard(socket, "analysis.completed")
    assert patterns["kinds"] == {"feat": 1}
    assert metrics == {"commits": 1, "active_days": 1, "repositories": 1}
    assert [each["commits"] for each in trends["trend"]] == [1]
    assert (asked.status_code, asked.json()["kept_by"]) == (202, "hub")
    assert told == {"asked": {"days": 7}, **metrics}


@pytest.mark.rabbitmq
def test_analysis_by_rabbitmq(tmp_path: Path) -> None:
    """With MESSAGE_HUB_URL the event goes through RabbitMQ, and no other hub is started."""
    with systems.running("craftnudge", tmp_path, MESSAGE_HUB_URL=RABBIT) as system:
        until(lambda: system.ask("GET", "/status").json()["status"] == "up", every_s=0.2)
        caller = system.newcomer("analyst")
        with joined(system, caller) as socket:
            asked = post(system, "analytics/analyze", caller, days=3)
            told = heard(socket, "analysis.completed")
    assert "hub" not in system.services
    assert (asked.status_code, asked.json()["kept_by"], told["asked"]) == (202, "hub", {"days": 3})


def test_variables(tmp_path: Path) -> None:
    """GATEWAY_PORT, JWT_SECRET, RATE_LIMIT_DEFAULT, SERVICE_TIMEOUT."""
    port, secret = free_port(), "a-secret-of-thirty-two-characters"
    env = {
        "JWT_SECRET": secret,
        "RATE_LIMIT_DEFAULT": "7",
        "SERVICE_TIMEOUT": "1s",
        "GATEWAY_PORT": str(port),
    }
    with systems.running("craftnudge", tmp_path, **env) as system:
        until(lambda: system.ask("GET", "/status").json()["status"] == "up", every_s=0.2)
        caller = system.newcomer("reader")
        token = caller["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, secret, ["HS256"], options={"verify_aud": False})
        read = [system.ask("GET", "/api/v1/commits", caller) for _ in range(8)]
        slow, asked = (
            system.services["insights"],
            ("POST", "/internal/v1/classify", system.keyed("analytics")),
        )
        until(lambda: system.ask(*asked, json={"text": "x"}).status_code == 200, every_s=0.2)
        slow.pause()
        late = system.ask(*asked, json={"text": "x"})
        os.kill(slow.pid, signal.SIGCONT)
    assert system.port == port
    assert claims["exp"] > claims["iat"]
    assert [each.status_code for each in read] == [200] * 7 + [429]
    assert read[0].headers["X-RateLimit-Limit"] == "7"
    assert (late.status_code, late.json()["error"]["code"]) == (504, "UPSTREAM_TIMEOUT")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_notifications(system: System) -> None:
    """POST send reaches one user's screens; GET lists what is new, history all; PUT preferences are kept to."""
    ada, eve = system.newcomer("reader"), system.newcomer("outsider")
    mine = str(system.ask("GET", "/api/v1/users/me", ada).json()["id"])
    program = system.keyed("commit-tracker")
    with joined(system, ada) as one, joined(system, ada) as two, joined(system, eve) as third:
        sent = post(system, "notifications/send", program, user=mine, text="Commit something today.")
        assert [heard(each, "nudge")["text"] for each in (one, two)] == ["Commit something today."] * 2
        third.send(json.dumps({"type": "ping", "id": "1"}))
        assert [json.loads(third.recv(30))["type"] for _ in range(2)] == ["connected", "pong"]
    forbidden = post(system, "notifications/send", eve, user=mine, text="spam")
    listed, again = (
        system.ask("GET", "/api/v1/notifications", ada).json()["notifications"] for _ in range(2)
    )
    preferred = system.ask("PUT", "/api/v1/notifications/preferences", ada, json={"kinds": ["report"]})
    mistyped = system.ask("PUT", "/api/v1/notifications/preferences", ada, json={"kind": ["nudge"]})
    quiet = post(system, "notifications/send", ada, text="to myself")
    history = system.ask("GET", "/api/v1/notifications/history", ada).json()["history"]
    assert (sent.status_code, preferred.status_code) == (201, 200)
    assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert (len(listed), again) == (1, [])
    assert (mistyped.status_code, mistyped.json()["error"]["details"]["field"]) == (400, "kind")
    assert quiet.json()["told"] is False
    assert [each["text"] for each in history] == ["to myself", "Commit something today."]


def test_levels(system: System) -> None:
    """Public, user, admin, service: each opens what it should."""
    user, boss, program = system.newcomer("plain"), system.signed_in("boss"), system.keyed("analytics")
    callers = ({}, user, boss, program)
    own = [system.ask("GET", "/api/v1/commits", caller).status_code for caller in callers]
    whole = [
        system.ask("GET", "/api/v1/analytics/metrics?scope=system", caller).status_code for caller in callers
    ]
    internal = [
        system.ask("POST", "/internal/v1/classify", caller, json={"text": "fix: x"}).status_code
        for caller in callers
    ]
    assert [system.ask("GET", path).status_code for path in ("/health", "/status", "/metrics")] == [200] * 3
    assert own == [401, 200, 200, 200]
    assert whole == [401, 403, 200, 403]
    assert internal == [401, 403, 403, 200]


def test_refresh_tokens(system: System) -> None:
    """A refresh token is good once."""
    system.newcomer("tired")
    sign_in = {"username": "tired", "password": systems.PASSWORD}
    pair = system.ask("POST", "/api/auth/login", json=sign_in).json()
    first, second = (
        system.ask("POST", "/api/auth/refresh", json={"refresh": pair["refresh"]}) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (200, 401)


def test_limits(system: System) -> None:
    """Reading 100, writing 30, analytics 20, sending 10 a minute: each has its own, with header fields."""
    caller = system.newcomer("busy")
    first = system.ask("GET", "/api/v1/commits", caller)
    sent = [post(system, "notifications/send", caller, text="x") for _ in range(11)]
    analysed = [system.ask("GET", "/api/v1/analytics/metrics", caller) for _ in range(21)]
    written = post(system, "commits/track", caller, commit_hash=HASH)
    assert [first.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining")] == ["100", "99"]
    assert int(first.headers["X-RateLimit-Reset"]) > 1_600_000_000
    assert [each.status_code for each in sent] == [201] * 10 + [429]
    assert [each.status_code for each in analysed] == [200] * 20 + [429]
    assert sent[-1].json()["error"]["code"] == "RATE_LIMIT"
    assert "Retry-After" in sent[-1].headers
    assert written.headers["X-RateLimit-Limit"] == "30"


def test_overview_without_a_service(system: System) -> None:
    """Three answers in one; a service that is down is 503, and told beside what is there."""
    caller = system.newcomer("overviewer")
    whole = system.ask("GET", "/api/v1/overview", caller).json()
    system.services["notifications"].kill()
    try:
        path = "/api/v1/notifications"
        until(lambda: system.ask("GET", path, caller).status_code == 503, every_s=0.3)
        gone = system.ask("GET", path, caller)
        part = system.ask("GET", "/api/v1/overview", caller)
        status = system.ask("GET", "/status").json()["services"]["notifications"]["status"]
    finally:
        system.services["notifications"].again()
    assert whole.keys() == {"commits", "metrics", "notifications"}
    assert gone.json()["error"]["code"] in ("SERVICE_UNAVAILABLE", "CIRCUIT_OPEN")
    assert (part.status_code, list(part.json()["errors"])) == (200, ["notifications"])
    assert status == "down"


def test_service_registers_itself(system: System) -> None:
    """A second analytics takes its turns as soon as it says where it is, and none after it has left."""
    port = str(free_port())
    tracker = system.services["commit-tracker"].url
    env = {**os.environ, "REGISTER": "1", "GATEWAY_URL": system.url, "GATEWAY_KEY": system.keys["analytics"]}
    env["COMMIT_TRACKER_SERVICE_URL"] = tracker
    command = [sys.executable, "-m", "examples.craftnudge.analytics", "--port", port]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    key = system.keyed("analytics")

    def listed() -> bool:
        return port in system.ask("GET", "/discovery/services?service=analytics", key).text

    caller = system.newcomer("turns")

    def has_turns() -> bool:
        system.ask("GET", "/api/v1/analytics/metrics", caller)
        lines = system.ask("GET", "/metrics").text.splitlines()
        asked = [line for line in lines if line.startswith("gateway_upstream_attempts_total{")]
        return any(f'target="http://127.0.0.1:{port}"' in line for line in asked)

    try:
        until(listed, every_s=0.2)
        until(has_turns, within_s=15.0, every_s=1.0)  # there are twenty a minute
    finally:
        process.terminate()
        process.wait(30)
    until(lambda: not listed(), every_s=0.2)
    assert system.ask("GET", "/api/v1/analytics/metrics", system.newcomer("later")).status_code == 200


def test_probes(system: System) -> None:
    """Alive, ready; and what each service is, as the gateway's own checks see it."""
    said = [system.ask("GET", f"/health/{what}").json()["status"] for what in ("live", "ready")]
    names = system.ask("GET", "/status").json()["services"].keys()
    assert said == ["alive", "ready"]
    assert names == {"commit-tracker", "analytics", "notifications", "insights"}


def test_requests_are_logged(system: System) -> None:
    """A line for each, with who asked and how long it took."""
    answer = system.ask("GET", "/api/v1/commits", system.newcomer("logged"))
    number = answer.headers["X-Request-ID"]
    until(lambda: system.logged(number))
    [line] = system.logged(number)
    assert (line["route"], line["service"], line["consumer"]) == ("commits", "commit-tracker", "logged")
    assert (line["status"], line["ms"]["total"] > 0) == (200, True)


def test_metrics(system: System) -> None:
    """Counts, times, errors by endpoint, open connections."""
    told = system.ask("GET", "/metrics").text
    for name in (
        "gateway_requests_total{",
        "gateway_request_duration_seconds_sum{",
        "gateway_websocket_connections",
        "gateway_requests_in_flight",
    ):
        assert name in told, name
