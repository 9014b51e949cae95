"""D: `/control/v1/breakers` and `…/{service}`: how a breaker stands, and an operator's word about it."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.breakers import as_json
from authproxy.control.preconditions import etag
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.base import obeying, operator, viewer
from authproxy.views.control.asking import ControlEndpoint, at_once, require_match, shown
from authproxy.views.control.parameters import IF_MATCH, lists, query, shows, text
from authproxy.views.control.tables import one_of, page, searched
from authproxy.views.documented import documented
from resilience.breaker import State
from resilience.models import BreakerState
from resilience.rows.breakers import REASON_LENGTH
from routing import breaking

_TAG: Final = "Control"
_FORCED: Final = ("open", "closed")


class ErrorSeen(Shape):
    at = serializers.DateTimeField()
    error = serializers.CharField()


class BreakerShape(Shape):
    """`state` is what holds; `measured` is what it would be if nothing were forced."""

    service = serializers.CharField()
    state = serializers.ChoiceField(["closed", "open", "half_open"])
    measured = serializers.ChoiceField(["closed", "open", "half_open"])
    since = serializers.DateTimeField(allow_null=True)
    cause = serializers.CharField(allow_null=True)
    requests = serializers.IntegerField(
        help_text="In the window, of all workers, when a request last failed."
    )
    failures = serializers.IntegerField()
    last_errors = ErrorSeen(many=True)
    forced = serializers.ChoiceField(["open", "closed"], allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class BreakersShape(Shape):
    breakers = BreakerShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class BreakerOrder(Shape):
    """Either `force` or `reset`."""

    force = serializers.ChoiceField(["open", "closed"], required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    reset = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("force" in attrs) == attrs["reset"]:
            raise serializers.ValidationError({"force": ["Give either force or reset."]})
        return attrs


class BreakersView(ControlEndpoint):
    """All breakers."""

    @lists(
        "List breakers",
        tag=_TAG,
        asks=[
            text("search", "Part of the service's name."),
            query("forced", "Only those that somebody holds so.", enum=_FORCED),
        ],
        answers=BreakersShape,
    )
    def get(self, request: Request) -> Response:
        """Those of services that failed, or that somebody forced, by name, a page at a time."""
        viewer(request)
        rows = searched(BreakerState.objects.all(), request, "service")
        if forced := one_of(request, "forced", _FORCED):
            rows = rows.filter(forced=forced)
        return Response(page(rows, request, "breakers", as_json, by=("service",)))


class BreakerView(ControlEndpoint):
    """The breaker of one service."""

    @shows("Show a breaker", tag=_TAG, answers=BreakerShape)
    def get(self, request: Request, service: str) -> Response:
        """What the workers wrote down last; live to a second."""
        viewer(request)
        row = breaking.found(service)
        if row is None:
            raise not_found("There is no such breaker.")
        told = as_json(row)
        return shown(request, told, etag(told))

    @documented(
        "Steer a breaker",
        tag=_TAG,
        takes=BreakerOrder,
        asks=[IF_MATCH],
        answers={200: BreakerShape},
        errors=(400, 401, 403, 404, 409, 412, 413, 415),
    )
    def post(self, request: Request, service: str) -> Response:
        """Forces it open or closed, lets what is measured decide again (null), or resets it; everywhere in a second.

        A service without a breaker has none that could be forced: 409."""
        identity = operator(request)
        wanted = BreakerOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        with obeying(), at_once():
            row = breaking.held(service)
            require_match(request, None if row is None else etag(as_json(row)))
            told = as_json(_obey(service, wanted.validated_data, by=identity.name or identity.consumer))
        return Response(told, headers={"ETag": etag(told)})


def _obey(service: str, given: dict[str, Any], *, by: str) -> BreakerState:
    if given["reset"]:
        return breaking.reset(service, by=by, reason=given["reason"])
    state = State(given["force"]) if given["force"] is not None else None
    return breaking.force(service, state, by=by, reason=given["reason"], until=given["until"])
