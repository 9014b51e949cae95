"""D: `/control/v1/limited-callers`: whom quotas refused within the last hour, and why."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.limited import why
from authproxy.limitedlog import as_json
from authproxy.models import LimitedCaller
from authproxy.rows.limited import SEES_CALLERS
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, word
from authproxy.views.control.calling import staff
from authproxy.views.control.parameters import lists, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import one_of, page, searched

CHANGE: Final = "authproxy.change_limitedcaller"
_MODES: Final = ("enforce", "log")
_NEWEST_FIRST: Final = ("-last_at", "-pk")


class LimitedCallerShape(Shape):
    """What one quota refused one caller on one route. `caller` is whose requests are counted together."""

    id = serializers.IntegerField()
    quota = serializers.CharField()
    caller = serializers.CharField()
    route = serializers.CharField()
    mode = serializers.ChoiceField(_MODES, help_text="Of the quota, at the last request; log only counts.")
    limited = serializers.BooleanField(help_text="Whether a request would be refused still.")
    limit = serializers.IntegerField()
    per = serializers.CharField()
    refused = serializers.IntegerField()
    would_refuse = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    room_at = serializers.DateTimeField(allow_null=True, help_text="When there is room again.")
    request_ids = serializers.ListField(
        child=serializers.CharField(), help_text="Of the last ones, the newest first."
    )
    why = serializers.CharField()


class LimitedCallersPage(Shape):
    callers = LimitedCallerShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class LimitedCallersView(ControlEndpoint):
    """Those of the last hour."""

    @lists(
        "List limited callers",
        tag="Access",
        asks=[
            text("search", "Part of the caller, the quota, the route, or the id of a request."),
            text("quota", "By this quota."),
            text("route", "On this route."),
            parameter(
                "mode",
                "Those who were refused at least once (`enforce`), or would have been (`log`). The answer's `mode` "
                "is that of the last request: who was both is found by either.",
                enum=_MODES,
            ),
        ],
        answers=LimitedCallersPage,
    )
    def get(self, request: Request) -> Response:
        """The latest first, a page at a time."""
        staff(request).require(SEES_CALLERS, CHANGE)
        rows = searched(LimitedCaller.objects.all(), request, "caller", "quota", "route", "request_ids")
        for column in ("quota", "route"):
            if name := word(request, column):
                rows = rows.filter(**{column: name})
        if mode := one_of(request, "mode", _MODES):
            rows = rows.filter(**{"refused__gt" if mode == "enforce" else "would_refuse__gt": 0})
        return Response(page(rows, request, "callers", limited_json, _NEWEST_FIRST))


def limited_json(row: LimitedCaller) -> dict[str, Any]:
    """As `gateway limited` prints it, and the reason in a sentence."""
    reason = why(
        quota=row.quota, limit=row.limit, per=row.period, caller=row.caller, is_enforced=row.is_enforced
    )
    return {"id": row.pk, **as_json(row), "why": reason}
