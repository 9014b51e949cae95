"""D: `auth/token`: tokens for programs, in OAuth 2.0's own words (RFC 6749)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import clients, issuing, oauth, sessions
from authproxy.granting import standing
from authproxy.issuing import Issued
from authproxy.models import Session
from authproxy.oauth import Client, OAuthRefused
from authproxy.parsing import FormParser, JsonParser
from authproxy.refusing import Refused
from authproxy.security import SecurityEvent, emit
from authproxy.serializers import OAuthError, TokenAnswer, TokenRequest
from authproxy.signin import SignInRefused, sign_in, still_holds
from authproxy.views.base import Endpoint, address_of, user_agent_of
from authproxy.views.documented import UNAVAILABLE, operation_id

_LONGEST_NAME: Final = 254
_LONGEST_VALUE: Final = 16_384
Form = Mapping[str, Any]


class TokenView(Endpoint):
    """POST grants tokens."""

    parser_classes = (FormParser, JsonParser)

    @extend_schema(
        operation_id=operation_id("Get tokens"),
        summary="Get tokens",
        tags=["Sign-in"],
        auth=[],
        request={
            "application/x-www-form-urlencoded": TokenRequest,
            "application/json": TokenRequest,
        },
        responses={
            200: TokenAnswer,
            400: OpenApiResponse(
                OAuthError,
                description="`invalid_request`, `invalid_grant`, `invalid_scope`, `unsupported_grant_type`",
            ),
            401: OpenApiResponse(OAuthError, description="`invalid_client`"),
            429: OpenApiResponse(
                OAuthError, description="`slow_down`: too many failures; see `Retry-After`."
            ),
            503: UNAVAILABLE,
        },
    )
    def post(self, request: Request) -> Response:
        """200 with tokens, or an error as RFC 6749 section 5.2 has it."""
        try:
            form = _form(request)
            grant = _GRANTS.get(_text(form, "grant_type"))
            if grant is None:
                raise OAuthRefused("unsupported_grant_type", "This grant is not known here.")
            issued = grant(form, request)
        except OAuthRefused as refused:
            return _refusal(refused)
        answer = {
            "access_token": issued.access,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh,
            "scope": " ".join(sorted(issued.scopes)),
        }
        if not issued.refresh:
            del answer["refresh_token"]
        return Response(answer, headers={"Pragma": "no-cache"})


def by_password(form: Form, request: Request) -> Issued:
    """Section 4.3. The scopes asked for are the ceiling of the whole session."""
    found = sign_in(
        username=_text(form, "username", _LONGEST_NAME),
        password=_text(form, "password", 1024),
        otp=_text(form, "otp", 32, default=""),
        address=address_of(request),
    )
    if isinstance(found, SignInRefused):
        raise _not_signed_in(found)
    wanted = _scope(form)
    scopes = oauth.narrowed(wanted, found.scopes)
    assert found.user is not None
    with transaction.atomic():
        if not still_holds(found):
            raise _not_signed_in(SignInRefused("invalid"))
        opened = sessions.open(
            found.user,
            address=address_of(request),
            user_agent=user_agent_of(request),
            scopes=None if wanted is None else scopes,
        )
        return issuing.for_session(opened.session, found)


def by_refresh_token(form: Form, request: Request) -> Issued:
    """Section 6. A scope that is asked for narrows this access token; a wrong one leaves the refresh token unused."""
    jti = issuing.read_refresh(_text(form, "refresh_token"))
    wanted = _scope(form)
    issued: Issued | None = None
    with transaction.atomic():
        session = sessions.use_refresh(jti) if jti is not None else None
        found = standing(session.user) if isinstance(session, Session) else None
        if isinstance(session, Session) and found is not None and found.is_enabled:
            issued = issuing.for_session(session, found, wanted=wanted)
    if issued is None:
        raise OAuthRefused("invalid_grant", "The refresh token does not count.")
    return issued


def by_client(form: Form, request: Request) -> Issued:
    """Section 4.4."""
    client = _client(form, request)
    found = clients.service_of(client)
    if found is None:
        emit(
            SecurityEvent(
                "login_failed", address=address_of(request), details={"grant": "client_credentials"}
            )
        )
        raise OAuthRefused("invalid_client", "The client is unknown, or its secret is wrong.")
    key, whose = found
    return issuing.for_key(key, whose, oauth.narrowed(_scope(form), clients.granted(key, whose)))


_GRANTS: Final[Mapping[str, Callable[[Form, Request], Issued]]] = {
    "password": by_password,
    "refresh_token": by_refresh_token,
    "client_credentials": by_client,
}


def _form(request: Request) -> Form:
    """The body, whose every fault is an `invalid_request`."""
    try:
        return request.data
    except (APIException, Refused) as error:
        what = "The body must be a form or JSON." if isinstance(error, UnsupportedMediaType) else str(error)
        raise OAuthRefused("invalid_request", what) from error


def _text(form: Form, name: str, longest: int = _LONGEST_VALUE, *, default: str | None = None) -> str:
    value = form.get(name, default)
    if value is None or (not value and default is None):
        raise OAuthRefused("invalid_request", f"{name} is missing.")
    if not isinstance(value, str) or len(value) > longest or not _is_clean(value):
        raise OAuthRefused("invalid_request", f"{name} is malformed.")
    return value


def _is_clean(text: str) -> bool:
    """What every database takes: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _scope(form: Form) -> frozenset[str] | None:
    return oauth.scopes_of(_text(form, "scope", default=""))


def _client(form: Form, request: Request) -> Client:
    """One way to authenticate, not two (section 2.3)."""
    in_header = oauth.client_of(request.headers.get("Authorization", ""))
    in_body = "client_secret" in form
    if in_header is not None and in_body:
        raise OAuthRefused("invalid_request", "The client authenticates in two ways.")
    if in_header is not None:
        return in_header
    if not in_body:
        raise OAuthRefused("invalid_client", "The client does not authenticate.")
    return Client(_text(form, "client_id", _LONGEST_NAME), _text(form, "client_secret", 1024))


def _not_signed_in(refused: SignInRefused) -> OAuthRefused:
    if refused.reason == "locked":
        return OAuthRefused("slow_down", "There were too many failures.", retry_after_s=refused.wait_s)
    if refused.reason == "second_factor_required":
        return OAuthRefused("invalid_grant", "second_factor_required")
    return OAuthRefused("invalid_grant", "The name or the password is wrong.")


def _refusal(refused: OAuthRefused) -> Response:
    headers = {"Pragma": "no-cache"}
    if refused.status == 401:
        headers["WWW-Authenticate"] = f'Basic realm="{settings.CONFIG.service_name}"'
    if refused.retry_after_s:
        headers["Retry-After"] = str(refused.retry_after_s)
    body = {"error": refused.code, "error_description": refused.description}
    return Response(body, status=refused.status, headers=headers)
