"""D: `/control/v1/traffic`: rates, errors, durations and who had most, of everything, a service or a route."""

import time
from typing import Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.refusing import invalid
from authproxy.serializers import Shape
from authproxy.views.base import viewer
from authproxy.views.control.asking import ControlEndpoint
from authproxy.views.documented import documented
from observability.rollups.boards import TOP, board
from observability.rollups.minutes import NAME_LENGTH, ROUTE, SERVICE, Subject
from observability.rollups.reading import EVERYTHING
from observability.rollups.tiers import RANGES

MOST_TOP: Final = 100


class TrafficAsked(Shape):
    """What the query may have: a route or a service, not both."""

    range = serializers.ChoiceField(choices=list(RANGES), required=False, default="1h")
    route = serializers.CharField(required=False, max_length=NAME_LENGTH)
    service = serializers.CharField(required=False, max_length=NAME_LENGTH)
    top = serializers.IntegerField(required=False, default=TOP, min_value=1, max_value=MOST_TOP)


class ConnectsShape(Shape):
    """Opening connections to services, in milliseconds, of the requests for which some were opened."""

    requests = serializers.IntegerField()
    mean_ms = serializers.FloatField()
    p50_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    p99_ms = serializers.FloatField()


class FiguresShape(Shape):
    """Durations are milliseconds, sizes bytes, the rate requests per second."""

    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    error_share = serializers.FloatField()
    refused = serializers.IntegerField()
    classes = serializers.DictField(child=serializers.IntegerField())
    mean_ms = serializers.FloatField()
    p50_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    p99_ms = serializers.FloatField()
    received = serializers.IntegerField()
    sent = serializers.IntegerField()
    rate = serializers.FloatField()
    connects = ConnectsShape(required=False, help_text="Not of a route.")


class PointShape(FiguresShape):
    """A step; `at` is its start in epoch seconds."""

    at = serializers.IntegerField()


class OfShape(Shape):
    scope = serializers.ChoiceField(choices=["all", "service", "route"])
    name = serializers.CharField(allow_blank=True)


class CodeShape(Shape):
    code = serializers.CharField()
    count = serializers.IntegerField()


class StatusShape(Shape):
    status = serializers.CharField()
    count = serializers.IntegerField()


class RankedShape(Shape):
    name = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    refused = serializers.IntegerField()
    mean_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    sent = serializers.IntegerField()


class BusyConsumerShape(Shape):
    name = serializers.CharField()
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    refused = serializers.IntegerField()


class TopShape(Shape):
    routes = RankedShape(many=True, required=False)
    services = RankedShape(many=True, required=False)
    consumers = BusyConsumerShape(many=True, required=False)


class TrafficShape(Shape):
    of = OfShape()
    range = serializers.ChoiceField(choices=list(RANGES))
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    step = serializers.IntegerField()
    totals = FiguresShape()
    series = PointShape(many=True)
    codes = CodeShape(many=True)
    statuses = StatusShape(many=True)
    top = TopShape()


class TrafficView(ControlEndpoint):
    """Figures from the roll-ups of all workers."""

    @documented(
        "Show traffic",
        tag="Control",
        asks=TrafficAsked,
        answers={200: TrafficShape},
        errors=(400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        """Of the last `range`: totals, a series, refusals by code, and who had most. Some ten seconds behind."""
        viewer(request)
        asked = TrafficAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        if given.get("route") and given.get("service"):
            raise invalid({"route": "Ask for a route or a service, not both."})
        subject = EVERYTHING
        for scope in (ROUTE, SERVICE):
            if given.get(scope):
                subject = Subject(scope, given[scope])
        return Response(board(subject, RANGES[given["range"]], time.time(), top=given["top"]))
