"""Events in the OpenAPI document: what the endpoints really answer is described."""

from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import Client
from jsonschema_rs import validator_for

from gateway_project import eventdocs
from tests.support.streams import desk

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ONE = {"topic": "generation.1", "type": "progress", "data": 5}
PUBLISH, FOLLOW = eventdocs.paths("/api/v1").values()


def test_they_are_in_the_document() -> None:
    paths = Client().get("/docs/openapi.json").json()["paths"]

    for path, operations in eventdocs.paths(settings.CONFIG.api_prefix).items():
        assert paths[path] == operations


@pytest.mark.parametrize("sent", [ONE, [ONE, {"user": "7", "type": "hi"}]])
async def test_what_is_taken_and_told(sent: Any) -> None:
    """The body and its answer fit the document, alone and in a list."""
    async with desk() as there:
        answer = await there.post(sent)
    asked = PUBLISH["post"]["requestBody"]["content"]["application/json"]["schema"]
    told = PUBLISH["post"]["responses"][str(answer.status)]["content"]["application/json"]["schema"]

    assert answer.status == 202
    assert validator_for(asked).is_valid(sent)
    assert validator_for(told).is_valid(orjson.loads(answer.body))


@pytest.mark.parametrize(("token", "sent"), [("", ONE), ("ada", ONE), ("robot", [{"topic": "a"}])])
async def test_refusals_are_described(token: str, sent: Any) -> None:
    async with desk() as there:
        answer = await there.post(sent, token=token)

    assert str(answer.status) in PUBLISH["post"]["responses"]
    assert str(answer.status) in FOLLOW["get"]["responses"]
