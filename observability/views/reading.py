"""D: Who may read what is kept of requests, and change what comes of it, by the permission that admin asks for."""

from typing import Final

from rest_framework.request import Request

from authproxy import problems
from authproxy.identity import Identity
from authproxy.refusing import Refused, forbidden
from authproxy.views.base import account_of, required_identity

SEE_REQUESTS: Final = "observability.view_keptrequest"


def staff_with(request: Request, *permissions: str) -> Identity:
    """Staff; an account of the gateway's own needs every one of the permissions."""
    identity = required_identity(request)
    if not identity.is_staff:
        raise Refused(problems.forbidden({"level": "admin"}))
    account = account_of(identity)
    for permission in permissions:
        if account is not None and not account.has_perm(permission):
            raise forbidden(f"This takes the permission {permission}.")
    return identity
