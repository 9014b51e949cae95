"""D: The answer to whoever signed in: a pair of tokens, which browsers get as cookies, too."""

from typing import Final

from rest_framework.response import Response

from authproxy import cookies
from authproxy.granting import Standing
from authproxy.issuing import Issued
from authproxy.models import Session

TAG: Final = "Sign-in"
"""Under which the documentation lists these endpoints."""


def pair_of(session: Session, found: Standing, issued: Issued, *, cookie_text: str | None) -> Response:
    """The pair; without `cookie_text` (which may be empty) no cookie is set."""
    user = found.as_json() | {"scopes": sorted(issued.scopes)}
    response = Response(
        {
            "access": issued.access,
            "refresh": issued.refresh,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "user": user,
        }
    )
    if cookie_text is not None:
        cookies.set_on(response, session_id=str(session.pk), cookie_text=cookie_text, refresh=issued.refresh)
    return response
