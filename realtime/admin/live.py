"""D: The live page: what the gateway says of itself as it happens, over the endpoint that everybody uses.

The page signs in to `{API_PREFIX}/ws` by a token that this module makes for its staff member: short-lived, without
scopes, renewed while the page is open.
"""

from typing import Any, Final, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from authproxy import issuing
from authproxy.granting import standing
from realtime import ownevents

TEMPLATE: Final = "realtime/admin/live.html"
PERMISSIONS: Final = ("routing.view_service", "routing.operate")
TOPICS: Final = {
    ownevents.BREAKERS: "Breakers",
    ownevents.TARGETS: "Targets",
    ownevents.REVISIONS: "Revisions",
    ownevents.SECURITY: "Access",
}


def urls() -> list[URLPattern]:
    """Where the page stands, and what it asks."""
    return [
        path("realtime/live/", admin.site.admin_view(live_view), name="realtime_live"),
        path("realtime/live/token/", admin.site.admin_view(token_view), name="realtime_live_token"),
    ]


def may_see(request: HttpRequest) -> bool:
    """Whoever may see services or operate them."""
    return any(request.user.has_perm(each) for each in PERMISSIONS)


def live_view(request: HttpRequest) -> HttpResponse:
    """The page; all of it happens in the browser."""
    if not may_see(request):
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Live",
        "topics": TOPICS,
        "traffic": ownevents.TRAFFIC,
        "endpoint": f"{settings.CONFIG.api_prefix}/ws",
    }
    return TemplateResponse(request, TEMPLATE, context)


@require_POST
def token_view(request: HttpRequest) -> HttpResponse:
    """A token for the page, good for issuing.PAGE_S seconds."""
    if not may_see(request):
        raise PermissionDenied
    found = standing(cast("User", request.user))
    if found is None:
        raise PermissionDenied
    return JsonResponse({"token": issuing.for_page(found), "expires_in": issuing.PAGE_S})
