"""D: The page of breakers: how each stands and since when, its history, and an operator's word about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from resilience.breaker import State
from resilience.models import BreakerState, BreakerTransition
from routing import breaking
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, steers
from routing.document.scalars import parse_duration
from routing.locking import StoreUnavailable
from routing.ordering import OrderRefused

SHOWN_HISTORY: Final = 50
COLOURS: Final = {"closed": "success", "half open": "warning", "open": "danger"}
STEERING: Final = ["force_open", "force_closed", "release", "reset"]


class ForceDialog(ReasonDialog):
    """Why, and for how long."""

    duration = forms.CharField(
        required=False,
        label="For how long",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "30m, 2h, 1d; empty: until it is released"}),
    )

    def clean_duration(self) -> datetime | None:
        """When it ends."""
        text = self.cleaned_data["duration"].strip()
        if not text:
            return None
        try:
            return timezone.now() + timedelta(seconds=parse_duration(text))
        except ValueError as error:
            raise forms.ValidationError("Write a duration such as 30m, 2h or 1d.") from error


@admin.register(BreakerState)
class BreakerAdmin(SteeringAdmin):
    """One for each service that has a breaker."""

    when_empty = "A breaker is listed here once a request to its service fails, or somebody forces it."
    list_display = (
        "service",
        "shown_state",
        "since",
        "shown_counts",
        "shown_force",
        "reason",
        "forced_until",
    )
    list_filter = ("state", "forced")
    search_fields = ("service", "reason", "forced_by")
    search_help_text = "A service, a reason, or who forced it"
    ordering = ("service",)
    fields = (
        "service",
        "shown_state",
        "shown_measured",
        "since",
        "cause",
        "shown_counts",
        "shown_force",
        "reason",
        "forced_until",
    )
    change_form_after_template = "routing/admin/breaker_history.html"
    actions_row: ClassVar[list[Any]] = STEERING
    actions_detail: ClassVar[list[Any]] = STEERING

    @display(description="state", label=COLOURS)
    def shown_state(self, breaker: BreakerState) -> str:
        return breaker.effective.replace("_", " ")

    @display(description="measured")
    def shown_measured(self, breaker: BreakerState) -> str:
        """What it would be were it not forced."""
        return str(breaker.state).replace("_", " ")

    @display(description="failed in the window")
    def shown_counts(self, breaker: BreakerState) -> str:
        if breaker.counted_at is None or timezone.now() - breaker.counted_at > timedelta(
            seconds=breaker.window_s
        ):
            return "–"
        return f"{breaker.failures} of {breaker.requests}"

    @display(description="forced")
    def shown_force(self, breaker: BreakerState) -> str:
        return f"{breaker.forced} by {breaker.forced_by}" if breaker.forced else "–"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (breaker := kwargs.get("obj")) is not None:
            context["last_errors"] = [  # `errors` are the form's
                (datetime.fromtimestamp(at, UTC), why) for at, why in reversed(breaker.errors)
            ]
            context["history"] = BreakerTransition.objects.filter(service=breaker.service)[:SHOWN_HISTORY]
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    @steers(
        "Force open",
        icon="block",
        title="Send this service nothing?",
        about="Its requests are refused with 503, on every worker within a second.",
        form=ForceDialog,
    )
    def force_open(self, request: HttpRequest, form: ForceDialog, object_id: str) -> HttpResponse:
        """Holds it open."""
        return self._force(request, form, object_id, State.OPEN)

    @steers(
        "Force closed",
        icon="lock",
        title="Send this service everything?",
        about="Whatever fails, its requests pass, on every worker within a second.",
        form=ForceDialog,
    )
    def force_closed(self, request: HttpRequest, form: ForceDialog, object_id: str) -> HttpResponse:
        """Holds it closed."""
        return self._force(request, form, object_id, State.CLOSED)

    @steers(
        "Release",
        icon="lock_open",
        title="Let what is measured decide again?",
        about="Nothing is forced any more.",
    )
    def release(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Takes the force back."""
        return self._force(request, form, object_id, None)

    @steers(
        "Reset",
        icon="restart_alt",
        title="Close it and forget what was counted?",
        about="It opens again if requests go on failing. What is forced stays forced.",
    )
    def reset(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Closes it."""
        reason = form.cleaned_data["reason"]
        return self._order(
            request, object_id, lambda service: breaking.reset(service, by=by(request), reason=reason)
        )

    def _force(
        self, request: HttpRequest, form: ReasonDialog, object_id: str, state: State | None
    ) -> HttpResponse:
        more = {"reason": form.cleaned_data["reason"], "until": form.cleaned_data.get("duration")}
        return self._order(
            request, object_id, lambda service: breaking.force(service, state, by=by(request), **more)
        )

    def _order(
        self, request: HttpRequest, object_id: str, order: Callable[[str], BreakerState]
    ) -> HttpResponse:
        service = str(self.row(request, object_id).service)

        def act() -> str:
            row = order(service)
            return f"{row.service}: {row.effective.replace('_', ' ')}, live everywhere within a second."

        self.told(request, act, OrderRefused, StoreUnavailable)
        return self.to_list(request)


@admin.register(BreakerTransition)
class BreakerTransitionAdmin(SteeringAdmin):
    """Every change of every breaker, newest first; nobody can change or delete one."""

    list_display = ("at", "service", "before", "after", "cause", "shown_counts", "by", "reason", "until")
    list_display_links = ("at",)
    list_filter = ("after", "cause")
    search_fields = ("service", "by", "reason")
    search_help_text = "A service, who did it, or why"
    fields = ("at", "service", "before", "after", "cause", "shown_counts", "by", "reason", "until")
    ordering = ("-at", "-pk")

    @display(description="failed")
    def shown_counts(self, transition: BreakerTransition) -> str:
        return f"{transition.failures} of {transition.requests}" if transition.requests else "–"
