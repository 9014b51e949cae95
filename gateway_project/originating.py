"""D: Where a change that Django answers comes from: which door, whose address, and who is signed in there."""

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from gateway_project.signin.guard import address_of
from routing.auditing import Origin, coming_from

DOORS: Final = (
    ("/admin", "admin"),
    ("/accounts/", "sign-in"),
    ("/control/", "api"),
    ("/discovery/", "discovery"),
)
OWN_ACCOUNT: Final = frozenset(
    {
        "account_change_password",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_generate_recovery_codes",
        "mfa_add_webauthn",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
    }
)
"""Pages on which people change their own account; each is one transaction, with its event."""


class OriginMiddleware:
    """Says for the time of a request where it comes from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with coming_from(lambda: origin_of(request)):
            return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Makes one transaction of pages where people change their own account."""
        match = request.resolver_match
        if request.method != "POST" or match is None or match.url_name not in OWN_ACCOUNT:
            return None
        with transaction.atomic():
            return view(request, *args, **kwargs)


def door_of(path: str) -> str:
    """Which of the gateway's own doors a path is."""
    return next((door for start, door in DOORS if path.startswith(start)), "account")


def origin_of(request: HttpRequest) -> Origin:
    """Who is signed in to admin, if anybody is; a control API's caller is named by the view."""
    door, user = door_of(request.path_info), getattr(request, "user", None)
    is_known = door in ("admin", "sign-in") and user is not None and user.is_authenticated
    name, key = (str(user.get_username()), user.pk) if is_known else ("", None)  # type: ignore[union-attr]
    return Origin(door, address_of(request), name, key)
