"""D: The page of targets: which are ejected or unhealthy and since when, and an operator's word to put them back."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import display

from resilience.models import TargetHealth, TargetReadmission
from routing.admin.confirming import confirmed
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, moment, steers
from routing.locking import StoreUnavailable
from routing.ordering import OrderRefused
from routing.readmitting import (
    history,
    is_ejected,
    is_out,
    is_unhealthy,
    readmit_all,
    standings,
    told_of,
)

COLOURS: Final = {"healthy": "success", "unhealthy": "danger", "ejected": "danger", "unchecked": "info"}
SHOWN_HISTORY: Final = 50
_WHICH: Final = {"out": is_out, "ejected": is_ejected, "unhealthy": is_unhealthy}


class StandingFilter(RadioFilter):
    """How targets are now."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("out", "Left out"), ("ejected", "Ejected"), ("unhealthy", "Unhealthy")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[TargetHealth]) -> QuerySet[TargetHealth]:
        which = _WHICH.get(self.value() or "")
        return queryset if which is None else queryset.filter(which())


@admin.register(TargetHealth)
class TargetHealthAdmin(SteeringAdmin):
    """All targets that are checked, or ejected."""

    when_empty = "A target is listed here once it is checked or ejected, as its service says."
    list_display = (
        "target",
        "service",
        "shown_state",
        "shown_since",
        "shown_until",
        "shown_why",
    )
    list_filter: ClassVar[tuple[Any, ...]] = (StandingFilter,)
    search_fields = ("service", "target", "why")
    search_help_text = "A service, an address, or what was wrong"
    ordering = ("service", "target")
    fields = (*list_display, "checked_at", "node")
    actions = ("readmit_selected",)
    actions_row: ClassVar[list[Any]] = ["readmit"]
    actions_detail: ClassVar[list[Any]] = ["readmit"]
    change_form_after_template = "routing/admin/target_history.html"

    def get_queryset(self, _request: HttpRequest) -> QuerySet[TargetHealth]:
        return standings().order_by(*self.ordering)

    @display(description="state", label=COLOURS)
    def shown_state(self, row: TargetHealth) -> str:
        return told_of(row).state

    @display(description="since")
    def shown_since(self, row: TargetHealth) -> str:
        return moment(told_of(row).since)

    @display(description="left out until")
    def shown_until(self, row: TargetHealth) -> str:
        """An unhealthy one until its checks say otherwise."""
        return moment(told_of(row).until)

    @display(description="why")
    def shown_why(self, row: TargetHealth) -> str:
        return told_of(row).why or "–"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (row := kwargs.get("obj")) is not None:
            context["history"] = history(row.service, row.target)[:SHOWN_HISTORY]
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    @steers(
        "Put back",
        icon="undo",
        title="Put this target back?",
        about="It gets requests again, on every worker within a second, and goes again if they or its checks fail.",
    )
    def readmit(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Puts one back."""
        self._readmit(request, [self.row(request, object_id)], form.cleaned_data["reason"])
        return self.to_list(request)

    @admin.action(description="Put back", permissions=["operate"])
    def readmit_selected(self, request: HttpRequest, queryset: QuerySet[TargetHealth]) -> HttpResponse | None:
        """Asks, then puts them back."""
        rows = list(queryset)
        return confirmed(
            self, request, queryset, verb="Put back", act=lambda why: self._readmit(request, rows, why)
        )

    def _readmit(self, request: HttpRequest, rows: Iterable[TargetHealth], why: str) -> None:
        targets = [(row.service, row.target) for row in rows]

        def act() -> str:
            found = readmit_all(targets, by=by(request), reason=why)
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            return (
                f"{found[0]}{more}: put back, live everywhere within a second." if found else "Nothing to do."
            )

        self.told(request, act, OrderRefused, StoreUnavailable)


@admin.register(TargetReadmission)
class TargetReadmissionAdmin(SteeringAdmin):
    """Who put which target back, newest first; nobody can change or delete a row."""

    list_display = ("at", "service", "target", "by", "reason")
    list_display_links = ("at",)
    search_fields = ("service", "target", "by", "reason")
    search_help_text = "A service, an address, who did it, or why"
    fields = list_display
    ordering = ("-at", "-pk")
