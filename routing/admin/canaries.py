"""D: The page of canaries: which share each has and why, its history, and an operator's word about it."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from resilience.canary import Word
from resilience.models import CanaryEvent, CanaryState
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, moment, steers
from routing.canarying import ENDED, history, next_at, percent_of, policy_of, steer, unpacked
from routing.locking import StoreUnavailable
from routing.ordering import OrderRefused

SHOWN_HISTORY: Final = 50
COLOURS: Final = {"running": "info", "paused": "warning", "promoted": "success", "rolled back": "danger"}
STEERING: Final = ["pause", "resume", "promote", "roll_back", "restart"]
STEERING_ONE: Final = [
    "roll_back",
    {"title": "Steer", "icon": "trending_up", "items": ["pause", "resume", "promote", "restart"]},
]
"""The urgent one at once: five buttons leave no room for the page's title."""


@admin.register(CanaryState)
class CanaryAdmin(SteeringAdmin):
    """One for each route that has a canary."""

    list_display = (
        "route",
        "service",
        "shown_stage",
        "shown_percent",
        "shown_step",
        "since",
        "shown_next",
        "shown_counts",
        "by",
        "reason",
    )
    list_filter = ("stage",)
    search_fields = ("route", "service", "reason", "by")
    search_help_text = "A route, its new service, a reason, or who"
    ordering = ("route",)
    fields = list_display
    change_form_after_template = "routing/admin/canary_history.html"
    actions_row: ClassVar[list[Any]] = STEERING
    actions_detail: ClassVar[list[Any]] = STEERING_ONE

    def get_queryset(self, _request: HttpRequest) -> QuerySet[CanaryState]:
        return CanaryState.objects.exclude(stage=ENDED).order_by(*self.ordering)

    @display(description="state", label=COLOURS)
    def shown_stage(self, canary: CanaryState) -> str:
        return canary.stage.replace("_", " ")

    @display(description="share")
    def shown_percent(self, canary: CanaryState) -> str:
        return f"{percent_of(canary):g} %"

    @display(description="step")
    def shown_step(self, canary: CanaryState) -> str:
        return f"{canary.step + 1} of {len(policy_of(canary).steps)}"

    @display(description="next step")
    def shown_next(self, canary: CanaryState) -> str:
        """If enough requests were seen by then."""
        return moment(next_at(canary))

    @display(description="failed in this step")
    def shown_counts(self, canary: CanaryState) -> str:
        counts = unpacked(canary.canary)
        return f"{counts.failures} of {counts.requests}" if counts.requests else "–"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (canary := kwargs.get("obj")) is not None:
            context["history"] = history(canary.route)[:SHOWN_HISTORY]
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    @steers(
        "Pause",
        icon="pause",
        title="Keep its share as it is?",
        about="It goes back all the same if it fails.",
    )
    def pause(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Keeps its share."""
        return self._steer(request, form, object_id, "pause")

    @steers("Resume", icon="play_arrow", title="Let it go on?", about="The step that it is in begins anew.")
    def resume(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Goes on."""
        return self._steer(request, form, object_id, "resume")

    @steers(
        "Promote",
        icon="done_all",
        title="Send it everything?",
        about="All requests go to the new service, on every worker within a second; nothing is judged any more.",
    )
    def promote(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """100 %."""
        return self._steer(request, form, object_id, "promote")

    @steers(
        "Roll back",
        icon="undo",
        title="Send it nothing?",
        about="All requests go to the other services, on every worker within a second.",
    )
    def roll_back(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """0 %."""
        return self._steer(request, form, object_id, "roll_back")

    @steers("Restart", icon="restart_alt", title="Begin again?", about="With the share of its first step.")
    def restart(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """The first step."""
        return self._steer(request, form, object_id, "restart")

    def _steer(self, request: HttpRequest, form: ReasonDialog, object_id: str, word: Word) -> HttpResponse:
        route = str(self.row(request, object_id).route)

        def act() -> str:
            row = steer(route, word, by=by(request), reason=form.cleaned_data["reason"])
            stage = row.stage.replace("_", " ")
            return f"{row.route}: {stage} at {percent_of(row):g} %, live everywhere within a second."

        self.told(request, act, OrderRefused, StoreUnavailable)
        return self.to_list(request)


@admin.register(CanaryEvent)
class CanaryEventAdmin(SteeringAdmin):
    """Every step of every canary, newest first; nobody can change or delete one."""

    list_display = ("at", "route", "service", "stage", "shown_percent", "shown_counts", "by", "reason")
    list_display_links = ("at",)
    list_filter = ("stage",)
    search_fields = ("route", "service", "by", "reason")
    search_help_text = "A route, its new service, who did it, or why"
    fields = list_display
    ordering = ("-at", "-pk")

    @display(description="share")
    def shown_percent(self, event: CanaryEvent) -> str:
        return f"{event.percent:g} %"

    @display(description="failed")
    def shown_counts(self, event: CanaryEvent) -> str:
        return f"{event.failures} of {event.requests}" if event.requests else "–"
