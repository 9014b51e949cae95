"""D: `/control/v1/alerts/receivers…`: who is told of alerts, as admin's page has it; a secret is answered once."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.refusing import invalid, not_found
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, at_once, conflict, require_match, shown
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.noting import note
from authproxy.views.control.parameters import CHANGING, IF_MATCH, IF_NONE_MATCH, READING, lists, shows, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import flagged, one_of, page, searched
from authproxy.views.documented import documented
from observability.admin.forms import MOST_ADDRESSES, ReceiverForm
from observability.alerts import recording
from observability.alerts.conditions import KINDS
from observability.alerts.secrets import unsealed
from observability.models import AlertReceiver
from observability.rows.alerts import EMAIL, NAME_LENGTH, WEBHOOK
from routing.admin.audited import picture

TAG: Final = "Alerts"
SEE: Final = "observability.view_alertreceiver"
CHANGE: Final = "observability.change_alertreceiver"
_RECEIVER_KINDS: Final = (WEBHOOK, EMAIL)
_LEAST: Final = ("warning", "critical")
_BY_NAME: Final = ("name",)


class ReceiverWanted(Shape):
    """What is not given is as of a new one; `name` is the path's. `secret`: as it is, unless one is given."""

    kind = serializers.ChoiceField(_RECEIVER_KINDS, default=WEBHOOK)
    enabled = serializers.BooleanField(default=True)
    url = serializers.CharField(max_length=2000, allow_blank=True, default="")
    secret = serializers.CharField(max_length=200, required=False)
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=320), max_length=MOST_ADDRESSES, default=list
    )
    alerts = serializers.ListField(
        child=serializers.ChoiceField(tuple(KINDS)), default=list, help_text="None: all."
    )
    least = serializers.ChoiceField(_LEAST, default="warning", help_text="The least severity that is told.")


