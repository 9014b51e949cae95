"""D: `/control/v1/slo`: what routes promise, and what is left of their error budgets."""

import time
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.serializers import Shape
from authproxy.views.base import viewer
from authproxy.views.control.asking import ControlEndpoint
from authproxy.views.control.parameters import lists
from authproxy.views.control.tables import sliced
from observability.slo.standing import standing
from routing.rows.base import NAME_LENGTH

_TAG: Final = "Control"


class ObjectiveShape(Shape):
    """Shares are from 0 to 1. `budget_left` is below 0 when more was bad than is allowed."""

    route = serializers.CharField()
    objective = serializers.ChoiceField(choices=["availability", "latency"])
    target = serializers.FloatField()
    under_s = serializers.FloatField(allow_null=True)
    window_s = serializers.IntegerField()
    requests = serializers.IntegerField()
    bad = serializers.IntegerField()
    allowed = serializers.FloatField()
    reached = serializers.FloatField(allow_null=True)
    budget_left = serializers.FloatField()
    burning = serializers.ChoiceField(choices=["page", "ticket"], allow_null=True)


class ObjectivesShape(Shape):
    objectives = ObjectiveShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class ObjectivesAsked(Shape):
    """What the query may have."""

    route = serializers.CharField(required=False, max_length=NAME_LENGTH)


class SloView(ControlEndpoint):
    """Objectives of routes."""

    @lists(
        "List objectives of routes",
        tag=_TAG,
        asks=[ObjectivesAsked],
        answers=ObjectivesShape,
    )
    def get(self, request: Request) -> Response:
        """Of the live revision, by the roll-ups of all workers; the last minute may still be counted."""
        viewer(request)
        asked = ObjectivesAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = standing(time.time(), route=asked.validated_data.get("route"))
        shown = sliced(found, request, lambda each: (each["route"], each["objective"]))
        return Response(shown.under("objectives", shown.rows))
