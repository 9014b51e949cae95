"""D: `/control/v1/quotas/counts`: what calendar quotas have counted, and an operator's word to count a caller anew."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import quotacounts
from authproxy.quotaresets import ResetRefused, StoreAway, reset
from authproxy.refusing import Refused, not_found
from authproxy.rejections import Code, Rejection
from authproxy.serializers import Shape
from authproxy.views.base import operator, viewer
from authproxy.views.control.asking import ControlEndpoint, at_once, is_conditional, require_rows, tagged
from authproxy.views.control.parameters import IF_ROWS, lists
from authproxy.views.control.tables import cut
from authproxy.views.documented import documented
from resilience.models import QuotaCount
from resilience.rows.breakers import REASON_LENGTH
from routing.auditing import gathering
from routing.orderfeed import hold_orders

_TAG: Final = "Control"
_LONGEST: Final = 512
SEES: Final = "resilience.view_quotacount"


class CountsQuestion(Shape):
    """Both narrow what is listed: of this quota, and only keys with this text in them."""

    quota = serializers.CharField(required=False, max_length=_LONGEST)
    key = serializers.CharField(required=False, max_length=_LONGEST)


class CountShape(Shape):
    """`limit` and `left` are null where the live configuration has no such quota of that period."""

    quota = serializers.CharField()
    per = serializers.ChoiceField(["day", "month"])
    key = serializers.CharField()
    caller = serializers.CharField()
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    ends_at = serializers.DateTimeField()
    etag = serializers.CharField(help_text="For `If-Match` of an order about it.")


class CountsShape(Shape):
    counts = CountShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class ResetOrder(Shape):
    quota = serializers.CharField(max_length=_LONGEST)
    key = serializers.CharField(max_length=_LONGEST, help_text="As listed: consumer:ada.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class ResetShape(Shape):
    """`forgotten`: what had been counted, by the day and by the month."""

    quota = serializers.CharField()
    key = serializers.CharField()
    forgotten = serializers.ListField(child=serializers.IntegerField())
    by = serializers.CharField()


class CountsView(ControlEndpoint):
    """What callers have used of this day's and this month's quotas."""

    @lists(
        "List calendar counts",
        tag=_TAG,
        asks=[CountsQuestion],
        answers=CountsShape,
    )
    def get(self, request: Request) -> Response:
        """The highest first, a page at a time, as workers wrote them down last."""
        viewer(request, SEES)
        asked = CountsQuestion(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = cut(_rows(asked.validated_data), request, by=("-count", "pk"))
        return Response(found.under("counts", _listed(found.rows)))


class ResetView(ControlEndpoint):
    """Counts that an operator sets back."""

    @documented(
        "Count a caller anew",
        tag=_TAG,
        takes=ResetOrder,
        asks=[IF_ROWS],
        answers={200: ResetShape},
        errors=(400, 401, 403, 404, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """From nothing again, on every worker within a second, until the day or the month ends."""
        identity = operator(request)
        wanted = ResetOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        quota, key, reason = (wanted.validated_data[name] for name in ("quota", "key", "reason"))
        counts = QuotaCount.objects.filter(quotacounts.of_key(quota, key)).order_by("bucket")
        by = identity.name or identity.consumer
        with _obeying(), at_once(hold_orders), gathering():
            if not (found := list(counts.select_for_update())):
                raise not_found(f'The quota "{quota}" has counted nothing of "{key}".')
            if is_conditional(request):
                require_rows(request, [each["etag"] for each in _listed(found)])
            orders = [reset(row.bucket, by=by, reason=reason) for row in found]
        return Response({"quota": quota, "key": key, "forgotten": [each.count for each in orders], "by": by})


@contextmanager
def _obeying() -> Iterator[None]:
    try:
        yield
    except StoreAway as outage:
        text = f"Nothing was reset: {outage}."
        raise Refused(
            Rejection(Code.SERVICE_UNAVAILABLE, text, headers=((b"retry-after", b"1"),))
        ) from outage
    except ResetRefused as refusal:
        raise not_found(f"Nothing was reset: {refusal}.") from refusal


def _listed(rows: Iterable[QuotaCount]) -> list[dict[str, Any]]:
    return [tagged(told) for told in quotacounts.as_json(rows)]


def _rows(wanted: dict[str, Any]) -> QuerySet[QuotaCount]:
    rows = QuotaCount.objects.filter(quotacounts.current())
    if "quota" in wanted:
        rows = rows.filter(quotacounts.of_quota(wanted["quota"]))
    return rows.filter(bucket__contains=wanted["key"]) if "key" in wanted else rows
