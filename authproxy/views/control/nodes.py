"""D: `/control/v1/nodes`: which worker runs which revision, and what keeps it from the newest."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.moments import rfc3339
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, word
from authproxy.views.control.calling import staff
from authproxy.views.control.parameters import lists, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import one_of, searched, sliced
from routing.admin.nodes import standing_of, with_newest
from routing.admin.nodestates import Standing
from routing.models import Node

SEE: Final = "routing.view_node"
CHANGE: Final = "routing.change_node"
_STATES: Final = tuple(each.value for each in Standing)


class NodeShape(Shape):
    """A worker that is `silent` for a minute is listed no more."""

    name = serializers.CharField(help_text="Host and process.")
    state = serializers.ChoiceField(_STATES)
    revision = serializers.IntegerField(allow_null=True, help_text="That it serves.")
    since = serializers.DateTimeField(allow_null=True, help_text="When it began to serve it.")
    role = serializers.CharField()
    pid = serializers.IntegerField()
    heartbeat = serializers.DateTimeField(help_text="When it last reported.")
    error = serializers.CharField(help_text="What keeps it from the newest revision.")


class NodesPage(Shape):
    nodes = NodeShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class NodesView(ControlEndpoint):
    """All workers that report to this database."""

    @lists(
        "List nodes",
        tag="Control",
        asks=[
            text("search", "Part of the name, or of the error."),
            text("role", "Of this role."),
            parameter("state", "", enum=_STATES),
        ],
        answers=NodesPage,
    )
    def get(self, request: Request) -> Response:
        """By name, a page at a time."""
        staff(request).require(SEE, CHANGE)
        rows = searched(with_newest(Node.objects.all()), request, "name", "error")
        if role := word(request, "role"):
            rows = rows.filter(role=role)
        told = [node_json(row) for row in rows]
        if state := one_of(request, "state", _STATES):
            told = [each for each in told if each["state"] == state]
        found = sliced(told, request, lambda each: (each["name"],))
        return Response(found.under("nodes", found.rows))


def node_json(row: Any) -> dict[str, Any]:
    """A worker from `with_newest`, as it stands now."""
    return {
        "name": row.name,
        "state": standing_of(row).value,
        "revision": row.revision,
        "since": rfc3339(row.since),
        "role": row.role,
        "pid": row.pid,
        "heartbeat": rfc3339(row.heartbeat),
        "error": row.error,
    }
