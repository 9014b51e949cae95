"""D: `/control/v1/canaries[/{route}]`: how canaries stand, and an operator's word about one."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.canaries import WORDS, as_json, event_json
from authproxy.control.preconditions import etag
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.base import obeying, operator, viewer
from authproxy.views.control.asking import ControlEndpoint, at_once, require_match, shown
from authproxy.views.control.parameters import IF_MATCH, lists, query, shows, text
from authproxy.views.control.tables import one_of, page, searched
from authproxy.views.documented import documented
from resilience.models import CanaryState
from resilience.rows.breakers import REASON_LENGTH
from routing import canarying

_TAG: Final = "Control"
_STATES: Final = ["running", "paused", "promoted", "rolled_back"]
_SHOWN_HISTORY: Final = 50


class SideShape(Shape):
    requests = serializers.IntegerField()
    failures = serializers.IntegerField()
    p95_s = serializers.FloatField(allow_null=True)


class CanaryShape(Shape):
    """Counts are those of the present step, of all workers."""

    route = serializers.CharField()
    service = serializers.CharField()
    state = serializers.ChoiceField(_STATES)
    step = serializers.IntegerField()
    steps = serializers.ListField(child=serializers.FloatField())
    percent = serializers.FloatField()
    since = serializers.DateTimeField()
    next_at = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    requests = serializers.IntegerField()
    failures = serializers.IntegerField()
    p95_s = serializers.FloatField(allow_null=True)
    others = SideShape()


class CanaryEventShape(Shape):
    at = serializers.DateTimeField()
    state = serializers.ChoiceField(_STATES)
    step = serializers.IntegerField()
    percent = serializers.FloatField()
    by = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    requests = serializers.IntegerField()
    failures = serializers.IntegerField()


class CanaryWithHistory(CanaryShape):
    history = CanaryEventShape(many=True)


class CanariesShape(Shape):
    canaries = CanaryShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class CanaryOrder(Shape):
    word = serializers.ChoiceField(list(WORDS))
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class CanariesView(ControlEndpoint):
    """The canaries of all routes."""

    @lists(
        "List canaries",
        tag=_TAG,
        asks=[text("search", "Part of the route's name."), query("state", "", enum=_STATES)],
        answers=CanariesShape,
    )
    def get(self, request: Request) -> Response:
        """By route, a page at a time; live to a second."""
        viewer(request)
        rows = searched(CanaryState.objects.exclude(stage=canarying.ENDED), request, "route")
        if state := one_of(request, "state", _STATES):
            rows = rows.filter(stage=state)
        return Response(page(rows, request, "canaries", as_json, by=("route",)))


class CanaryView(ControlEndpoint):
    """The canary of one route."""

    @shows("Show a canary", tag=_TAG, answers=CanaryWithHistory)
    def get(self, request: Request, route: str) -> Response:
        """How it stands, and its latest steps."""
        viewer(request)
        row = canarying.found(route)
        if row is None:
            raise not_found("There is no such canary.")
        told = _with_history(row)
        return shown(request, told, etag(told))

    @documented(
        "Steer a canary",
        tag=_TAG,
        takes=CanaryOrder,
        asks=[IF_MATCH],
        answers={200: CanaryWithHistory},
        errors=(400, 401, 403, 404, 412, 413, 415),
    )
    def post(self, request: Request, route: str) -> Response:
        """Pauses it, goes on, sends it everything or nothing, or begins again; everywhere within a second."""
        identity = operator(request)
        wanted = CanaryOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with obeying(), at_once():
            row = canarying.held(route)
            if row is None:
                raise not_found("There is no such canary.")
            require_match(request, etag(_with_history(row)))
            row = canarying.steer(
                route,
                WORDS[given["word"]],
                by=identity.name or identity.consumer,
                reason=given["reason"],
            )
            told = _with_history(row)
        return Response(told, headers={"ETag": etag(told)})


def _with_history(row: CanaryState) -> dict[str, Any]:
    events = canarying.history(row.route)[:_SHOWN_HISTORY]
    return {**as_json(row), "history": [event_json(event) for event in events]}
