"""D: Which worker runs which revision, and what keeps it from the newest."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from routing.admin.nodestates import Standing, standing
from routing.admin.revisions import ReadOnlyAdmin
from routing.models import Node, Revision

COLOURS = {
    Standing.CURRENT: "success",
    Standing.BEHIND: "warning",
    Standing.SILENT: "warning",
    Standing.FAILING: "danger",
}


def with_newest(nodes: QuerySet[Node]) -> QuerySet[Node]:
    """Each worker beside the number of the live revision."""
    return nodes.annotate(newest=Subquery(Revision.objects.order_by("-number").values("number")[:1]))


def standing_of(node: Any) -> Standing:
    """How a worker from `with_newest` stands now."""
    silence_s = (timezone.now() - node.heartbeat).total_seconds()
    return standing(revision=node.revision, newest=node.newest, error=node.error, silence_s=silence_s)


@admin.register(Node)
class NodeAdmin(ReadOnlyAdmin):
    """Workers that report to this database."""

    list_display = ("name", "shown_standing", "revision", "since", "role", "pid", "heartbeat", "error")
    list_filter = ("role",)
    search_fields = ("name", "error")
    fields = ("name", "shown_standing", "revision", "since", "role", "pid", "heartbeat", "error")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        return with_newest(super().get_queryset(request))

    @display(description="state", label=COLOURS)
    def shown_standing(self, node: Any) -> str:
        return standing_of(node).value
