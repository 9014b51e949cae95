"""D: The way from a route's or a service's page to its dashboard."""

from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

PERMISSIONS: Final = ("routing.view_service", "routing.operate")


class TrafficLink:
    """For admin classes of rows whose name is what traffic is counted by."""

    def has_traffic_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Whoever may see dashboards."""
        return any(request.user.has_perm(each) for each in PERMISSIONS)

    @action(description="Traffic", icon="query_stats", permissions=["traffic"], url_path="traffic")
    def traffic(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leads there."""
        admin: Any = self
        row = admin.get_object(request, object_id)
        there = reverse("admin:traffic")
        if row is None:
            return HttpResponseRedirect(there)
        return HttpResponseRedirect(f"{there}?{urlencode({row._meta.model_name: row.name})}")
