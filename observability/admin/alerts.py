"""D: The pages of alerts: who is told, what of, and how the telling went."""

import copy
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RadioFilter
from unfold.decorators import display
from unfold.forms import BaseDialogForm

from observability.admin.forms import ReceiverForm
from observability.alerts import recording
from observability.alerts.conditions import KINDS
from observability.models import AlertDelivery, AlertReceiver, Incident
from observability.rows.alerts import EMAIL, FAILED, WAITING
from routing.admin.audited import AuditedAdmin
from routing.admin.dialogs import action, go
from routing.admin.steering import SteeringAdmin

COLOURS: Final = {"warning": "warning", "critical": "danger"}
STATES: Final = {"waiting": "info", "sent": "success", "failed": "danger"}


@admin.register(AlertReceiver)
class AlertReceiverAdmin(AuditedAdmin, ModelAdmin):
    """Who is told. Whoever may change a receiver may send it a test."""

    form = ReceiverForm
    list_display = (
        "name", "shown_kind", "shown_address", "shown_alerts", "shown_enabled", "shown_waiting", "shown_last",
    )  # fmt: skip
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "enabled")}),
        (
            "Webhook",
            {
                "fields": ("url", "secret"),
                "description": "Messages are signed as the Standard Webhooks specification says. Redirects are not "
                "followed. The gateway must reach the address: point it at nothing inside your network that acts on "
                "a POST from anybody.",
            },
        ),
        ("E-mail", {"fields": ("addresses",), "description": "Sent by the server of EMAIL_URL."}),
        ("Which alerts", {"fields": ("alerts", "least")}),
    )
    conditional_fields: ClassVar[dict[str, str]] = {
        "url": "kind == 'webhook'",
        "secret": "kind == 'webhook'",
        "addresses": "kind == 'email'",
    }
    warn_unsaved_form = True
    actions_row: ClassVar[list[Any]] = ["send_test"]
    actions_detail: ClassVar[list[Any]] = ["send_test"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertReceiver]:
        queryset: QuerySet[AlertReceiver] = super().get_queryset(request)
        failed = AlertDelivery.objects.filter(receiver=OuterRef("pk")).exclude(error="").order_by("-pk")
        return queryset.annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state=WAITING)),
            last_error=Subquery(failed.values("error")[:1]),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only look sees neither the secret's place nor the whole URL, which may hold one."""
        may_save = self.has_change_permission(request, obj) if obj is not None else True
        if may_save:
            return self.fieldsets
        return ((None, {"fields": ("name", "shown_kind", "shown_enabled", "shown_address", "shown_alerts")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("shown_kind", "shown_enabled", "shown_address", "shown_alerts")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        """Conditions are between inputs: a page without them has none."""
        obj = kwargs.get("obj")
        if obj is not None and not self.has_change_permission(request, obj):
            viewed: Any = copy.copy(self)
            viewed.conditional_fields = {}
            context["adminform"].model_admin = viewed
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.made:
            said = "The signing secret of {} is <code>{}</code>: it is not shown again."
            self.message_user(request, format_html(said, obj.name, form.made), messages.WARNING)

    @action(
        description="Send a test",
        icon="outgoing_mail",
        permissions=["change"],
        url_path="send-a-test",
        dialog={
            "title": "Send a test message?",
            "description": "It goes the way of all alerts; how it went is in the list of deliveries.",
            "form_class": BaseDialogForm,
            "form_submit_text": "Send",
        },
    )
    def send_test(self, request: HttpRequest, _form: BaseDialogForm, object_id: str) -> HttpResponse:
        """Puts a test in the queue."""
        receiver = AlertReceiver.objects.filter(pk=object_id).first()
        if receiver is None:
            raise Http404
        if not receiver.enabled:
            self.message_user(request, f"{receiver.name} is switched off: nothing was sent.", messages.ERROR)
        else:
            recording.test(receiver, timezone.now())
            self.message_user(request, f"A test to {receiver.name} is on its way.")
        return go(request, reverse("admin:observability_alertdelivery_changelist"))

    @display(description="kind")
    def shown_kind(self, row: AlertReceiver) -> str:
        return str(row.get_kind_display())

    @display(description="where")
    def shown_address(self, row: AlertReceiver) -> str:
        if row.kind == EMAIL:
            return ", ".join(row.addresses.split())
        return row.shown_url()

    @display(description="alerts")
    def shown_alerts(self, row: AlertReceiver) -> str:
        return ", ".join(row.alerts) or "all"

    @display(description="enabled", boolean=True)
    def shown_enabled(self, row: AlertReceiver) -> bool:
        return row.enabled

    @display(description="waiting")
    def shown_waiting(self, row: Any) -> str:
        return f"{row.waiting}" + (f", {row.dropped} dropped" if row.dropped else "")

    @display(description="last trouble")
    def shown_last(self, row: Any) -> str:
        return row.note or row.last_error or "–"


class GoingOnFilter(RadioFilter):
    """Those that go on, or those that are over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("firing", "Going on"), ("resolved", "Over")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        if self.value() not in ("firing", "resolved"):
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "firing")


@admin.register(Incident)
class IncidentAdmin(SteeringAdmin):
    """What was wrong, the latest first."""

    when_empty = "Nothing has been wrong yet: no breaker opened, no target went down, no budget burned."
    list_display = ("summary", "shown_kind", "shown_severity", "at", "shown_end")
    list_filter: ClassVar[tuple[Any, ...]] = (GoingOnFilter,)
    search_fields = ("summary", "subject")
    search_help_text = "A service, a route, a node or a word"
    list_filter_submit = True
    fields = ("summary", "shown_kind", "shown_severity", "subject", "at", "shown_end", "shown_details")
    ordering = ("-pk",)

    @display(description="alert")
    def shown_kind(self, row: Incident) -> str:
        return KINDS.get(row.kind, row.kind)

    @display(description="severity", label=COLOURS)
    def shown_severity(self, row: Incident) -> str:
        return row.severity

    @display(description="until")
    def shown_end(self, row: Incident) -> Any:
        return row.resolved_at or "goes on"

    @display(description="details")
    def shown_details(self, row: Incident) -> str:
        return "\n".join(f"{name}: {value}" for name, value in sorted(row.details.items())) or "–"


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(SteeringAdmin):
    """How the telling went, the latest first."""

    when_empty = "No message has been sent yet. Receivers have a button that sends a test."
    list_display = ("at", "receiver", "event", "incident", "shown_state", "attempts", "status", "error")
    list_display_links = ("at",)
    list_select_related = ("receiver", "incident")
    list_filter: ClassVar[tuple[Any, ...]] = (("state", ChoicesDropdownFilter),)
    list_filter_submit = True
    search_fields = ("receiver__name", "message_id", "error")
    search_help_text = "A receiver, the id of a message, or an error"
    fields = (
        "at", "receiver", "event", "incident", "message_id", "shown_state", "attempts", "next_at", "done_at",
        "status", "error",
    )  # fmt: skip
    ordering = ("-pk",)

    @display(description="state", label=STATES)
    def shown_state(self, row: AlertDelivery) -> str:
        return "failed" if row.state == FAILED else row.state
