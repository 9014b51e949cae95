"""D: `/api/auth/login`."""

from typing import Final

from django.conf import settings
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import issuing, sessions
from authproxy.refusing import Refused, locked, not_signed_in
from authproxy.serializers import Login, Pair
from authproxy.signin import SignInRefused, sign_in, still_holds
from authproxy.views.base import Endpoint, address_of, user_agent_of
from authproxy.views.documented import documented
from authproxy.views.pair import TAG, pair_of

_MESSAGES: Final = {
    "invalid": "The name or the password is wrong.",
    "second_factor_required": "This account also wants a code: send it as `otp`.",
}


class LoginView(Endpoint):
    """POST signs in with a password."""

    @documented(
        "Sign in",
        tag=TAG,
        takes=Login,
        answers={200: Pair},
        errors=(400, 401, 413, 415, 429),
        is_public=True,
    )
    def post(self, request: Request) -> Response:
        """200 with a pair of tokens, which is also set as cookies."""
        given = Login(data=request.data)
        given.is_valid(raise_exception=True)
        found = sign_in(**given.validated_data, address=address_of(request))
        if isinstance(found, SignInRefused):
            raise _refusal(found)
        assert found.user is not None
        with transaction.atomic():
            if not still_holds(found):
                raise _refusal(SignInRefused("invalid"))
            opened = sessions.open(found.user, address=address_of(request), user_agent=user_agent_of(request))
            issued = issuing.for_session(opened.session, found)
        return pair_of(opened.session, found, issued, cookie_text=opened.cookie_text)


def _refusal(refused: SignInRefused) -> Refused:
    if refused.reason == "locked":
        return locked(refused.wait_s)
    message = _MESSAGES[refused.reason]
    return not_signed_in(refused.reason, message, realm=settings.CONFIG.service_name)