class ReceiverShape(Shape):
    """`url` ends after its host for whoever may not change it, as its path may hold a token."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(_RECEIVER_KINDS)
    enabled = serializers.BooleanField()
    url = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())
    alerts = serializers.ListField(child=serializers.ChoiceField(tuple(KINDS)))
    least = serializers.ChoiceField(_LEAST)
    note = serializers.CharField(help_text="Why the gateway switched it off.")


class ListedReceiver(ReceiverShape):
    """`dropped` is in the list only: it grows by itself, and orders about a receiver are not for one count of it."""

    dropped = serializers.IntegerField(help_text="Messages that there was no room for.")


class ReceiverWithSecret(ReceiverShape):
    secret = serializers.CharField(
        required=False, help_text="Where the gateway made it; it is shown this once."
    )


class ReceiversPage(Shape):
    receivers = ListedReceiver(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class SentShape(Shape):
    """Of the message, as the list of deliveries has it."""

    message_id = serializers.CharField()


class ReceiversView(ControlEndpoint):
    """All who are told."""

    @lists(
        "List alert receivers",
        tag=TAG,
        asks=[
            text("search", "Part of the name."),
            parameter("kind", "", enum=_RECEIVER_KINDS),
            parameter("enabled", "", type={"type": "boolean"}),
        ],
        answers=ReceiversPage,
    )
    def get(self, request: Request) -> Response:
        """By name, a page at a time."""
        caller = staff(request)
        caller.require(SEE, CHANGE)
        rows = searched(AlertReceiver.objects.all(), request, "name")
        if kind := one_of(request, "kind", _RECEIVER_KINDS):
            rows = rows.filter(kind=kind)
        rows = flagged(rows, request, "enabled", Q(enabled=True))
        return Response(page(rows, request, "receivers", lambda row: _listed(caller, row), _BY_NAME))


class ReceiverView(ControlEndpoint):
    """One of them."""

    @shows("Show an alert receiver", tag=TAG, answers=ReceiverShape)
    def get(self, request: Request, name: str) -> Response:
        """Without its secret."""
        caller = staff(request)
        caller.require(SEE, CHANGE)
        row = _named(name)
        return shown(request, seen_by(caller, row), tag_of(row))

    @documented(
        "Make or replace an alert receiver",
        tag=TAG,
        takes=ReceiverWanted,
        asks=[IF_MATCH, IF_NONE_MATCH],
        answers={200: ReceiverWithSecret, 201: ReceiverWithSecret},
        errors=(*CHANGING, 409),
    )
    def put(self, request: Request, name: str) -> Response:
        """The same body again changes nothing. A new webhook without a secret gets one, which is answered this once."""
        caller = staff(request)
        caller.require(CHANGE, "observability.add_alertreceiver")
        wanted = ReceiverWanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        with at_once():
            row = AlertReceiver.objects.select_for_update().filter(name=name).first()
            caller.require(f"observability.{'add' if row is None else 'change'}_alertreceiver")
            require_match(request, None if row is None else tag_of(row))
            kept, secret = _become(row, name, wanted.validated_data, caller)
        told = seen_by(caller, kept) | ({"secret": secret} if secret else {})
        return Response(told, status=201 if row is None else 200, headers={"ETag": tag_of(kept)})

    @documented(
        "Remove an alert receiver", tag=TAG, asks=[IF_MATCH], answers={204: None}, errors=(*READING, 404, 412)
    )
    def delete(self, request: Request, name: str) -> Response:
        """With the messages that wait for it."""
        caller = staff(request)
        caller.require("observability.delete_alertreceiver")
        with at_once():
            row = _named(name, is_held=True)
            require_match(request, tag_of(row))
            note(caller, "delete", row, picture(row), None)
            row.delete()
        return Response(status=204)


class TryReceiverView(ControlEndpoint):
    """Trying it out."""

    @documented(
        "Send a test to an alert receiver",
        tag=TAG,
        asks=[IF_MATCH],
        answers={202: SentShape},
        errors=(*READING, 404, 409, 412),
    )
    def post(self, request: Request, name: str) -> Response:
        """The message goes the way of all alerts; how it went is in the list of deliveries."""
        caller = staff(request)
        caller.require(CHANGE)
        with at_once():
            row = _named(name, is_held=True)
            require_match(request, tag_of(row))
            if not row.enabled:
                raise conflict(f'"{name}" is switched off.')
            sent = recording.test(row, timezone.now())
        return Response({"message_id": sent.message_id}, status=202)


def seen_by(caller: Caller, row: AlertReceiver) -> dict[str, Any]:
    """What somebody wrote but for the secret, and as much of the URL as the caller may see."""
    return {
        "name": row.name,
        "kind": row.kind,
        "enabled": row.enabled,
        "url": row.url if caller.may(CHANGE) else row.shown_url(),
        "addresses": row.addresses.split(),
        "alerts": list(row.alerts),
        "least": row.least,
        "note": row.note,
    }


def _listed(caller: Caller, row: AlertReceiver) -> dict[str, Any]:
    return {**seen_by(caller, row), "dropped": row.dropped}


def tag_of(row: AlertReceiver) -> str:
    """Of all that somebody may write, the secret included."""
    written = ("name", "kind", "enabled", "url", "addresses", "alerts", "least", "note")
    return etag({**{name: getattr(row, name) for name in written}, "secret": bytes(row.sealed).hex()})


def _become(
    row: AlertReceiver | None, name: str, given: Mapping[str, Any], caller: Caller
) -> tuple[AlertReceiver, str]:
    """Writes what differs, by the form of admin's page; the secret that was made for it, if one was."""
    before = None if row is None else picture(row)
    secret = given.get("secret", "")
    if row is not None and secret and secret == unsealed(bytes(row.sealed)):
        secret = ""
    data = {**given, "name": name, "secret": secret, "addresses": "\n".join(given["addresses"])}
    form = ReceiverForm(data=data, instance=row or AlertReceiver())
    if not form.is_valid():
        raise invalid({field: [str(each) for each in found] for field, found in form.errors.items()})
    if form.cleaned_data["name"] != name:
        raise invalid({"name": "This begins or ends with a space."})
    form.save(commit=False)
    kept = form.instance
    if before != (after := picture(kept)):
        kept.save()
        note(caller, "create" if before is None else "change", kept, before, after)
    return kept, form.made


def _named(name: str, *, is_held: bool = False) -> AlertReceiver:
    rows = AlertReceiver.objects.select_for_update() if is_held else AlertReceiver.objects.all()
    found = rows.filter(name=name).first() if len(name) <= NAME_LENGTH else None
    if found is None:
        raise not_found(f'There is no alert receiver "{name}".')
    return found
