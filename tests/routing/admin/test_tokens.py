"""Tokens that services cannot verify, told in admin."""

from dataclasses import replace
from typing import Any

import pytest

from routing.drafts import Actor
from routing.models import Route
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in, submit
from tests.support.configuration import route, small

pytestmark = pytest.mark.django_db
DEFAULTS = "/admin/routing/routedefaults/1/change/"
TOLD = "a token that only the gateway&#x27;s secret verifies, since JWT_ALGORITHM is HS256"


def shown(url: str) -> str:
    return str(signed_in().get(url).content.decode())


def test_a_route_that_sends_tokens_is_told_on_its_page(settings: Any) -> None:
    """By its name, while the algorithm is symmetric."""
    apply_document({**small(), "routes": [route(forward_identity="token")]}, actor=Actor("first"))
    url = page("route", "change", Route.objects.get().pk)

    assert f"Route &quot;orders&quot; sends its service {TOLD}" in shown(url)

    settings.CONFIG = replace(settings.CONFIG, jwt_algorithm="ES256")

    assert TOLD not in shown(url)


def test_the_defaults_are_told_too_and_routes_that_have_them() -> None:
    """After saving, and on the pages."""
    apply_document(small(), actor=Actor("first"))
    saved = submit(signed_in(), DEFAULTS, {"forward_identity": "token"})

    assert saved.status_code == 302
    assert f"Routes send their services {TOLD}" in shown(DEFAULTS)
    assert TOLD in shown(page("route", "change", Route.objects.get().pk))
