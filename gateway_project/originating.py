"""D: Where a change that Django answers comes from: which door, whose address, and who is signed in there."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from gateway_project.signin.guard import address_of
from routing.auditing import Origin, coming_from

DOORS: Final = (
    ("/admin", "admin"),
    ("/accounts/", "sign-in"),
    ("/control/", "api"),
    ("/discovery/", "discovery"),
)


class OriginMiddleware:
    """Says for the time of a request where it comes from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with coming_from(lambda: origin_of(request)):
            return self._get_response(request)


def door_of(path: str) -> str:
    """Which of the gateway's own doors a path is."""
    return next((door for start, door in DOORS if path.startswith(start)), "account")


def origin_of(request: HttpRequest) -> Origin:
    """Who is signed in to admin, if anybody is; a control API's caller is named by the view."""
    door, user = door_of(request.path_info), getattr(request, "user", None)
    is_known = door in ("admin", "sign-in") and user is not None and user.is_authenticated
    name, key = (str(user.get_username()), user.pk) if is_known else ("", None)  # type: ignore[union-attr]
    return Origin(door, address_of(request), name, key)
