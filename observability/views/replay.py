"""D: `/control/v1/replay`: what would become of recorded requests by the draft, or by a revision; nothing is sent."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control import paging
from authproxy.control.preconditions import of_digest
from authproxy.refusing import Refused, invalid, not_found
from authproxy.rejections import Code, Rejection
from authproxy.serializers import Shape
from authproxy.views.changes import SEE_DRAFT
from authproxy.views.control.asking import ControlEndpoint, changing, is_conditional, require_match
from authproxy.views.control.parameters import if_match
from authproxy.views.control.revisions import document_of
from authproxy.views.documented import documented
from observability.replay.judging import KINDS
from observability.replay.replaying import MOST, Busy, Span, replay
from observability.replay.results import Found
from observability.views.reading import SEE_REQUESTS, staff_with
from routing.document.canonical import digest
from routing.document.scalars import parse_duration
from routing.explaining import DRAFT, HIGHEST_REVISION, NoRevision
from routing.locking import reading
from routing.problems import did_you_mean

_TAG: Final = "Control"
PAGE: Final = 100
MOST_ON_PAGE: Final = 1000
_IF_MATCH: Final = if_match(
    "Only if this is the `ETag` of what it is judged by: of `document`, or the revision's."
)
_RETRY: Final = ((b"retry-after", b"5"),)


@extend_schema_field({
    "oneOf": [{"type": "string", "enum": [DRAFT]}, {"type": "integer", "minimum": 1}],
    "default": DRAFT,
})  # fmt: skip
class AgainstField(serializers.Field[str | int, Any, Any, Any]):
    """`draft`, or a number."""

    def to_internal_value(self, data: Any) -> str | int:
        is_number = isinstance(data, int) and not isinstance(data, bool) and 0 < data <= HIGHEST_REVISION
        if data != DRAFT and not is_number:
            raise serializers.ValidationError("Want draft, or the number of a revision.")
        found: str | int = data
        return found


class ReplayOrder(Shape):
    """Which requests, and by what. A `cursor` goes on with the list of the requests that were replayed before."""

    against = AgainstField(required=False, default=DRAFT)
    last = serializers.CharField(
        required=False, default="1h", max_length=20, help_text="How far back: a duration, such as 15m."
    )
    limit = serializers.IntegerField(
        required=False, default=MOST, min_value=1, max_value=MOST, help_text="The newest so many requests."
    )
    kind = serializers.ChoiceField(KINDS[1:], required=False, help_text="List only these.")
    page_size = serializers.IntegerField(required=False, default=PAGE, min_value=1, max_value=MOST_ON_PAGE)
    cursor = serializers.CharField(
        required=False, max_length=paging.LONGEST_CURSOR, help_text="`next` of the page before."
    )

    def to_internal_value(self, data: Mapping[str, Any]) -> Any:
        """A mistyped `against` would say something of another configuration."""
        known = tuple(self.fields)
        faults: dict[str, Any] = {}
        if isinstance(data, Mapping):
            strange = (str(name) for name in data if name not in known)
            faults = {name: [f"is not a field here{did_you_mean(name, known)}"] for name in strange}
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **faults}) from error  # type: ignore[dict-item]
        if faults:
            raise serializers.ValidationError(faults)
        return found

    def validate_last(self, value: str) -> float:
        try:
            return parse_duration(value)
        except ValueError as error:
            raise serializers.ValidationError("Want a duration up to 366d, such as 15m.") from error


class ReplayPlaceShape(Shape):
    """Where a request goes; with `code` it is refused."""

    route = serializers.CharField(allow_null=True)
    service = serializers.CharField(allow_null=True)
    status = serializers.IntegerField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class ReplayJudgedShape(Shape):
    kind = serializers.ChoiceField(KINDS[1:])
    before = ReplayPlaceShape()
    after = ReplayPlaceShape()
    because = serializers.CharField(
        help_text="What differs, why it would be refused, or what was not kept of it."
    )


class ReplayGroupShape(ReplayJudgedShape):
    """Requests of which the same is to be said."""

    count = serializers.IntegerField()
    example = serializers.IntegerField(help_text="`id` of the newest.")


class ReplayedShape(ReplayJudgedShape):
    """One request. `/control/v1/requests/{id}` has all that is kept of it."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    request_id = serializers.CharField()
    method = serializers.CharField()
    host = serializers.CharField()
    url = serializers.CharField(help_text="Secrets are masked.")
    revision = serializers.IntegerField(help_text="That served it.")


