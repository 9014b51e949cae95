"""D: The pages of events that wait for the message hub, and of those that could not be handled."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from unfold.decorators import display

from authproxy.rows.limited import SEES_CALLERS
from realtime.bus import kept
from realtime.models import DeadLetter, WaitingEvent
from routing.admin.confirming import confirmed
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, steers
from routing.locking import StoreUnavailable


class _EventAdmin(SteeringAdmin):
    """What both pages show of an event."""

    sees = SEES_CALLERS
    search_fields: tuple[str, ...] = ("topic", "event_id")
    search_help_text = "A topic, or the id of an event"
    list_filter_submit = True

    @display(description="size", ordering="size")
    def shown_size(self, row: WaitingEvent | DeadLetter) -> str:
        return filesizeformat(row.size)

    @display(description="body")
    def shown_body(self, row: WaitingEvent | DeadLetter) -> str:
        return kept.preview(row)

    @display(description="headers")
    def shown_headers(self, row: WaitingEvent | DeadLetter) -> str:
        return "\n".join(f"{name}: {value}" for name, value in sorted(row.headers.items())) or "–"


@admin.register(WaitingEvent)
class WaitingEventAdmin(_EventAdmin):
    """The outbox, in the order in which it is sent on; nobody can change a row."""

    when_empty = "While the message hub is away, events of routes that publish wait here until it is back."
    list_display = ("at", "topic", "event_id", "shown_size")
    list_display_links = ("at",)
    fields = ("at", "topic", "event_id", "time", "content_type", "shown_size", "shown_headers", "shown_body")
    ordering = ("pk",)


@admin.register(DeadLetter)
class DeadLetterAdmin(_EventAdmin):
    """Messages that could not be handled. Operators send them again, or throw them away."""

    when_empty = "A message that cannot be handled, going to the message hub or coming from it, is kept here."
    list_display = ("at", "direction", "topic", "reason", "event_id", "shown_size")
    list_display_links = ("at", "topic")
    list_filter: ClassVar[tuple[Any, ...]] = ("direction",)
    search_fields = ("topic", "event_id", "reason")
    search_help_text = "A topic, the id of an event, or a reason"
    fields = (
        "at",
        "direction",
        "reason",
        "topic",
        "event_id",
        "time",
        "content_type",
        "shown_size",
        "shown_headers",
        "shown_body",
    )
    actions = ("send_selected", "throw_selected")
    actions_row: ClassVar[list[Any]] = ["send", "throw"]
    actions_detail: ClassVar[list[Any]] = ["send", "throw"]

    @steers(
        "Send again",
        icon="outgoing_mail",
        title="Send this message again?",
        about="It goes to the message hub, on its topic and under its own id, behind what waits already.",
    )
    def send(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Sends one again."""
        self._send(request, [self.row(request, object_id)], form.cleaned_data["reason"])
        return self.to_list(request)

    @steers(
        "Throw away",
        icon="delete",
        title="Throw this message away?",
        about="It is gone for good.",
    )
    def throw(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Throws one away."""
        row = DeadLetter.objects.filter(pk=self.row(request, object_id).pk)
        self._throw(request, row, form.cleaned_data["reason"])
        return self.to_list(request)

    @admin.action(description="Send again", permissions=["operate"])
    def send_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Asks, then sends them again."""
        return confirmed(
            self,
            request,
            queryset,
            verb="Send again",
            act=lambda why: self._send(request, list(queryset.order_by("pk")), why),
        )

    @admin.action(description="Throw away", permissions=["operate"])
    def throw_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Asks, then throws them away."""
        return confirmed(
            self, request, queryset, verb="Throw away", act=lambda why: self._throw(request, queryset, why)
        )

    def _send(self, request: HttpRequest, letters: list[DeadLetter], why: str) -> None:
        def act() -> str:
            moved = kept.send_again(letters, by=by(request), reason=why)
            left = (
                f"; {len(letters) - moved} stay, for want of room or of their bodies"
                if moved < len(letters)
                else ""
            )
            return f"Sent again: {moved}{left}."

        self.told(request, act, StoreUnavailable)

    def _throw(self, request: HttpRequest, queryset: QuerySet[DeadLetter], why: str) -> None:
        def act() -> str:
            letters = DeadLetter.objects.filter(pk__in=queryset.order_by().values("pk"))
            return f"Thrown away: {kept.throw_away(letters, by=by(request), reason=why)}."

        self.told(request, act, StoreUnavailable)
