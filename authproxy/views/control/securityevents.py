"""D: `/control/v1/security-events`: what happened to somebody's access, the newest first."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.models import SecurityEvent
from authproxy.moments import rfc3339
from authproxy.security import KINDS
from authproxy.serializers import Shape
from authproxy.views.control.asking import LONGEST_WORD, ControlEndpoint
from authproxy.views.control.calling import staff
from authproxy.views.control.parameters import lists
from authproxy.views.control.tables import page, searched

SEE: Final = "authproxy.view_securityevent"
CHANGE: Final = "authproxy.change_securityevent"
_NEWEST_FIRST: Final = ("-at", "-pk")


class SecurityEventsAsked(Shape):
    """All narrow what is listed."""

    search = serializers.CharField(
        required=False, max_length=LONGEST_WORD, help_text="Part of the subject, the actor or the address."
    )
    kind = serializers.ChoiceField(KINDS, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class SecurityEventShape(Shape):
    """`actor` did it, `subject` is what it was done to. Repetitions within a moment are one, with their `count`."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(KINDS)
    at = serializers.DateTimeField()
    count = serializers.IntegerField()
    actor = serializers.CharField()
    subject = serializers.CharField()
    address = serializers.CharField()
    details = serializers.DictField()


class SecurityEventsPage(Shape):
    events = SecurityEventShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class SecurityEventsView(ControlEndpoint):
    """Those that are kept."""

    @lists("List security events", tag="Access", asks=[SecurityEventsAsked], answers=SecurityEventsPage)
    def get(self, request: Request) -> Response:
        """The newest first, a page at a time."""
        staff(request).require(SEE, CHANGE)
        asked = SecurityEventsAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        columns = {"kind": "kind", "since": "at__gte", "until": "at__lt"}
        rows = SecurityEvent.objects.filter(
            **{column: given[name] for name, column in columns.items() if name in given}
        )
        rows = searched(rows, request, "subject", "actor", "address")
        return Response(page(rows, request, "events", event_json, _NEWEST_FIRST))


def event_json(row: SecurityEvent) -> dict[str, Any]:
    """One event, without any credential: events hold none."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "at": rfc3339(row.at),
        "count": row.count,
        "actor": row.actor,
        "subject": row.subject,
        "address": row.address,
        "details": row.details,
    }
