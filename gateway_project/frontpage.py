"""D: The first page of admin: what is live, and the traffic of the last hour."""

from typing import Any

from django.http import HttpRequest

from observability.admin import traffic
from routing.admin import dashboard


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what the viewer may see to the context of the first page."""
    context = dashboard.fill(request, context)
    if traffic.may_see(request):
        context["traffic"] = traffic.for_page(request, with_figures=False)
    return context
