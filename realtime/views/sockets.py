"""D: `/control/v1/sockets`: live WebSocket connections of all workers, and an operator's word to end them."""

from typing import Any, Final

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.refusing import invalid
from authproxy.serializers import Shape
from authproxy.views.base import obeying, operator, viewer
from authproxy.views.control.asking import ControlEndpoint, at_once, is_conditional, require_rows, tagged
from authproxy.views.control.parameters import IF_ROWS, lists
from authproxy.views.control.tables import page
from authproxy.views.documented import documented
from realtime.ending import MOST_ID, as_json, end_all, end_some, ending_as_json
from realtime.models import LiveSocket
from resilience.rows.breakers import REASON_LENGTH
from routing.orderfeed import hold_orders
from routing.rows.base import NAME_LENGTH

MOST_ENDED: Final = 1000
_TAG: Final = "Control"


class SocketShape(Shape):
    """`received` are bytes from the client, `sent` those to it."""

    id = serializers.IntegerField()
    user = serializers.CharField(allow_null=True)
    address = serializers.CharField()
    route = serializers.CharField()
    service = serializers.CharField()
    target = serializers.CharField()
    since = serializers.DateTimeField()
    received = serializers.IntegerField()
    sent = serializers.IntegerField()
    worker = serializers.CharField()
    etag = serializers.CharField(help_text="For `If-Match` of an order about it; bytes do not count.")


class SocketsShape(Shape):
    sockets = SocketShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class SocketsAsked(Shape):
    """What the query may have."""

    route = serializers.CharField(required=False, max_length=NAME_LENGTH)
    user = serializers.CharField(required=False, max_length=300)


class EndOrder(Shape):
    """One of `ids`, `route` and `all`."""

    ids = serializers.ListField(
        child=serializers.IntegerField(), required=False, default=list, max_length=MOST_ENDED
    )
    route = serializers.CharField(required=False, allow_blank=True, max_length=NAME_LENGTH, default="")
    all = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class EndingShape(Shape):
    ended = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    reason = serializers.CharField(allow_null=True)


class EndingsShape(Shape):
    endings = EndingShape(many=True)


class SocketsView(ControlEndpoint):
    """What there is."""

    @lists(
        "List WebSocket connections",
        tag=_TAG,
        asks=[SocketsAsked],
        answers=SocketsShape,
    )
    def get(self, request: Request) -> Response:
        """Those through routes, of all workers, the latest first, a page at a time; at most 1,000 of each worker."""
        viewer(request)
        asked = SocketsAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows: QuerySet[LiveSocket] = LiveSocket.objects.filter(**asked.validated_data)
        return Response(page(rows, request, "sockets", _listed, by=("-since", "-pk")))


class EndView(ControlEndpoint):
    """Connections that an operator ends."""

    @documented(
        "End WebSocket connections",
        tag=_TAG,
        takes=EndOrder,
        asks=[IF_ROWS],
        answers={200: EndingsShape},
        errors=(400, 401, 403, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """By their ids, all of a route, or all; on every worker within a second. Clients are told 1001."""
        identity = operator(request)
        wanted = EndOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given: dict[str, Any] = wanted.validated_data
        if sum(map(bool, (given["ids"], given["route"], given["all"]))) != 1:
            raise invalid({"ids": "Say which: ids, a route, or all."})
        by, reason = identity.name or identity.consumer, given["reason"]
        with obeying(), at_once(hold_orders):
            if is_conditional(request):
                require_rows(request, [_listed(row)["etag"] for row in _concerned(given)])
            if given["ids"]:
                rows = end_some(given["ids"], by=by, reason=reason)
            else:
                rows = [end_all(route=given["route"], by=by, reason=reason)]
        return Response({"endings": [ending_as_json(row) for row in rows]})


def _listed(row: LiveSocket) -> dict[str, Any]:
    """Bytes flow while somebody looks: they are no part of the state that an order is about."""
    told = as_json(row)
    return tagged(told, {key: value for key, value in told.items() if key not in ("received", "sent")})


def _concerned(given: dict[str, Any]) -> "QuerySet[LiveSocket]":
    """The connections that an order is about."""
    rows = LiveSocket.objects.order_by("-since", "-pk")
    if given["ids"]:
        return rows.filter(pk__in=[key for key in given["ids"] if 0 < key < MOST_ID])
    return rows.filter(route=given["route"]) if given["route"] else rows
