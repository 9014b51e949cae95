"""D: The page of calendar counts: whose, of which quota, what is left, when it ends; and an operator resets one."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.decorators import display

from authproxy.quotacounts import Told, current, history, of_period, of_quota, quota_names, told
from authproxy.quotaresets import ResetRefused, reset
from authproxy.rows.limited import SEES_CALLERS
from resilience.models import QuotaCount, QuotaReset
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, moment, steers
from routing.locking import StoreUnavailable

COLOURS: Final = {"used up": "danger", "has room": "success", "over": "info"}
SHOWN_HISTORY: Final = 50
SHOWN_CHOICES: Final = 200
Lookups = list[tuple[str, str]]
Counts = QuerySet[QuotaCount]


class QuotaFilter(DropdownFilter):
    """By quota, of the live configuration."""

    title = "quota"
    parameter_name = "quota"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(name, name) for name in quota_names()[:SHOWN_CHOICES]]

    def queryset(self, _request: HttpRequest, queryset: Counts) -> Counts:
        return queryset.filter(of_quota(self.value())) if self.value() else queryset


class PeriodFilter(RadioFilter):
    """By how long is counted."""

    title = "period"
    parameter_name = "period"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [("day", "Day"), ("month", "Month")]

    def queryset(self, _request: HttpRequest, queryset: Counts) -> Counts:
        return queryset.filter(of_period(self.value())) if self.value() in ("day", "month") else queryset


class WindowFilter(RadioFilter):
    """Windows that have ended are kept for an hour."""

    title = "window"
    parameter_name = "window"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [("current", "Goes on"), ("over", "Has ended")]

    def queryset(self, _request: HttpRequest, queryset: Counts) -> Counts:
        match self.value():
            case "current":
                return queryset.filter(current())
            case "over":
                return queryset.exclude(current())
        return queryset


class _CountsAdmin(SteeringAdmin):
    """Whoever may see whom quotas refuse may see what they count."""

    sees = SEES_CALLERS


@admin.register(QuotaCount)
class QuotaCountAdmin(_CountsAdmin):
    """As recorded: at most two seconds old."""

    when_empty = (
        "Quotas of a day or a month are listed here, for each caller, once they have counted a request."
    )
    list_display = (
        "shown_caller",
        "shown_quota",
        "shown_state",
        "shown_used",
        "shown_limit",
        "shown_left",
        "shown_end",
    )
    list_filter: ClassVar[tuple[Any, ...]] = (QuotaFilter, PeriodFilter, WindowFilter)
    list_filter_submit = True
    search_fields = ("bucket",)
    search_help_text = "A quota, a consumer, an address or another key"
    ordering = ("-count", "pk")
    fields = (*list_display, "bucket", "resets")
    actions_row: ClassVar[list[Any]] = ["reset"]
    actions_detail: ClassVar[list[Any]] = ["reset"]
    change_form_after_template = "authproxy/admin/count_history.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """All rows of a page are told of together."""
        page = super().get_changelist_instance(request)
        rows = list(page.result_list)
        for row, each in zip(rows, told(rows), strict=True):
            row.told = each
        page.result_list = rows
        return page

    @display(description="counted together", ordering="bucket")
    def shown_caller(self, row: QuotaCount) -> str:
        return _told(row).caller

    @display(description="quota")
    def shown_quota(self, row: QuotaCount) -> str:
        return f"{_told(row).quota}, by the {_told(row).period} (UTC)"

    @display(description="now", label=COLOURS)
    def shown_state(self, row: QuotaCount) -> str:
        return _told(row).state

    @display(description="used", ordering="count")
    def shown_used(self, row: QuotaCount) -> int:
        return row.count

    @display(description="limit")
    def shown_limit(self, row: QuotaCount) -> str:
        """A quota that is no more has none."""
        return _number(_told(row).limit)

    @display(description="left")
    def shown_left(self, row: QuotaCount) -> str:
        return _number(_told(row).left)

    @display(description="begins anew", ordering="ends_s")
    def shown_end(self, row: QuotaCount) -> str:
        return moment(_told(row).ends_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (row := kwargs.get("obj")) is not None:
            context["history"] = history(row.bucket)[:SHOWN_HISTORY]
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    @steers(
        "Reset",
        icon="restart_alt",
        title="Count from nothing again?",
        about="The caller has the whole limit once more, everywhere within a second, until the period ends.",
    )
    def reset(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Counts one caller anew."""
        row = self.row(request, object_id)

        def act() -> str:
            order = reset(row.bucket, by=by(request), reason=form.cleaned_data["reason"])
            each = _told(row)
            return (
                f"{each.caller} of {each.quota}: reset from {order.count}, live everywhere within a second."
            )

        self.told(request, act, ResetRefused, StoreUnavailable)
        return self.to_list(request)


@admin.register(QuotaReset)
class QuotaResetAdmin(_CountsAdmin):
    """Who reset which count, newest first; nobody can change or delete a row."""

    list_display = ("at", "bucket", "count", "by", "reason")
    list_display_links = ("at",)
    search_fields = ("bucket", "by", "reason")
    search_help_text = "A quota, a caller, who did it, or why"
    fields = list_display
    ordering = ("-at", "-pk")


def _told(row: Any) -> Told:
    if not hasattr(row, "told"):
        row.told = told([row])[0]
    found: Told = row.told
    return found


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)
