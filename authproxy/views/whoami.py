"""D: `/api/auth/validate` and `profile`, and `users/me`: who the gateway takes the caller for."""

import math
from datetime import UTC, datetime
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.moments import rfc3339
from authproxy.serializers import UserShape, Validity, WhoShape
from authproxy.views.base import Endpoint, required_identity, shown
from authproxy.views.documented import documented

_TAG: Final = "Account"


class ValidateView(Endpoint):
    """GET says whether the credential holds."""

    @documented("Validate a credential", tag="Sign-in", answers={200: Validity}, errors=(401,))
    def get(self, request: Request) -> Response:
        """200, or 401."""
        identity = required_identity(request)
        return Response({"valid": True, "user": shown(identity), "expires_at": _moment(identity.expires_at)})


class ProfileView(Endpoint):
    """GET shows the account."""

    @documented("Own account", tag="Sign-in", answers={200: UserShape}, errors=(401,))
    def get(self, request: Request) -> Response:
        """200, or 401."""
        return Response(shown(required_identity(request)))


class MeView(Endpoint):
    """GET shows the account, and how it calls."""

    @documented("Who the caller is", tag=_TAG, answers={200: WhoShape}, errors=(401,))
    def get(self, request: Request) -> Response:
        """200, or 401."""
        identity = required_identity(request)
        more: dict[str, Any] = {
            "consumer": identity.consumer,
            "kind": identity.kind,
            "plan": identity.plan or None,
            "staff": identity.is_staff,
            "method": identity.method,
            "provider": identity.provider or None,
        }
        return Response(shown(identity) | more)


def _moment(at: float) -> str | None:
    """None for what does not end."""
    return rfc3339(datetime.fromtimestamp(at, UTC)) if math.isfinite(at) else None
