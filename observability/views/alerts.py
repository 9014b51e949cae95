"""D: `/control/v1/alerts/incidents` and `…/deliveries`: what was wrong, and how the telling went."""

from typing import Any, Final

from django.db.models import Q
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.moments import rfc3339
from authproxy.serializers import Shape
from authproxy.views.base import viewer
from authproxy.views.control.asking import ControlEndpoint, word
from authproxy.views.control.parameters import lists, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import NEWEST_FIRST, flagged, one_of, page, searched
from observability.alerts.conditions import CRITICAL, KINDS, WARNING
from observability.alerts.messages import FIRING, RESOLVED, TEST
from observability.models import AlertDelivery, Incident
from observability.rows.alerts import FAILED, SENT, WAITING
from observability.views.receivers import TAG

_STATES: Final = (WAITING, SENT, FAILED)
_KINDS: Final = tuple(KINDS)


class IncidentShape(Shape):
    """`resolved_at` is null while it goes on."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(_KINDS)
    severity = serializers.ChoiceField([WARNING, CRITICAL])
    subject = serializers.CharField()
    summary = serializers.CharField()
    details = serializers.DictField()
    since = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class IncidentsPage(Shape):
    incidents = IncidentShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class DeliveryShape(Shape):
    """One message to one receiver. `status` is what was answered last, 0 for nothing."""

    message_id = serializers.CharField()
    receiver = serializers.CharField()
    event = serializers.ChoiceField([FIRING, RESOLVED, TEST])
    incident = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(_STATES)
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    next_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField()
    error = serializers.CharField()


class DeliveriesPage(Shape):
    deliveries = DeliveryShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class IncidentsView(ControlEndpoint):
    """What was wrong."""

    @lists(
        "List incidents",
        tag=TAG,
        asks=[
            text("search", "Part of the summary, or of what it is about."),
            parameter("kind", "", enum=_KINDS),
            parameter(
                "firing", "Only those that go on, or only those that are over.", type={"type": "boolean"}
            ),
        ],
        answers=IncidentsPage,
    )
    def get(self, request: Request) -> Response:
        """The latest first, those of the last 90 days."""
        viewer(request)
        rows = searched(Incident.objects.all(), request, "summary", "subject")
        if kind := one_of(request, "kind", _KINDS):
            rows = rows.filter(kind=kind)
        rows = flagged(rows, request, "firing", Q(resolved_at=None))
        return Response(page(rows, request, "incidents", incident_json, NEWEST_FIRST))


class DeliveriesView(ControlEndpoint):
    """How the telling went."""

    @lists(
        "List alert deliveries",
        tag=TAG,
        asks=[text("receiver", "To the receiver of this name."), parameter("state", "", enum=_STATES)],
        answers=DeliveriesPage,
    )
    def get(self, request: Request) -> Response:
        """The latest first."""
        viewer(request)
        rows = AlertDelivery.objects.select_related("receiver")
        if name := word(request, "receiver"):
            rows = rows.filter(receiver__name=name)
        if state := one_of(request, "state", _STATES):
            rows = rows.filter(state=state)
        return Response(page(rows, request, "deliveries", delivery_json, NEWEST_FIRST))


def incident_json(row: Incident) -> dict[str, Any]:
    """As it began, and whether it is over."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "severity": row.severity,
        "subject": row.subject,
        "summary": row.summary,
        "details": row.details,
        "since": rfc3339(row.at),
        "resolved_at": rfc3339(row.resolved_at),
    }


def delivery_json(row: AlertDelivery) -> dict[str, Any]:
    """How one message stands."""
    return {
        "message_id": row.message_id,
        "receiver": row.receiver.name,
        "event": row.event,
        "incident": row.incident_id,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": rfc3339(row.at),
        "next_at": rfc3339(row.next_at) if row.state == WAITING else None,
        "done_at": rfc3339(row.done_at),
        "status": row.status,
        "error": row.error,
    }
