"""D: `/api/auth/logout`."""

from uuid import UUID

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import cookies, issuing, revocation, sessions
from authproxy.identity import Identity
from authproxy.models import Session
from authproxy.security import SecurityEvent, emit
from authproxy.serializers import Refreshing
from authproxy.views.base import Endpoint, address_of, identity_of, is_meant, refuse_unauthenticated
from authproxy.views.documented import documented
from authproxy.views.pair import TAG


class LogoutView(Endpoint):
    """POST ends the session of the access token, of the refresh token, and of the cookie."""

    @documented("Sign out", tag=TAG, takes=Refreshing, answers={204: None}, errors=(400, 401, 403, 413, 415))
    def post(self, request: Request) -> Response:
        """204, and the cookies are cleared; 401 where nothing was brought that could be ended."""
        given = Refreshing(data=request.data)
        given.is_valid(raise_exception=True)
        identity = identity_of(request)
        token = given.validated_data.get("refresh", "")
        if not token and cookies.REFRESH in request.COOKIES and is_meant(request):
            token = request.COOKIES[cookies.REFRESH]
        jti = issuing.read_refresh(token) if token else None
        session = sessions.find_refresh(jti) if jti is not None else None
        if identity is None and session is None:
            refuse_unauthenticated(request)
        _end(identity, session, address_of(request))
        response = Response(status=204)
        cookies.clear_on(response)
        return response


def _end(identity: Identity | None, session: Session | None, address: str) -> None:
    """Every session that was brought; an access token that belongs to none is revoked by its `sid` alone."""
    name = identity.name if identity is not None else session.user.username if session is not None else ""
    named = _uuid(identity.session) if identity is not None else None
    with transaction.atomic():
        revocation.hold_order()
        if session is not None:
            sessions.end(session, reason="signed out", by=name)
        if named is not None and (session is None or named != session.pk):
            row = Session.objects.filter(pk=named).first()
            if row is not None:
                sessions.end(row, reason="signed out", by=name)
            else:
                revocation.record(revocation.session(named), reason="signed out")
    emit(SecurityEvent("logout", name, name, address))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
