"""D: The Content-Security-Policy of what Django answers: strict, and looser only where admin needs it."""

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

STRICT: dict[str, list[str]] = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
# Admin's pages run Alpine, which evaluates expressions from attributes and sets style attributes.
ADMIN: dict[str, list[str]] = STRICT | {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
}
ADMIN_PREFIX = "/admin/"


class PolicyMiddleware(CSPMiddleware):
    """Gives admin's pages their own policy; a view that sets one keeps it."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only and request.path_info.startswith(ADMIN_PREFIX):
            parts.config = dict(ADMIN)
        return parts
