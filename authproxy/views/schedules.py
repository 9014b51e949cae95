"""D: `/control/v1/schedules…`: changes that come, and go again, by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.refusing import forbidden, invalid, not_found
from authproxy.serializers import Shape
from authproxy.views.changes import TAG, allowed
from authproxy.views.control.asking import ControlEndpoint, changing, require_match, shown, word
from authproxy.views.control.calling import PUBLISH
from authproxy.views.control.parameters import IF_MATCH, READING, lists, query, shows, text
from authproxy.views.control.tables import NEWEST_FIRST, one_of, page, searched
from authproxy.views.documented import documented
from routing.drafts import is_author
from routing.localtimes import BadTime, moment
from routing.locking import writing
from routing.models import Schedule
from routing.publishing import under_review
from routing.rows.changes import WHY_LENGTH
from routing.schedules import State
from routing.scheduleshape import as_json
from routing.scheduling import BadTimes, add, add_draft, approve, cancel, changes_of, has_hand_in

SEE: Final = "routing.view_schedule"
ADD: Final = "routing.add_schedule"
_STATES: Final = tuple(each.value for each in State)
_LONGEST_TIME: Final = 40


class _Times(Shape):
    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's."""
        return {**super().get_fields(), "from": serializers.CharField(max_length=_LONGEST_TIME)}


class ScheduleShape(_Times):
    """Times are UTC."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(_STATES)
    until = serializers.DateTimeField(allow_null=True)
    zone = serializers.CharField()
    changes = serializers.CharField()
    reason = serializers.CharField()
    author = serializers.CharField()
    approved_by = serializers.CharField(allow_null=True)
    begun_revision = serializers.IntegerField(allow_null=True)
    ended_revision = serializers.IntegerField(allow_null=True)
    note = serializers.CharField(allow_null=True)


class ScheduleWithChanges(ScheduleShape):
    difference = serializers.DictField()


class SchedulesShape(Shape):
    schedules = ScheduleShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class ScheduleOrder(_Times):
    """Times as the zone's clocks show them; either `document`, with only the keys that change, or `draft`."""

    document = serializers.DictField(required=False, allow_null=True, default=None)
    draft = serializers.BooleanField(required=False, default=False)
    until = serializers.CharField(required=False, allow_null=True, max_length=_LONGEST_TIME, default=None)
    zone = serializers.CharField(required=False, max_length=64, default="UTC")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=WHY_LENGTH, default="")

    def validate(self, attrs: Any) -> Any:
        if (attrs["document"] is None) is not attrs["draft"]:
            raise serializers.ValidationError({"document": ["Want either a document or the draft."]})
        return attrs


class CancelOrder(Shape):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=WHY_LENGTH, default="")


class SchedulesView(ControlEndpoint):
    """All scheduled changes."""

    @lists(
        "List scheduled changes",
        tag=TAG,
        asks=[
            query("state", "", enum=_STATES),
            text("author", "Who made them."),
            text("search", "Part of the reason."),
        ],
        answers=SchedulesShape,
    )
    def get(self, request: Request) -> Response:
        """Newest first, a page at a time."""
        allowed(request, SEE)
        rows = searched(Schedule.objects.defer("edits", "applied"), request, "reason")
        if state := one_of(request, "state", _STATES):
            rows = rows.filter(state=state)
        if author := word(request, "author"):
            rows = rows.filter(author=author)
        return Response(page(rows, request, "schedules", as_json, by=NEWEST_FIRST))

    @documented(
        "Schedule a change",
        tag=TAG,
        takes=ScheduleOrder,
        answers={201: ScheduleShape},
        errors=(400, 401, 403, 409, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """It takes the rights that its edits would take; under review somebody else must approve it."""
        caller = allowed(request, ADD, PUBLISH)
        wanted = ScheduleOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        when: dict[str, Any] = {
            "actor": caller.actor,
            "zone": given["zone"],
            "starts_at": _moment("from", given["from"], given["zone"]),
            "ends_at": _moment("until", given["until"], given["zone"]) if given["until"] else None,
            "reason": given["reason"],
            "now": timezone.now(),
        }
        with making():
            if not given["draft"]:
                return Response(as_json(add(given["document"], may=caller.may, **when)), status=201)
            if not caller.may(PUBLISH) and not (under_review() and is_author(caller.actor)):
                raise forbidden("The draft is scheduled by its authors, or by who may publish it.")
            return Response(as_json(add_draft(**when)), status=201)


class ScheduleView(ControlEndpoint):
    """One scheduled change."""

    @shows("Show a scheduled change", tag=TAG, answers=ScheduleWithChanges)
    def get(self, request: Request, number: int) -> Response:
        """With what it changes."""
        allowed(request, SEE)
        told = _told(_found(number))
        return shown(request, told, etag(told))


class ApproveView(ControlEndpoint):
    """Letting one run."""

    @documented(
        "Approve a scheduled change",
        tag=TAG,
        asks=[IF_MATCH],
        answers={200: ScheduleWithChanges},
        errors=(*READING, 404, 409, 412),
    )
    def post(self, request: Request, number: int) -> Response:
        """By nobody who has a hand in it."""
        actor = allowed(request, PUBLISH).actor
        with changing(), writing():
            require_match(request, etag(_told(_found(number))))
            return _decided(approve(number, actor=actor))


class CancelView(ControlEndpoint):
    """Taking one back."""

    @documented(
        "Cancel a scheduled change",
        tag=TAG,
        takes=CancelOrder,
        asks=[IF_MATCH],
        answers={200: ScheduleWithChanges},
        errors=(400, 401, 403, 404, 409, 412, 413, 415),
    )
    def post(self, request: Request, number: int) -> Response:
        """It never begins; if it has, it is taken back now. By who made it, or may publish."""
        caller, row = allowed(request, ADD, PUBLISH), _found(number)
        if not caller.may(PUBLISH) and not has_hand_in(row, caller.actor):
            raise forbidden("It is cancelled by who made it, or may publish.")
        wanted = CancelOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        with changing(), writing():
            require_match(request, etag(_told(_found(number))))
            return _decided(cancel(number, actor=caller.actor, reason=wanted.validated_data["reason"]))


@contextmanager
def making() -> Iterator[None]:
    """Around making one: times that make no sense are the request's fault."""
    with changing():
        try:
            yield
        except BadTimes as error:
            raise invalid({"until": str(error)}) from error


def _told(row: Schedule) -> dict[str, Any]:
    return {**as_json(row), "difference": changes_of(row).as_json()}


def _decided(row: Schedule) -> Response:
    told = _told(row)
    return Response(told, headers={"ETag": etag(told)})


def _found(number: int) -> Schedule:
    row = Schedule.objects.filter(pk=number).first() if number < 2**63 else None
    if row is None:
        raise not_found("There is no such scheduled change.")
    return row


def _moment(field: str, text: str, zone: str) -> datetime:
    try:
        return moment(text, zone)
    except BadTime as error:
        raise invalid({field: str(error)}) from error
