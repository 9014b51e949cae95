"""D: Dashboards of admin: traffic of everything, of a service or of a route, and what holds it back right now.

The page carries its first figures as JSON in a script tag, asks for newer ones here, and hears of each second over the
gateway's own WebSocket endpoint.
"""

import time
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from authproxy.limited import caller_text
from authproxy.models import LimitedCaller
from authproxy.rows.limited import SEES_CALLERS
from observability.rollups.boards import TOP, board
from observability.rollups.minutes import NAME_LENGTH, ROUTE, SERVICE, Subject
from observability.rollups.reading import EVERYTHING
from observability.rollups.tiers import RANGES
from realtime.ownevents import TRAFFIC
from resilience.models import BreakerState, TargetEjection, TargetHealth
from routing.models import Route, Service
from routing.problems import quote

TEMPLATE: Final = "observability/admin/traffic.html"
PERMISSIONS: Final = ("routing.view_service", "routing.operate")
FIRST_RANGE: Final = "1h"


def urls() -> list[URLPattern]:
    """Where the page stands, and what it asks."""
    return [
        path("traffic/", admin.site.admin_view(traffic_view), name="traffic"),
        path("traffic/data/", admin.site.admin_view(data_view), name="traffic_data"),
    ]


def may_see(request: HttpRequest) -> bool:
    """Whoever may see services or operate them."""
    return any(request.user.has_perm(each) for each in PERMISSIONS)


def traffic_view(request: HttpRequest) -> HttpResponse:
    """The page of everything; with `?service=` or `?route=`, of one."""
    if not may_see(request):
        raise PermissionDenied
    subject = _subject(request)
    title = "Traffic" if subject == EVERYTHING else f"Traffic of {subject.scope} {subject.name}"
    context = {**admin.site.each_context(request), "title": title, "traffic": for_page(request)}
    return TemplateResponse(request, TEMPLATE, context)


def data_view(request: HttpRequest) -> HttpResponse:
    """The figures of the page; a range that there is not is refused."""
    if not may_see(request):
        raise PermissionDenied
    if fault := _range_fault(request):
        return JsonResponse({"range": fault}, status=400)
    return JsonResponse(_figures(request))


def for_page(request: HttpRequest, *, with_figures: bool = True) -> dict[str, Any]:
    """What the template and its script need; without figures, the script asks for them at once.

    A link with a range that there is not still shows the page, which says what it shows instead.
    """
    if fault := _range_fault(request):
        messages.warning(request, f"{fault} This is the range {FIRST_RANGE}.")
    subject = _subject(request)
    query = {} if subject == EVERYTHING else {subject.scope: subject.name}
    return {
        "figures": _figures(request) if with_figures else None,
        "data_url": f"{reverse('admin:traffic_data')}?{urlencode(query)}",
        "ranges": [(each.name, each.title) for each in RANGES.values()],
        "range": _range(request),
        "subject": subject,
        "row_url": _row_url(subject),
        "topic": TRAFFIC,
        "endpoint": f"{settings.CONFIG.api_prefix}/ws",
    }


def _subject(request: HttpRequest) -> Subject:
    for scope in (ROUTE, SERVICE):
        name = request.GET.get(scope, "")
        if "\0" in name or len(name) > NAME_LENGTH:
            raise Http404
        if name:
            return Subject(scope, name)
    return EVERYTHING


def _range(request: HttpRequest) -> str:
    asked = request.GET.get("range", FIRST_RANGE)
    return asked if asked in RANGES else FIRST_RANGE


def _range_fault(request: HttpRequest) -> str:
    """What is wrong with the range that is asked for; empty if nothing is."""
    asked = request.GET.get("range", FIRST_RANGE)
    return "" if asked in RANGES else f"There is no range {quote(asked)}: want one of {', '.join(RANGES)}."


def _figures(request: HttpRequest) -> dict[str, Any]:
    subject = _subject(request)
    found = board(subject, RANGES[_range(request)], time.time())
    base = reverse("admin:traffic")
    if subject == EVERYTHING:
        found |= {"breakers": _breakers(), "targets": _targets()}
        if request.user.has_perm(SEES_CALLERS):
            found["limited"] = _limited()
    return found | {"page": base}


def _row_url(subject: Subject) -> str:
    """The page where it is changed."""
    if subject == EVERYTHING:
        return ""
    rows: Any = Route.objects if subject.scope == ROUTE else Service.objects
    key = rows.filter(name=subject.name).values_list("pk", flat=True).first()
    return reverse(f"admin:routing_{subject.scope}_change", args=[key]) if key is not None else ""


def _breakers() -> dict[str, Any]:
    """Those that are not closed, or forced, and how many there are."""
    rows = BreakerState.objects.order_by("service")
    unusual = rows.exclude(state="closed", forced="")
    return {
        "number": rows.count(),
        "url": reverse("admin:resilience_breakerstate_changelist"),
        "rows": [{"name": row.service, "state": _breaker_text(row)} for row in unusual[:TOP]],
    }


def _breaker_text(row: BreakerState) -> str:
    return f"forced {row.forced}" if row.forced else row.state.replace("_", " ")


def _targets() -> dict[str, Any]:
    """Those that fail their checks, or were ejected."""
    failing = TargetHealth.objects.filter(ok=False).order_by("service", "target")
    ejected = TargetEjection.objects.filter(until__gt=timezone.now()).order_by("service", "target")
    rows = [{"name": row.service, "target": row.target, "state": "unhealthy"} for row in failing[:TOP]]
    pairs = ejected.values_list("service", "target").distinct()
    rows += [{"name": service, "target": target, "state": "ejected"} for service, target in pairs[:TOP]]
    return {
        "number": TargetHealth.objects.filter(checked_at__isnull=False).count(),
        "url": reverse("admin:resilience_targethealth_changelist"),
        "rows": rows[:TOP],
    }


def _limited() -> dict[str, Any]:
    """Whom quotas refused most, in the last hour."""
    rows = LimitedCaller.objects.filter(refused__gt=0).order_by("-refused")
    return {
        "url": reverse("admin:authproxy_limitedcaller_changelist"),
        "rows": [
            {"name": caller_text(row.caller), "quota": row.quota, "route": row.route, "refused": row.refused}
            for row in rows[:TOP]
        ],
    }
