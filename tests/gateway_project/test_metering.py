"""The metrics of one worker, put together."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway_project.server.context import REFUSAL_LISTENERS
from gateway_project.server.refusals import HEAD_TOO_LARGE
from gateway_project.wiring import Role
from observability.metrics.catalogue import FAMILIES
from tests.gateway_project.test_wiring import Worker
from tests.support.gateway import document, route

DOCUMENT = document(
    route("hi", path="/hi", respond={"status": 200, "body": "hi"}, quotas=["few"]),
    {"name": "closed", "match": {"path": "/closed"}, "respond": {"status": 200}},
    route("far", path="/far", service="far"),
    services={"far": {"targets": [{"url": "http://127.0.0.1:1"}], "breaker": {}}},
) | {"quotas": [{"name": "few", "limit": 1, "per": "1h", "key": "route"}]}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {"var_dir": tmp_path, "ops_access": "public"}


async def scraped(worker: Worker) -> dict[tuple[str, ...], float]:
    """Samples by their name and labels."""
    status, body = await worker.get("/metrics")
    assert status == 200
    return {
        (sample.name, *(sample.labels[label] for label in _labels(sample.name))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name in FAMILIES
    }


def _labels(name: str) -> tuple[str, ...]:
    return FAMILIES[name].labels


async def test_what_happens_is_counted(settings: dict[str, Any]) -> None:
    """Requests, attempts, limits, refusals of callers and of the server, and how everything stands."""
    worker = Worker(**settings)
    await worker.offer(DOCUMENT, 7)
    await worker.gateway._meters.start()
    for path in ("/hi", "/hi", "/closed", "/far"):
        await worker.get(path)
    REFUSAL_LISTENERS[-1](HEAD_TOO_LARGE, "192.0.2.1", "id")
    found = await scraped(worker)
    await worker.gateway._meters.stop()
    await worker.gateway._traffic.upstreams.aclose()

    assert found["gateway_requests_total", "hi", "", "GET", "200"] == 1
    assert found["gateway_requests_total", "hi", "", "GET", "429"] == 1
    assert found["gateway_requests_total", "far", "far", "GET", "502"] == 1
    assert found["gateway_refusals_total", "hi", "RATE_LIMIT"] == 1
    assert found["gateway_upstream_attempts_total", "far", "http://127.0.0.1:1", "connect_refused"] == 1
    assert found["gateway_rate_limit_decisions_total", "few", "allowed"] == 1
    assert found["gateway_rate_limit_decisions_total", "few", "refused"] == 1
    assert found["gateway_auth_failures_total", "missing"] == 1
    assert found["gateway_malformed_requests_total", "431", "HEADERS_TOO_LARGE"] == 1
    assert found["gateway_breaker_state", "far"] == 0
    assert found["gateway_config_revision",] == 7
    assert found["gateway_config_revision_age_seconds",] >= 0
    assert found["gateway_requests_in_flight",] == 1  # the scrape
    assert found["gateway_websocket_connections", ""] == 0
    assert found["gateway_event_clients_total", "slow_readers"] == 0
    assert found["gateway_dropped_total", "requests"] == 0
    assert HEAD_TOO_LARGE not in REFUSAL_LISTENERS


async def test_detailed_health_says_how_services_did(settings: dict[str, Any]) -> None:
    worker = Worker(**settings)
    await worker.offer(DOCUMENT)
    await worker.get("/far")
    worker.gateway._recorder.drain()
    _, body = await worker.get("/health/detailed")
    await worker.gateway._traffic.upstreams.aclose()
    found = orjson.loads(body)

    assert found["services"]["far"]["last_minute"]["error_rate"] == 1.0
    assert found["dropped"] == {}


@pytest.mark.parametrize("role", ["all", "data", "control"])
@pytest.mark.parametrize("path", ["/metrics", "/monitoring/metrics"])
async def test_every_node_has_it(role: Role, path: str, settings: dict[str, Any]) -> None:
    worker = Worker(role, **settings)
    status, body = await worker.get(path)

    assert status == 200
    assert b"gateway_workers 1" in body


async def test_the_token_is_wanted(settings: dict[str, Any]) -> None:
    worker = Worker(**settings, metrics_token="s3cret")
    found = [
        (await worker.get("/metrics", *pairs))[0] for pairs in ((), ((b"authorization", b"Bearer s3cret"),))
    ]

    assert found == [401, 200]
