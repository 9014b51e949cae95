"""The public health endpoints."""

import orjson
import pytest

from authproxy.exchange import SCOPE_AUTH_FAILURE
from observability.health import Health
from tests.support.asgi import Recorder, http_scope, playback


async def ask(
    path: str, *, method: str = "GET", unready: str | None = None, failure: str = "missing"
) -> Recorder:
    send = Recorder()
    health = Health(version="1.2.3", api_prefix="/api/v1", unready=lambda: unready, realm="shop")
    scope = {**http_scope(method, path), SCOPE_AUTH_FAILURE: failure}
    await health(scope, playback(), send)
    return send


@pytest.mark.parametrize("path", ["/health", "/health/", "/api/v1/health"])
async def test_health_has_the_contracts_fields(path: str) -> None:
    """status, version and timestamp."""
    answer = await ask(path, unready="draining")

    assert answer.status == 200
    assert orjson.loads(answer.body).keys() == {"status", "version", "timestamp"}
    assert orjson.loads(answer.body)["status"] == "healthy"


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/health/"])
@pytest.mark.parametrize("failure", ["invalid", "expired"])
async def test_clients_can_try_their_credentials(path: str, failure: str) -> None:
    """401 below the prefix; the others never ask."""
    answer = await ask(path, failure=failure)

    assert answer.status == 401
    assert orjson.loads(answer.body)["error"]["details"]["reason"] == failure
    assert answer.header(b"www-authenticate") == b'ApiKey realm="shop"'
    assert [(await ask(p, failure=failure)).status for p in ("/health", "/health/live")] == [200, 200]


@pytest.mark.parametrize("failure", ["", "missing", "unavailable", "cross_site"])
async def test_health_does_not_depend_on_the_identity_store(failure: str) -> None:
    """What cannot be checked now is not the client's fault."""
    assert (await ask("/api/v1/health", failure=failure)).status == 200


async def test_live_is_true_while_the_process_answers() -> None:
    """Liveness does not depend on configuration."""
    assert (await ask("/health/live", unready="no configuration")).status == 200


async def test_ready_gives_its_reason() -> None:
    """503 with the reason and Retry-After while draining or without a configuration; else 200."""
    unready = await ask("/health/ready", unready="draining")

    assert unready.status == 503
    assert unready.header(b"retry-after") == b"1"
    assert orjson.loads(unready.body)["reason"] == "draining"
    assert (await ask("/health/ready")).status == 200


async def test_only_reading_is_allowed() -> None:
    """405 with Allow and the error envelope for anything else."""
    answer = await ask("/health", method="POST")

    assert (answer.status, answer.header(b"allow")) == (405, b"GET, HEAD")
    assert orjson.loads(answer.body)["error"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("path", "serves"),
    [
        ("/health", True),
        ("/health/ready/", True),
        ("/api/v1/health", True),
        ("/health/detailed", False),
        ("/", False),
    ],
)
def test_it_answers_for_its_own_paths_only(path: str, serves: bool) -> None:
    """What is not a health endpoint of this version is not reported as healthy."""
    assert Health(version="1", api_prefix="/api/v1", unready=lambda: None).serves(path) is serves


async def test_answers_are_not_cached() -> None:
    """A stale health answer is worse than none."""
    assert (await ask("/health/live")).header(b"cache-control") == b"no-store"
