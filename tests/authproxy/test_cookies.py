"""The cookies of a browser that signed in."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse

from authproxy import cookies, csrf
from authproxy.apikeys import pepper


def test_all_three_are_set() -> None:
    """They live as long as a session that is not refreshed."""
    response = HttpResponse()
    cookies.set_on(response, session_id="s", cookie_text="tos_x", refresh="r")

    assert {name: morsel.value for name, morsel in response.cookies.items()} == {
        "torana_session": "tos_x",
        "torana_refresh": "r",
        "torana_csrf_token": csrf.token_for("s", pepper=pepper()),
    }
    assert {morsel["max-age"] for morsel in response.cookies.values()} == {7 * 24 * 3600}


def test_a_cookie_that_the_browser_has_stays() -> None:
    """Only its hash is known here."""
    response = HttpResponse()
    cookies.set_on(response, session_id="s", cookie_text="", refresh="r")

    assert set(response.cookies) == {"torana_refresh", "torana_csrf_token"}


def test_secure_where_browsers_come_over_https(settings: Any) -> None:
    """All three."""
    settings.CONFIG = replace(settings.CONFIG, environment="production")
    response = HttpResponse()
    cookies.set_on(response, session_id="s", cookie_text="tos_x", refresh="r")

    assert all(morsel["secure"] for morsel in response.cookies.values())


def test_clearing_names_the_same_paths() -> None:
    """Or the browser would keep them."""
    response = HttpResponse()
    cookies.clear_on(response)

    assert {
        name: (morsel.value, morsel["max-age"], morsel["path"]) for name, morsel in response.cookies.items()
    } == {
        "torana_session": ("", 0, "/"),
        "torana_refresh": ("", 0, "/api/auth"),
        "torana_csrf_token": ("", 0, "/"),
    }
