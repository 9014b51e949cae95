"""D: `/control/v1/leases…`: targets that registered themselves: looking, approving, rejecting, ending."""

from typing import Any, Final
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.moments import rfc3339
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.base import OPERATE
from authproxy.views.control.asking import (
    ControlEndpoint,
    at_once,
    conflict,
    require_match,
    shown,
    word,
)
from authproxy.views.control.calling import staff
from authproxy.views.control.parameters import IF_MATCH, lists, shows, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import one_of, page, searched
from authproxy.views.documented import documented
from routing import leases
from routing.models import Lease, LeaseState
from routing.rows.leases import WHY_LENGTH

_TAG: Final = "Discovery"
_WORDS: Final = ("approve", "reject", "end")
_ENDED: Final = "ended by staff"


class ControlLeaseShape(Shape):
    id = serializers.UUIDField()
    service = serializers.CharField()
    url = serializers.CharField()
    weight = serializers.IntegerField()
    state = serializers.ChoiceField(LeaseState.values)
    consumer = serializers.CharField()
    created_at = serializers.DateTimeField()
    renewed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_why = serializers.CharField()


class LeasesPage(Shape):
    leases = ControlLeaseShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class LeaseOrder(Shape):
    word = serializers.ChoiceField(_WORDS)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=WHY_LENGTH // 2, default="")


class LeasesView(ControlEndpoint):
    """All leases, those that ended lately included."""

    @lists(
        "List leases",
        tag=_TAG,
        asks=[
            text("search", "Part of the URL, or of who registered it."),
            text("service", "Of this service."),
            parameter("state", "", enum=LeaseState.values),
        ],
        answers=LeasesPage,
    )
    def get(self, request: Request) -> Response:
        """A page at a time."""
        staff(request).require("routing.view_service")
        rows = searched(Lease.objects.all(), request, "url", "consumer")
        if service := word(request, "service"):
            rows = rows.filter(service=service)
        if state := one_of(request, "state", LeaseState.values):
            rows = rows.filter(state=state)
        return Response(page(rows, request, "leases", lease_json))


class ControlLeaseView(ControlEndpoint):
    """One lease."""

    @shows("Show a lease", tag=_TAG, answers=ControlLeaseShape)
    def get(self, request: Request, pk: UUID) -> Response:
        """As it is, or as it ended."""
        staff(request).require("routing.view_service")
        told = lease_json(_lease(pk))
        return shown(request, told, etag(told))

    @documented(
        "Decide a lease",
        tag=_TAG,
        takes=LeaseOrder,
        asks=[IF_MATCH],
        answers={200: ControlLeaseShape},
        errors=(400, 401, 403, 404, 409, 412, 413, 415),
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """approve: it takes traffic, and later ones of the same account, too; reject: it ends, and later ones wait;
        end: it ends."""
        caller = staff(request)
        caller.require(OPERATE)
        wanted = LeaseOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with at_once(leases.hold):
            require_match(request, etag(lease_json(_lease(pk))))
            if given["word"] == "approve":
                done = leases.approve([pk], by=caller.name)
            elif given["word"] == "reject":
                done = leases.reject([pk], by=caller.name, why=given["reason"])
            else:
                done = leases.end([pk], by=caller.name, why=given["reason"] or _ENDED)
            told = lease_json(_lease(pk))
            if not done:
                raise conflict(f"It is {told['state']} already.")
        return Response(told, headers={"ETag": etag(told)})


def lease_json(row: Lease) -> dict[str, Any]:
    """One registration."""
    return {
        "id": str(row.pk),
        "service": row.service,
        "url": row.url,
        "weight": row.weight,
        "state": row.state,
        "consumer": row.consumer,
        "created_at": rfc3339(row.created_at),
        "renewed_at": rfc3339(row.renewed_at),
        "expires_at": rfc3339(row.expires_at),
        "decided_by": row.decided_by,
        "ended_at": rfc3339(row.ended_at),
        "ended_why": row.ended_why,
    }


def _lease(pk: UUID) -> Lease:
    found = Lease.objects.filter(pk=pk).first()
    if found is None:
        raise not_found("There is no such lease.")
    return found
