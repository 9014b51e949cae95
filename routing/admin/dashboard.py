"""D: The first page: what is live and where, how much there is, what is pending, what happened lately."""

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from routing.admin.nodes import standing_of, with_newest
from routing.admin.rendering import summary, with_summary
from routing.models import Node, PendingChange, Revision, Route, Service
from routing.publishing import under_review

TEMPLATE: Final = "routing/admin/dashboard.html"
LATEST: Final = 6
SHOWN_NODES: Final = 12


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what the viewer may see to the context of the first page."""
    user = request.user
    context["title"] = "Overview"
    if user.has_perm("routing.view_revision"):
        context["latest"] = _latest()
        context["pending"] = PendingChange.objects.count()
        context["under_review"] = under_review()
    if user.has_perm("routing.view_node"):
        nodes = list(with_newest(Node.objects.all())[: SHOWN_NODES + 1])
        context["nodes"] = [(node, standing_of(node)) for node in nodes[:SHOWN_NODES]]
        context["more_nodes"] = len(nodes) > SHOWN_NODES
    context["counted"] = _counted(user)
    context["links"] = _links(user)
    return context


def _latest() -> list[dict[str, Any]]:
    return [{"row": row, "summary": summary(row)} for row in with_summary(Revision.objects.all())[:LATEST]]


def _counted(user: Any) -> list[dict[str, Any]]:
    found = []
    if user.has_perm("routing.view_service"):
        found.append({"title": "Services", "number": Service.objects.count(), "kind": "service"})
    if user.has_perm("routing.view_route"):
        off = Route.objects.filter(enabled=False).count()
        note = f"{off} disabled" if off else ""
        found.append({"title": "Routes", "number": Route.objects.count(), "kind": "route", "note": note})
    return [each | {"link": reverse(f"admin:routing_{each['kind']}_changelist")} for each in found]


def _links(user: Any) -> list[dict[str, str]]:
    choices = (
        ("routing.add_route", "Add a route", "admin:routing_route_add", "alt_route"),
        ("routing.add_service", "Add a service", "admin:routing_service_add", "dns"),
        ("routing.view_route", "Explain a request", "admin:routing_explain", "travel_explore"),
    )
    return [
        {"title": title, "link": reverse(name), "icon": icon}
        for permission, title, name, icon in choices
        if user.has_perm(permission)
    ]
