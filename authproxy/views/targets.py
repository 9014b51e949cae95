"""D: `/control/v1/services/{service}/targets`: how its targets are; putting one back, and draining one."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.serializers import Shape
from authproxy.standings import as_json, readmission_as_json
from authproxy.views.base import account_of, obeying, operator, viewer
from authproxy.views.control.asking import (
    ControlEndpoint,
    at_once,
    changing,
    is_conditional,
    require_match,
    require_rows,
    tagged,
)
from authproxy.views.control.kinds import KINDS, entries
from authproxy.views.control.parameters import IF_MATCH, IF_ROWS, READING, lists, text
from authproxy.views.control.tables import page, searched
from authproxy.views.documented import documented
from resilience.rows.breakers import REASON_LENGTH
from resilience.rows.targets import URL_LENGTH
from routing import readmitting
from routing.drafts import Actor
from routing.draining import drain
from routing.locking import writing
from routing.models import Service
from routing.orderfeed import hold_orders
from routing.ordering import require_service

_TAG: Final = "Control"
_STATES: Final = ("healthy", "unhealthy", "ejected", "unchecked")


class StandingShape(Shape):
    """`since` and `until` are of the state; `until` is null where a check decides, or nobody knows."""

    service = serializers.CharField()
    url = serializers.CharField()
    state = serializers.ChoiceField(_STATES)
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(allow_null=True)
    ejected_at_workers = serializers.IntegerField()
    checked_at = serializers.DateTimeField(allow_null=True)


class ListedStandingShape(StandingShape):
    """`etag` is for `If-Match` of an order about it."""

    etag = serializers.CharField()


class StandingsShape(Shape):
    targets = ListedStandingShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class ReadmissionOrder(Shape):
    url = serializers.CharField(max_length=URL_LENGTH)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class ReadmissionShape(Shape):
    service = serializers.CharField()
    url = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    reason = serializers.CharField(allow_null=True)


class DrainOrder(Shape):
    """`drain` false: it takes requests again."""

    url = serializers.CharField(max_length=URL_LENGTH)
    drain = serializers.BooleanField(required=False, default=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class DrainedShape(Shape):
    """`outcome` is drafted where somebody else must publish it; `revision` is the live one."""

    service = serializers.CharField()
    url = serializers.CharField()
    drain = serializers.BooleanField()
    outcome = serializers.ChoiceField(("published", "drafted", "unchanged"))
    revision = serializers.IntegerField(allow_null=True)


class TargetsView(ControlEndpoint):
    """The targets of one service."""

    @lists(
        "List targets",
        tag=_TAG,
        asks=[text("search", "Part of the URL.")],
        answers=StandingsShape,
        errors=(*READING, 404),
    )
    def get(self, request: Request, service: str) -> Response:
        """Those that were checked or ejected, as workers wrote it down last, by URL, a page at a time."""
        viewer(request)
        with obeying():
            require_service(service)
        rows = searched(readmitting.standings().filter(service=service), request, "target")
        return Response(page(rows, request, "targets", _listed, by=("target",)))


class ReadmitView(ControlEndpoint):
    """Targets that an operator puts back."""

    @documented(
        "Put a target back",
        tag=_TAG,
        takes=ReadmissionOrder,
        asks=[IF_ROWS],
        answers={200: ReadmissionShape},
        errors=(400, 401, 403, 404, 412, 413, 415),
    )
    def post(self, request: Request, service: str) -> Response:
        """Ejected or unhealthy as it is, it gets requests again; on every worker within a second."""
        identity = operator(request)
        wanted = ReadmissionOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        by = identity.name or identity.consumer
        with obeying(), at_once(hold_orders):
            if is_conditional(request):
                require_service(service)
                there = readmitting.standings().filter(service=service, target=given["url"])
                require_rows(request, [_listed(row)["etag"] for row in there])
            row = readmitting.readmit(service, given["url"], by=by, reason=given["reason"])
        return Response(readmission_as_json(row))


class DrainView(ControlEndpoint):
    """Targets that take nothing new."""

    @documented(
        "Drain a target",
        tag=_TAG,
        takes=DrainOrder,
        asks=[IF_MATCH],
        answers={200: DrainedShape},
        errors=(400, 401, 403, 404, 412, 413, 415),
    )
    def post(self, request: Request, service: str) -> Response:
        """What it has begun may finish. It is a change of the configuration, with a revision or a draft:
        `If-Match` takes the tag of the service's entry."""
        identity = operator(request)
        wanted = DrainOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        account = account_of(identity)
        actor = Actor(identity.name or identity.consumer, account.pk if account is not None else None)
        with obeying(), changing(), writing():
            if is_conditional(request):
                require_service(service)
                require_match(request, _entry_tag(service))
            outcome = drain(
                service, given["url"], undo=not given["drain"], actor=actor, reason=given["reason"]
            )
        told = {"service": service, "url": given["url"], "drain": given["drain"]}
        return Response(told | {"outcome": outcome.kind, "revision": outcome.revision})


def _listed(row: Any) -> dict[str, Any]:
    return tagged(as_json(row))


def _entry_tag(service: str) -> str:
    """As `services/{name}` shows it."""
    (entry,) = entries(KINDS["services"], Service.objects.filter(name=service))
    return etag(entry)
