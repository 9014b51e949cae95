"""REST framework's refusals as the error envelope, and its settings."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from rest_framework import exceptions
from rest_framework.request import Request

from authproxy.refusing import locked
from gateway_project import rest


class View:
    allowed_methods = ["GET", "OPTIONS"]


def answer(error: Exception) -> tuple[int, str, Any]:
    context = {"request": Request(RequestFactory().get("/")), "view": View()}
    response = rest.answer_refusal(error, context)
    assert response is not None
    found = json.loads(response.content)["error"]
    return response.status_code, found["code"], found["details"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (locked(5), (429, "RATE_LIMIT", {"retry_after": 5})),
        (exceptions.ValidationError({"a": ["No."]}), (400, "VALIDATION_ERROR", {"a": ["No."]})),
        (
            exceptions.ValidationError({"a": {0: ["No."]}, "b": [{"c": ["No."]}]}),
            (400, "VALIDATION_ERROR", {"a": {"0": ["No."]}, "b": [{"c": ["No."]}]}),
        ),
        (exceptions.ValidationError("No."), (400, "VALIDATION_ERROR", {"body": ["No."]})),
        (exceptions.ParseError("Broken."), (400, "INVALID_REQUEST", {})),
        (exceptions.UnsupportedMediaType("x"), (415, "UNSUPPORTED_MEDIA_TYPE", {})),
        (
            exceptions.MethodNotAllowed("PUT"),
            (405, "METHOD_NOT_ALLOWED", {"allow": ["GET", "OPTIONS"]}),
        ),
        (exceptions.NotFound(), (404, "NOT_FOUND", {})),
        (Http404(), (404, "NOT_FOUND", {})),
        (exceptions.PermissionDenied(), (403, "FORBIDDEN", {})),
        (PermissionDenied(), (403, "FORBIDDEN", {})),
    ],
)
def test_every_refusal_is_an_envelope(error: Exception, expected: tuple[int, str, Any]) -> None:
    """With plain texts in it."""
    assert answer(error) == expected


def test_mistakes_of_ours_are_left_to_django() -> None:
    """It answers 500 and reports them."""
    assert rest.answer_refusal(ValueError(), {"request": Request(HttpRequest()), "view": View()}) is None


def test_tokens_live_as_long_as_the_environment_says() -> None:
    """And nobody signs with SimpleJWT's own key."""
    config = replace(settings.CONFIG, access_token_expire_minutes=3, refresh_token_expire_days=4)
    found = rest.simple_jwt(config)

    assert (found["ACCESS_TOKEN_LIFETIME"], found["REFRESH_TOKEN_LIFETIME"]) == (
        timedelta(minutes=3),
        timedelta(days=4),
    )
    assert "SIGNING_KEY" not in found


def test_the_document_is_framed_by_the_services_name() -> None:
    """And shows the three credentials."""
    found = rest.spectacular(replace(settings.CONFIG, service_name="shop"))

    assert found["TITLE"].startswith("shop")
    assert set(found["APPEND_COMPONENTS"]["securitySchemes"]) == {"bearer", "apiKey", "session"}


def test_names_of_shapes_are_nobodys_guess() -> None:
    """Generated clients call fields' values by them: none is made up where two mean different things."""
    reset_generator_stats()
    found = SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS, dict(GENERATOR_STATS._warn_cache)
    assert set(rest.ENUMS) <= set(found["components"]["schemas"])


@pytest.mark.parametrize("number", [7, "00u1", None])
def test_an_id_may_be_an_identity_providers(number: int | str | None) -> None:
    """The document has to say so, since generated clients refuse what it does not."""
    schemas = SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]
    shown = {"id": number, "username": "ann", "email": "", "roles": [], "scopes": []}
    assert jsonschema_rs.is_valid(schemas["UserShape"], shown)
    assert not jsonschema_rs.is_valid(schemas["UserShape"], {**shown, "id": True})
