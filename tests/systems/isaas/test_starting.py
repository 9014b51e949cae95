"""ISaaS as `make example` starts it, and with the environment that its document lists."""

import time
from pathlib import Path

import httpx
import jwt

from gateway_project.server.ports import keep_port
from tests.support import systems
from tests.support.systems import SOON_S, System


def test_starts_soon(isaas: System) -> None:
    """On an environment that is prepared."""
    assert isaas.start_s < SOON_S


def test_printed_lines_work(isaas: System, tmp_path: Path) -> None:
    """One after another, in one shell."""
    assert '"place":"home"' in isaas.run_tried(tmp_path)


def test_environment(tmp_path: Path) -> None:
    """Each variable of the document does what it says, and a Redis that is not there keeps nobody waiting.

    JWT_SECRET beside SECRET_KEY lets services go on to verify tokens by that secret themselves.
    """
    secret = "a-secret-of-somebody-who-has-one-already"
    env = {
        "DEBUG": "true",
        "API_V1_PREFIX": "/v9",
        "SECRET_KEY": secret,
        "JWT_SECRET": secret,
        "RATE_LIMIT_PER_SECOND": "1",
        "RATE_LIMIT_BURST": "3",
        "ACCESS_TOKEN_EXPIRE_MINUTES": "2",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(keep_port()),
        "PREDICTION_SERVICE_URL": f"http://127.0.0.1:{keep_port()}",
    }
    with systems.running("isaas", tmp_path, **env) as system:
        caller = system.signed_in("walt")
        me = system.ask("GET", "/v9/users/me", caller)
        began = time.monotonic()
        answers = [system.ask("GET", "/v9/context", caller) for _ in range(6)]
        took_s = time.monotonic() - began
        elsewhere = system.ask("GET", "/v9/predict", system.signed_in("adele"))
        health = [system.ask("GET", path).status_code for path in ("/health", "/v9/health", "/api/v1/health")]
        has_own_secret = (system.var_dir / "secret_key").exists()
    claims = jwt.decode(caller["Authorization"].split()[1], secret, algorithms=["HS256"])
    assert not has_own_secret
    assert claims["exp"] - claims["iat"] == 120
    assert me.json()["username"] == "walt"
    assert_is_limited(answers, took_s)
    assert all("Server-Timing" in answer.headers for answer in answers if answer.status_code == 200)
    assert (elsewhere.status_code, set(system.services)) == (502, {"context", "intent", "realtime"})
    assert health == [200, 200, 404]


def assert_is_limited(answers: list[httpx.Response], took_s: float) -> None:
    """Three at once, one a second."""
    taken = sum(answer.status_code == 200 for answer in answers)
    assert 3 <= taken <= 3 + took_s + 1
    assert {answer.status_code for answer in answers} <= {200, 429}
