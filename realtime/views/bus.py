"""D: `/control/v1/bus/…`: events that wait for the message hub, and those that could not be handled."""

from typing import Any, Final, TypeVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.moments import rfc3339
from authproxy.refusing import not_found
from authproxy.rows.limited import SEES_CALLERS
from authproxy.serializers import Shape
from authproxy.views.base import OPERATE
from authproxy.views.control.asking import ControlEndpoint, at_once, conflict, require_match, shown, word
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.parameters import IF_MATCH, READING, lists, shows, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import BY_NUMBER, one_of, page, searched
from authproxy.views.documented import documented
from realtime.bus import kept
from realtime.models import DeadLetter, WaitingEvent
from resilience.rows.breakers import REASON_LENGTH

TAG: Final = "Message hub"
_DIRECTIONS: Final = ("in", "out")
_NEWEST_FIRST: Final = ("-at", "-pk")
Kept = TypeVar("Kept", WaitingEvent, DeadLetter)


class WaitingEventShape(Shape):
    """`event_id` is what the hub knows it by, `bytes` the size of its body."""

    id = serializers.IntegerField()
    event_id = serializers.CharField()
    topic = serializers.CharField()
    at = serializers.DateTimeField(help_text="Since when it is kept.")
    time = serializers.CharField(help_text="Of the event, as whoever published it has it.")
    content_type = serializers.CharField()
    headers = serializers.DictField()
    bytes = serializers.IntegerField()


class DeadLetterShape(WaitingEventShape):
    """`direction`: on its way to the hub (`out`), or from it."""

    direction = serializers.ChoiceField(_DIRECTIONS)
    reason = serializers.CharField(help_text="Why it could not be handled.")


class WholeWaitingEventShape(WaitingEventShape):
    body = serializers.CharField(help_text="Its beginning, without values that look secret.")


class WholeDeadLetterShape(DeadLetterShape):
    body = serializers.CharField(help_text="Its beginning, without values that look secret.")


class WaitingEventsPage(Shape):
    events = WaitingEventShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class DeadLettersPage(Shape):
    letters = DeadLetterShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class SendOrder(Shape):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class SentAgainShape(Shape):
    """It waits for the hub under its own id."""

    event_id = serializers.CharField()
    topic = serializers.CharField()


class WaitingEventsView(ControlEndpoint):
    """The outbox."""

    @lists(
        "List waiting events",
        tag=TAG,
        asks=[text("search", "Part of the topic, or of the event's id.")],
        answers=WaitingEventsPage,
    )
    def get(self, request: Request) -> Response:
        """In the order in which they are sent on, a page at a time, without bodies."""
        _viewer(request, "waitingevent")
        rows = searched(WaitingEvent.objects.defer("body"), request, "topic", "event_id")
        return Response(page(rows, request, "events", event_json, BY_NUMBER))


class WaitingEventView(ControlEndpoint):
    """One of them."""

    @shows("Show a waiting event", tag=TAG, answers=WholeWaitingEventShape)
    def get(self, request: Request, pk: int) -> Response:
        """With the beginning of its body."""
        _viewer(request, "waitingevent")
        row = _numbered(WaitingEvent.objects.all(), pk, "waiting event")
        told = {**event_json(row), "body": kept.preview(row)}
        return shown(request, told, etag(told))


class DeadLettersView(ControlEndpoint):
    """What could not be handled."""

    @lists(
        "List dead letters",
        tag=TAG,
        asks=[
            text("search", "Part of the topic, of the event's id, or of the reason."),
            parameter("direction", "", enum=_DIRECTIONS),
        ],
        answers=DeadLettersPage,
    )
    def get(self, request: Request) -> Response:
        """The latest first, a page at a time, without bodies."""
        _viewer(request, "deadletter")
        rows = searched(DeadLetter.objects.defer("body"), request, "topic", "event_id", "reason")
        if direction := one_of(request, "direction", _DIRECTIONS):
            rows = rows.filter(direction=direction)
        return Response(page(rows, request, "letters", letter_json, _NEWEST_FIRST))


class DeadLetterView(ControlEndpoint):
    """One of them."""

    @shows("Show a dead letter", tag=TAG, answers=WholeDeadLetterShape)
    def get(self, request: Request, pk: int) -> Response:
        """With the beginning of its body."""
        _viewer(request, "deadletter")
        told = _whole(_letter(pk))
        return shown(request, told, etag(told))

    @documented(
        "Throw a dead letter away",
        tag=TAG,
        asks=[text("reason", "Why; kept in the audit trail.", REASON_LENGTH), IF_MATCH],
        answers={204: None},
        errors=(*READING, 404, 412),
    )
    def delete(self, request: Request, pk: int) -> Response:
        """It is gone for good."""
        caller = _operator(request)
        reason = word(request, "reason", REASON_LENGTH)
        with at_once():
            row = _letter(pk, is_held=True)
            require_match(request, etag(_whole(row)))
            kept.throw_away(DeadLetter.objects.filter(pk=row.pk), by=caller.name, reason=reason)
        return Response(status=204)


class SendLetterView(ControlEndpoint):
    """Trying once more."""

    @documented(
        "Send a dead letter again",
        tag=TAG,
        takes=SendOrder,
        asks=[IF_MATCH],
        answers={202: SentAgainShape},
        errors=(400, 401, 403, 404, 409, 412, 413, 415),
    )
    def post(self, request: Request, pk: int) -> Response:
        """It goes to the hub on its topic and under its own id, behind what waits already, and is no dead letter then.
        409: its body was not kept, or there is no room for it."""
        caller = _operator(request)
        wanted = SendOrder(data=request.data)
        wanted.is_valid(raise_exception=True)
        with at_once():
            row = _letter(pk, is_held=True)
            require_match(request, etag(_whole(row)))
            if not kept.is_whole(row):
                raise conflict("Its body was not kept: it is too large.")
            if not kept.send_again([row], by=caller.name, reason=wanted.validated_data["reason"]):
                raise conflict("There is no room for it among the events that wait for the hub.")
        return Response({"event_id": row.event_id, "topic": row.topic}, status=202)


def event_json(row: WaitingEvent | DeadLetter) -> dict[str, Any]:
    """All but its body."""
    return {
        "id": row.pk,
        "event_id": row.event_id,
        "topic": row.topic,
        "at": rfc3339(row.at),
        "time": row.time,
        "content_type": row.content_type,
        "headers": row.headers,
        "bytes": row.size,
    }


def letter_json(row: DeadLetter) -> dict[str, Any]:
    """The same of a dead letter, and why it is one."""
    return {**event_json(row), "direction": row.direction, "reason": row.reason}


def _whole(row: DeadLetter) -> dict[str, Any]:
    return {**letter_json(row), "body": kept.preview(row)}


def _viewer(request: Request, model: str) -> None:
    """Whoever may see admin's page."""
    staff(request).require(f"realtime.view_{model}", f"realtime.change_{model}", SEES_CALLERS, OPERATE)


def _operator(request: Request) -> Caller:
    caller = staff(request)
    caller.require(OPERATE)
    return caller


def _letter(pk: int, *, is_held: bool = False) -> DeadLetter:
    """`is_held`: nobody else sends it or throws it away until the end of the transaction."""
    rows = DeadLetter.objects.select_for_update() if is_held else DeadLetter.objects.all()
    return _numbered(rows, pk, "dead letter")


def _numbered(rows: "QuerySet[Kept]", pk: int, what: str) -> Kept:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise not_found(f"There is no {what} {pk}.")
    return found
