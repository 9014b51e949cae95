"""D: `/api/auth/refresh`."""

from django.conf import settings
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import cookies, issuing, problems, sessions
from authproxy.granting import standing
from authproxy.models import Session
from authproxy.refusing import Refused, not_signed_in
from authproxy.serializers import Pair, Refreshing
from authproxy.views.base import Endpoint, is_meant
from authproxy.views.documented import documented
from authproxy.views.pair import TAG, pair_of


class RefreshView(Endpoint):
    """POST changes a refresh token for the next pair."""

    @documented(
        "Refresh",
        tag=TAG,
        takes=Refreshing,
        answers={200: Pair},
        errors=(400, 401, 403, 413, 415),
        is_public=True,
    )
    def post(self, request: Request) -> Response:
        """200 with the next pair; cookies are set where the token came in one."""
        token, is_cookie = _refresh_token(request)
        jti = issuing.read_refresh(token)
        with transaction.atomic():
            session = sessions.use_refresh(jti) if jti is not None else None
            found = standing(session.user) if isinstance(session, Session) else None
            if isinstance(session, Session) and found is not None and found.is_enabled:
                issued = issuing.for_session(session, found)
                return pair_of(session, found, issued, cookie_text=_kept(request) if is_cookie else None)
        raise not_signed_in(
            "invalid", "The refresh token does not count.", realm=settings.CONFIG.service_name
        )


def _refresh_token(request: Request) -> tuple[str, bool]:
    """The refresh token, and whether it came in the cookie."""
    given = Refreshing(data=request.data)
    given.is_valid(raise_exception=True)
    if token := given.validated_data.get("refresh"):
        return token, False
    token = request.COOKIES.get(cookies.REFRESH, "")
    if token and not is_meant(request):
        raise Refused(problems.cross_site())
    return token, True


def _kept(request: Request) -> str:
    """The session's cookie as the browser has it, to be kept for longer."""
    return request.COOKIES.get(cookies.SESSION, "")
