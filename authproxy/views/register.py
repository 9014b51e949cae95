"""D: `/api/auth/register`."""

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.refusing import forbidden
from authproxy.registering import register
from authproxy.serializers import Registered, Registration
from authproxy.views.base import Endpoint, address_of
from authproxy.views.documented import documented
from authproxy.views.pair import TAG


class RegisterView(Endpoint):
    """POST makes an account."""

    @documented(
        "Register",
        tag=TAG,
        takes=Registration,
        answers={201: Registered},
        errors=(400, 403, 413, 415, 429),
        is_public=True,
    )
    def post(self, request: Request) -> Response:
        """201 with the account; 403 where REGISTRATION is closed; 429 where the address has asked for many."""
        if settings.CONFIG.registration == "closed":
            raise forbidden("Registration is closed: administrators make the accounts.")
        wanted = Registration(data=request.data)
        wanted.is_valid(raise_exception=True)
        made = register(**wanted.validated_data, address=address_of(request))
        return Response({"user": made.as_json()}, status=201)
