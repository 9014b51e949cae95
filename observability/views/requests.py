"""D: `/control/v1/requests[/{id}]`: requests that were kept, by anything, and why one was answered as it was."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.paging import cursor, packed
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint
from authproxy.views.control.parameters import lists
from authproxy.views.control.tables import asked_from
from authproxy.views.documented import documented
from observability.requests.querying import Filters, found, page_of, status_fault
from observability.requests.showing import as_json, in_full
from observability.views.reading import SEE_REQUESTS, staff_with

_TAG = "Control"
LONGEST = 500
HIGHEST = 2**63 - 1


class RequestsAsked(Shape):
    """What narrows the list. `status` is a number, or a class such as `5xx`; `path` any part of it."""

    status = serializers.CharField(required=False, max_length=3)
    code = serializers.CharField(required=False, max_length=32)
    route = serializers.CharField(required=False, max_length=LONGEST)
    service = serializers.CharField(required=False, max_length=LONGEST)
    consumer = serializers.CharField(required=False, max_length=LONGEST)
    client = serializers.CharField(required=False, max_length=64)
    method = serializers.CharField(required=False, max_length=32)
    path = serializers.CharField(required=False, max_length=LONGEST)
    request_id = serializers.CharField(required=False, max_length=128, help_text="Or the id of a trace.")
    would = serializers.CharField(
        required=False, max_length=32, help_text="A policy in mode log that would have refused it."
    )
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    before = serializers.IntegerField(
        required=False, min_value=1, max_value=HIGHEST, help_text="Only older ones than the one of this id."
    )

    def validate_status(self, value: str) -> str:
        if fault := status_fault(value):
            raise serializers.ValidationError(fault)
        return value


class RequestShape(Shape):
    """`at` is when it came."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    request_id = serializers.CharField()
    trace_id = serializers.CharField()
    method = serializers.CharField()
    host = serializers.CharField()
    path = serializers.CharField()
    query = serializers.CharField(help_text="Secrets are masked.")
    route = serializers.CharField(allow_null=True)
    service = serializers.CharField(allow_null=True)
    target = serializers.CharField(allow_null=True)
    status = serializers.IntegerField()
    code = serializers.CharField(allow_null=True)
    consumer = serializers.CharField(allow_null=True)
    auth_method = serializers.CharField(allow_null=True)
    client = serializers.CharField()
    duration_ms = serializers.FloatField()
    would = serializers.ListField(child=serializers.CharField())
    revision = serializers.IntegerField()
    worker = serializers.CharField()


class RequestsShape(Shape):
    """`looked_until`: so far back in this answer, which may be short of what was asked for; `next` goes on."""

    requests = RequestShape(many=True)
    next: Any = serializers.CharField(allow_null=True)
    looked_until = serializers.DateTimeField(allow_null=True)


class WholeRequestShape(RequestShape):
    """Fields beside these are there where there is something to say: `refusal`, `failures`, `cache`, `caller`."""

    why = serializers.ListField(child=serializers.CharField())
    phases = serializers.DictField(child=serializers.FloatField(), help_text="Milliseconds.")
    received = serializers.IntegerField()
    sent = serializers.IntegerField()
    attempts = serializers.IntegerField()
    outcome = serializers.CharField()
    headers = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    would = serializers.ListField(child=serializers.DictField())


class RequestsView(ControlEndpoint):
    """Requests that were kept."""

    @lists(
        "List requests",
        tag=_TAG,
        asks=[RequestsAsked],
        answers=RequestsShape,
    )
    def get(self, request: Request) -> Response:
        """What went wrong, and a sample of the rest, of all workers, the latest first."""
        staff_with(request, SEE_REQUESTS)
        asked = RequestsAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(asked.validated_data)
        size, before = asked_from(request, given.pop("before", None))
        page = page_of(Filters(**given), before=before, size=size)
        until = page.looked_until.isoformat() if page.looked_until else None
        behind = None if page.before is None else cursor(packed((page.before,)))
        told = [as_json(row) for row in page.rows]
        return Response({"requests": told, "next": behind, "looked_until": until})


class RequestView(ControlEndpoint):
    """One of them."""

    @documented("Show a request", tag=_TAG, answers={200: WholeRequestShape}, errors=(400, 401, 403, 404))
    def get(self, request: Request, key: str) -> Response:
        """By its row's number, or by the id that its answer had in X-Request-ID; with the reason in words."""
        staff_with(request, SEE_REQUESTS)
        row = found(key)
        if row is None:
            raise not_found("No such request was kept.")
        return Response({**in_full(row), "would": row.facts.get("would", [])})
