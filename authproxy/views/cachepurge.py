"""D: `/control/v1/cache/purge`: answers that are stored are served no more."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.refusing import invalid, not_found
from authproxy.serializers import Shape
from authproxy.views.base import operator
from authproxy.views.control.asking import ControlEndpoint
from authproxy.views.documented import documented
from resilience.rows.breakers import REASON_LENGTH
from routing import purging
from routing.purgeurls import KINDS, LONGEST_URL
from routing.purging import MOST_AT_ONCE, PurgeRefused

_TAG: Final = "Control"
_NAMES: Final = {"routes": "route", "tags": "tag", "urls": "url"}


def _names() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_URL),
        required=False,
        max_length=MOST_AT_ONCE,
        allow_empty=False,
    )


class PurgeOrder(Shape):
    """Exactly one of `routes`, `tags`, `urls` and `all`."""

    routes = _names()
    tags = _names()
    urls = _names()
    all = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in _NAMES) + attrs["all"] != 1:
            raise serializers.ValidationError({"all": ["Give exactly one of routes, tags, urls and all."]})
        return attrs


class PurgeShape(Shape):
    kind = serializers.ChoiceField(KINDS)
    value = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    by = serializers.CharField()
    reason = serializers.CharField(allow_null=True)


class PurgedShape(Shape):
    purged = PurgeShape(many=True)


class CachePurgeView(ControlEndpoint):
    """The response cache of all workers."""

    @documented(
        "Purge the response cache",
        tag=_TAG,
        takes=PurgeOrder,
        answers={200: PurgedShape},
        errors=(400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """By route, tag or URL, or all of it; on every worker within a second."""
        identity = operator(request)
        wanted = PurgeOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        name = next((name for name in _NAMES if name in given), None)
        kind, values = ("all", [""]) if name is None else (_NAMES[name], given[name])
        try:
            by = identity.name or identity.consumer
            rows = purging.purge(kind, values, by=by, reason=given["reason"])  # type: ignore[arg-type]
        except PurgeRefused as refusal:
            if refusal.field == "route":
                raise not_found(str(refusal)) from refusal
            raise invalid({name or "all": str(refusal)}) from refusal
        return Response({"purged": [purging.as_json(row) for row in rows]})
