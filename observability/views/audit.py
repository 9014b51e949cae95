"""D: `/control/v1/audit`: who changed what, the newest first."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.serializers import AnyValue, Shape
from authproxy.views.base import viewer
from authproxy.views.control.asking import ControlEndpoint
from authproxy.views.control.parameters import lists
from authproxy.views.control.tables import NEWEST_FIRST, page
from observability.audit.finding import Wanted, as_json, find, further
from routing.admin.audited import SEES_TRAIL

_LONGEST: Final = 300
_MOST_ID: Final = 2**63 - 1


class AuditQuestion(Shape):
    """All narrow what is listed. `before` is the number of an event: only older ones."""

    actor = serializers.CharField(required=False, max_length=_LONGEST)
    kind = serializers.CharField(
        required=False, max_length=_LONGEST, help_text="Of the object: routes, consumer."
    )
    name = serializers.CharField(required=False, max_length=_LONGEST, help_text="Of the object.")
    action = serializers.CharField(required=False, max_length=_LONGEST)
    door = serializers.CharField(required=False, max_length=_LONGEST)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    text = serializers.CharField(required=False, max_length=_LONGEST)
    before = serializers.IntegerField(required=False, min_value=1, max_value=_MOST_ID)


class ObjectShape(Shape):
    kind = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class FieldShape(Shape):
    """`before` or `after` is missing where there was or is nothing."""

    path = serializers.CharField()
    before = AnyValue(required=False)
    after = AnyValue(required=False)


class ChangeShape(Shape):
    kind = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    action = serializers.ChoiceField(["added", "removed", "changed"])
    fields_ = serializers.ListField(child=FieldShape(), source="fields")

    def get_fields(self) -> Any:
        """A serializer has an attribute `fields` of its own."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        found["fields"].source = None
        return found


class EventShape(Shape):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = serializers.CharField()
    actor_kind = serializers.CharField()
    user_id = serializers.IntegerField(allow_null=True)
    door = serializers.CharField()
    source_ = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    summary = serializers.CharField(allow_blank=True)
    objects = serializers.ListField(child=ObjectShape())
    more_objects = serializers.IntegerField()
    changes = serializers.ListField(child=ChangeShape())
    details = serializers.DictField()
    previous = serializers.CharField()
    hash = serializers.CharField()

    def get_fields(self) -> Any:
        """So has a field called `source`."""
        found = super().get_fields()
        found["source"] = found.pop("source_")
        return found


class EventsShape(Shape):
    """`further`: where a search for words stopped looking; as `before` it goes on behind that. Null: it saw all."""

    events = EventShape(many=True)
    further = serializers.IntegerField(allow_null=True)
    next: Any = serializers.CharField(allow_null=True)


class AuditView(ControlEndpoint):
    """The audit trail."""

    @lists(
        "List changes",
        tag="Control",
        asks=[AuditQuestion],
        answers=EventsShape,
    )
    def get(self, request: Request) -> Response:
        """The newest first, in pages. A search for words looks at the newest 100,000 of what the rest leaves, and says
        where it stopped."""
        viewer(request, SEES_TRAIL)
        asked = AuditQuestion(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = Wanted(**asked.validated_data)
        told = page(find(wanted).defer(None), request, "events", as_json, by=NEWEST_FIRST, is_counted=False)
        return Response({**told, "further": further(wanted)})