class ReplayCountsShape(Shape):
    same = serializers.IntegerField()
    elsewhere = serializers.IntegerField()
    refused = serializers.IntegerField()
    admitted = serializers.IntegerField()
    refused_otherwise = serializers.IntegerField()
    unknown = serializers.IntegerField()


class ReplayNotJudgedShape(Shape):
    what = serializers.CharField()
    requests = serializers.IntegerField()


class ReplayQuotaShape(Shape):
    quota = serializers.CharField()
    requests = serializers.IntegerField()


class ReplayQuotasShape(Shape):
    """By the quotas of `against`, of kept requests alone and from nothing: there may be more. `not_counted`: those of
    which was not kept what a quota goes by."""

    counted = serializers.IntegerField()
    not_counted = serializers.IntegerField()
    refused_at_least = serializers.IntegerField()
    by_quota = ReplayQuotaShape(many=True)


class ReplayShape(Shape):
    """Numbers are of all that were replayed, `groups` and `requests` of the kind that was asked for."""

    against = AgainstField()
    live = serializers.IntegerField(help_text="The revision that it is compared with.")
    replayed = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="False: the time was over before all were judged.")
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    quotas = ReplayQuotasShape()
    counts = ReplayCountsShape()
    not_judged = ReplayNotJudgedShape(
        many=True, help_text="What differs as well, and depends on other requests."
    )
    groups = ReplayGroupShape(many=True, help_text="The 50 most frequent.")
    requests = ReplayedShape(many=True, help_text="The newest first; those that stay the same are left out.")
    next = serializers.CharField(allow_null=True)


class ReplayView(ControlEndpoint):
    """Replaying recorded requests."""

    @documented(
        "Replay recorded requests",
        tag=_TAG,
        takes=ReplayOrder,
        asks=[_IF_MATCH],
        answers={200: ReplayShape},
        errors=(400, 401, 403, 404, 409, 412, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """By what is live and by the draft, or a revision: what would go elsewhere, be refused, or be let in. Nothing
        is sent, and nothing is counted."""
        staff_with(request, SEE_DRAFT, SEE_REQUESTS)
        asked = ReplayOrder(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        span, before = _span(wanted)
        if is_conditional(request):
            with changing(), reading():
                judged = document_of(str(wanted["against"]))
            require_match(request, of_digest(digest(judged, is_canonical=True)))
        try:
            with changing(invalid_is_conflict=True):
                found = replay(wanted["against"], span)
        except NoRevision as error:
            raise not_found(str(error)) from error
        except Busy as error:
            raise Refused(Rejection(Code.SERVICE_UNAVAILABLE, str(error), headers=_RETRY)) from error
        return Response(_page(found, wanted.get("kind", ""), wanted["page_size"], before))


def _page(found: Found, kind: str, size: int, before: int) -> dict[str, Any]:
    left = [item for item in found.of(kind) if not before or item.key < before]
    page = left[:size]
    behind = None
    if len(left) > size:
        behind = paging.cursor(f"{found.first}.{found.last}.{page[-1].key}")
    return {
        **found.as_json(),
        "groups": [group.as_json() for group in found.groups(kind)],
        "requests": [item.as_json() for item in page],
        "next": behind,
    }


def _span(wanted: dict[str, Any]) -> tuple[Span, int]:
    """The requests, and the number before which the page begins; 0: it is the first."""
    if "cursor" not in wanted:
        return Span(since=timezone.now() - timedelta(seconds=wanted["last"]), most=wanted["limit"]), 0
    try:
        key = paging.window({"cursor": wanted["cursor"]}).after or ""
    except paging.Faulty as fault:
        raise invalid({"cursor": str(fault)}) from fault
    parts = key.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        raise invalid({"cursor": "This is no cursor: send the one that the last page answered."})
    first, last, before = map(int, parts)
    return Span(first=first, last=max(1, last)), max(1, before)
