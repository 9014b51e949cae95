"""D: The Content-Security-Policy of what Django answers: strict, and looser only where admin needs it."""

from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
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
# A form of the sign-in page leads to an identity provider, and through it to others: browsers hold each redirect
# against the policy of the form's page.
PROVIDER_SCHEMES = ["https:"]
ADMIN_PREFIX = "/admin/"
SIGN_IN_PREFIX = "/accounts/"


def policy_for(path: str) -> dict[str, list[str]] | None:
    """The policy of the pages below a path; None for the strict one."""
    if path.startswith(ADMIN_PREFIX):
        return dict(ADMIN)
    if path.startswith(SIGN_IN_PREFIX):
        return ADMIN | {"form-action": [SELF, *_provider_sources()]}
    return None


def _provider_sources() -> list[str]:
    issuer = settings.CONFIG.staff_oidc_issuer
    if issuer is None:
        return []
    parts = urlsplit(issuer)
    return PROVIDER_SCHEMES if parts.scheme == "https" else [f"{parts.scheme}://{parts.netloc}"]


class PolicyMiddleware(CSPMiddleware):
    """Gives pages of admin and of sign-in their own policy; a view that sets one keeps it."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            parts.config = policy_for(request.path_info)
        return parts
