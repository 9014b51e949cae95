"""Health in the OpenAPI document: every path that is answered, and what it answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import Client
from jsonschema_rs import validator_for

from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.services import Upstreams
from gateway_project import healthdocs
from gateway_project.detailing import Detailing
from gateway_project.server.ports import keep_port
from gateway_project.variables import Secret
from observability.detailed import Detailed
from observability.health import Health
from observability.metrics.endpoint import PATHS
from observability.status import Status
from resilience.breakers import Breakers
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import CompiledService
from tests.support.asgi import Recorder, http_scope, playback

pytestmark = [pytest.mark.store, pytest.mark.django_db]
Application = Callable[..., Awaitable[None]]
PREFIX = settings.CONFIG.api_prefix
STAFF, USER = Identity(method="jwt", is_staff=True), Identity(method="jwt")


@pytest.fixture(scope="module")
def document() -> Any:
    return Client().get("/docs/openapi.json").json()


def health(unready: str | None = None) -> Health:
    return Health(version="1", api_prefix=PREFIX, unready=lambda: unready)


def services() -> Mapping[str, CompiledService]:
    document = {"version": 1, "services": [{"name": "s", "targets": [{"url": "http://a"}], "breaker": {}}]}
    upstreams = Upstreams(StateTable(), rng=Random(1), breakers=Breakers(worker="w"))
    options = CompileOptions(prepare_service=upstreams.prepare)
    return compile_snapshot(document, revision=1, options=options).services


def detailed(unready: str | None = None) -> Detailed:
    config = replace(settings.CONFIG, message_hub_url=Secret(f"nats://127.0.0.1:{keep_port()}"))
    return Detailing(
        config,
        version="1",
        role="all",
        has_database=False,
        redis=None,
        decided_alone=lambda: 0,
        revision=lambda: 3,
        unready=lambda: unready,
        services=services,
    ).application


def is_answered(path: str) -> bool:
    return path in PATHS or health().serves(path) or detailed().serves(path) or Status(dict).serves(path)


def strict(schema: Any, document: Any) -> Any:
    """As OpenAPI 3.0 has it, for a reader of JSON Schema: nothing but what is described, null where it is nullable."""
    if isinstance(schema, list):
        return [strict(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return strict(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document)
    found = {name: strict(each, document) for name, each in schema.items() if name != "nullable"}
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") else found


async def ask(application: Application, path: str, **scope: Any) -> Recorder:
    send = Recorder()
    await application({**http_scope(path=path), **scope}, playback(), send)
    return send


def test_every_path_is_answered(document: Any) -> None:
    """And is in the document."""
    found = {
        path
        for path, item in document["paths"].items()
        if item.get("get", {}).get("tags") == [healthdocs.TAG]
    }

    assert found == set(healthdocs.paths(PREFIX))
    assert [path for path in found if not is_answered(path)] == []
    assert {path for path in found if "security" not in document["paths"][path]["get"]} == {
        "/health/detailed",
        "/monitoring/health",
        f"{PREFIX}/health/detailed",
        *PATHS,
    }


@pytest.mark.parametrize(
    ("application", "path", "scope", "status"),
    [
        (health(), "/health", {}, 200),
        (health(), f"{PREFIX}/health", {}, 200),
        (health(), f"{PREFIX}/health", {SCOPE_AUTH_FAILURE: "expired"}, 401),
        (health(), "/health/live", {}, 200),
        (health(), "/health/ready", {}, 200),
        (health("draining"), "/health/ready", {}, 503),
        (Status(services), "/status", {}, 200),
    ],
)
async def test_answers_are_as_described(
    document: Any, application: Application, path: str, scope: dict[str, Any], status: int
) -> None:
    """Whatever their status."""
    answer = await ask(application, path, **scope)

    assert answer.status == status
    check(document, path, answer)


@pytest.mark.parametrize("path", ["/health/detailed", "/monitoring/health", f"{PREFIX}/health/detailed"])
@pytest.mark.parametrize(
    ("identity", "unready", "status"),
    [(STAFF, None, 200), (STAFF, "draining", 503), (USER, None, 403), (None, None, 401)],
)
async def test_reports_are_as_described(
    document: Any, path: str, identity: Identity | None, unready: str | None, status: int
) -> None:
    """For staff, and for those who may not read them."""
    answer = await ask(detailed(unready), path, **{SCOPE_IDENTITY: identity})

    assert answer.status == status
    check(document, path, answer)


def check(document: Any, path: str, answer: Recorder) -> None:
    described = document["paths"][path]["get"]["responses"][str(answer.status)]
    schema = strict(described["content"]["application/json"]["schema"], document)
    if "error" in orjson.loads(answer.body):
        schema = {**schema, "additionalProperties": True}
    validator_for(schema).validate(orjson.loads(answer.body))
