"""What browsers keep of a sign-in."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.endpoints import Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_cookies(client: Endpoints) -> None:
    """Scripts see the CSRF token alone; the refresh token goes to its endpoint alone."""
    account("ada")
    client.signed_in("ada")
    jar = client.cookies
    shown = {name: (jar[name]["httponly"], jar[name]["samesite"], jar[name]["path"]) for name in jar}

    assert shown == {
        "torana_session": (True, "Lax", "/"),
        "torana_refresh": (True, "Strict", "/api/auth"),
        "torana_csrf_token": ("", "Lax", "/"),
    }


def test_cookies_are_for_https_where_browsers_use_it(client: Endpoints, settings: Any) -> None:
    """In staging and production."""
    settings.CONFIG = replace(settings.CONFIG, environment="staging")
    account("ada")
    client.signed_in("ada")

    assert all(cookie["secure"] for cookie in client.cookies.values())
