"""D: What the gateway's own endpoints share: who calls, from where, and whether a cookie's request was meant.

The pipeline has verified the caller's credential and left the identity in the ASGI scope. No view verifies one itself.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authproxy import cookies, csrf, problems
from authproxy.apikeys import pepper
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.liveroles import live_roles
from authproxy.opsaccess import is_open
from authproxy.refusing import Refused, conflicting, forbidden, invalid, not_found
from routing.ordering import OrderConflict, OrderRefused

METHODS: Final = ("jwt", "api_key", "session")
OPERATE: Final = "routing.operate"
VIEW: Final = "routing.view_service"


class OneFormat(BaseContentNegotiation):
    """The first parser that fits, and JSON whatever the client accepts: an answer it reads is better than a 406."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or ""


class Endpoint(APIView):
    """One path. Its answers are for nobody's cache."""

    content_negotiation_class = OneFormat

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The methods, in Allow."""
        return Response(status=204)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.setdefault("Cache-Control", "no-store")
        return final


def scope_of(request: Request) -> dict[str, Any]:
    """The ASGI scope, with what the pipeline left in it."""
    scope: dict[str, Any] = getattr(request._request, "scope", {})
    return scope


def address_of(request: Request) -> str:
    """The client's address, behind trusted proxies."""
    return str(scope_of(request).get(SCOPE_CLIENT) or request.META.get("REMOTE_ADDR", ""))


def is_open_to(request: Request) -> bool:
    """Whether OPS_ACCESS lets this request read what operators read, whoever calls."""
    scope = scope_of(request)
    peer = scope.get("client")
    return is_open(
        settings.CONFIG.ops_access,
        client=address_of(request),
        peer=peer[0] if peer else "",
        headers=scope.get("headers", ()),
    )


def user_agent_of(request: Request) -> str:
    return str(request.headers.get("User-Agent", ""))


def identity_of(request: Request) -> Identity | None:
    """Who calls, by whichever credential; None for nobody. A cookie speaks only for requests that were meant."""
    found: Identity | None = scope_of(request).get(SCOPE_IDENTITY)
    if found is not None and found.method == "session" and not is_meant(request, found.session):
        raise Refused(problems.cross_site())
    return found


def required_identity(request: Request) -> Identity:
    """Who calls; refused, and told how to authenticate, if that is nobody."""
    found = identity_of(request)
    if found is None:
        refuse_unauthenticated(request)
    return found


def refuse_unauthenticated(request: Request) -> NoReturn:
    """401, or 503 where credentials cannot be checked now, or 403 where a cookie came from another site."""
    reason: problems.Reason = scope_of(request).get(SCOPE_AUTH_FAILURE) or "missing"
    if reason == "missing" and cookies.SESSION in request.COOKIES and not is_meant(request):
        raise Refused(problems.cross_site())
    raise Refused(problems.unauthenticated(reason, methods=METHODS, realm=settings.CONFIG.service_name))


def account_of(identity: Identity) -> User | None:
    """The account that calls; None for a service, for somebody of an identity provider's, and for one that is gone.

    Whoever shares JWT_SECRET may number accounts of its own: only credentials that the gateway gave out name its own.
    """
    is_ours = bool(identity.session or identity.key_id) and not identity.provider
    if not is_ours or identity.kind != "user" or not identity.user_id.isdecimal():
        return None
    pk = int(identity.user_id)
    return User.objects.filter(pk=pk, is_active=True).first() if pk < 2**63 else None


def required_account(request: Request, *, by_key: bool) -> tuple[Identity, User]:
    """Who calls, where only an account makes sense; `by_key` False: an API key will not do."""
    identity = required_identity(request)
    user = account_of(identity)
    if user is None:
        raise forbidden("Only an account of this gateway can do this.")
    if identity.method == "api_key" and not by_key:
        raise forbidden("An API key cannot do this: sign in.")
    return identity, user


def operator(request: Request) -> Identity:
    """Staff who may give orders: an account of the gateway's own needs the permission that it would need in admin."""
    return _staff(request, (OPERATE,))


def viewer(request: Request, *also: str) -> Identity:
    """Staff who may look: by the permission that admin asks for. `also` are permissions that are as good here."""
    return _staff(request, (VIEW, OPERATE, *also))


def _staff(request: Request, permissions: tuple[str, ...]) -> Identity:
    identity = required_identity(request)
    if not identity.is_staff:
        raise Refused(problems.forbidden({"level": "admin"}))
    account = account_of(identity)
    if account is not None and not any(account.has_perm(each) for each in permissions):
        raise forbidden(f"This takes the permission {permissions[0]}.")
    return identity


@contextmanager
def obeying() -> Iterator[None]:
    """Around an operator's order: what is refused, as an answer."""
    try:
        yield
    except OrderConflict as refusal:
        raise conflicting(f"{refusal}.") from refusal
    except OrderRefused as refusal:
        if refusal.field == "service":
            raise not_found(str(refusal)) from refusal
        raise invalid({refusal.field: str(refusal)}) from refusal


def is_meant(request: Request, session: str = "") -> bool:
    """Whether a cookie may speak for this request; see `authproxy.csrf`."""
    return csrf.is_meant(
        request.method or "",
        scope_of(request).get("headers", ()),
        scheme=request._request.scheme or "http",
        host=request._request.get_host().encode("latin-1", "replace"),
        session=session,
        pepper=pepper(),
    )


def shown(identity: Identity) -> dict[str, Any]:
    """The `user` of answers: the account as it is now, with the rights that this credential has now."""
    user = account_of(identity)
    return {
        "id": user.pk if user is not None else identity.user_id or None,
        "username": user.username if user is not None else identity.name,
        "email": user.email if user is not None else "",
        "roles": sorted(identity.roles),
        "scopes": sorted(identity.scopes(live_roles().scopes)),
    }
