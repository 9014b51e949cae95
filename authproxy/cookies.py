"""D: The cookies of a browser that signed in: the session, the refresh token, and the CSRF token that scripts read."""

from typing import Final

from django.conf import settings
from django.http import HttpResponseBase

from authproxy import csrf, sessions
from authproxy.apikeys import pepper

SESSION: Final = "torana_session"
REFRESH: Final = "torana_refresh"
REFRESH_PATH: Final = "/api/auth"
"""The refresh token is sent nowhere else, routes included."""


def set_on(response: HttpResponseBase, *, session_id: str, cookie_text: str, refresh: str) -> None:
    """`cookie_text` may be empty where the browser keeps the cookie of a session that it has."""
    seconds = int(sessions.lifetime().total_seconds())
    secure = settings.CONFIG.is_deployed
    if cookie_text:
        response.set_cookie(
            SESSION, cookie_text, max_age=seconds, secure=secure, httponly=True, samesite="Lax"
        )
    response.set_cookie(
        REFRESH,
        refresh,
        max_age=seconds,
        path=REFRESH_PATH,
        secure=secure,
        httponly=True,
        samesite="Strict",
    )
    token = csrf.token_for(session_id, pepper=pepper())
    response.set_cookie(csrf.COOKIE, token, max_age=seconds, secure=secure, samesite="Lax")


def clear_on(response: HttpResponseBase) -> None:
    """Makes the browser forget all three."""
    response.delete_cookie(SESSION, samesite="Lax")
    response.delete_cookie(REFRESH, path=REFRESH_PATH, samesite="Strict")
    response.delete_cookie(csrf.COOKIE, samesite="Lax")
