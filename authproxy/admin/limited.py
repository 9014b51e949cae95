"""D: The page of callers whom quotas refuse: who, by which quota, why, and when there is room again."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.decorators import display

from authproxy.limited import caller_text, why
from authproxy.models import LimitedCaller
from routing.admin.revisions import ReadOnlyAdmin

COLOURS: Final = {"limited": "danger", "has room again": "success", "only counted": "info"}
SHOWN_CHOICES: Final = 200
Lookups = list[tuple[str, str]]


class ModeFilter(RadioFilter):
    """Whether requests were refused, or only counted."""

    title = "mode"
    parameter_name = "mode"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [("enforce", "Enforced"), ("log", "Log only")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[LimitedCaller]) -> QuerySet[LimitedCaller]:
        match self.value():
            case "enforce":
                return queryset.filter(refused__gt=0)
            case "log":
                return queryset.filter(would_refuse__gt=0)
        return queryset


class _NameFilter(DropdownFilter):
    """Rows with one of the names that are there."""

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        names = LimitedCaller.objects.order_by(self.parameter_name).values_list(
            self.parameter_name, flat=True
        )
        return [(name, name) for name in names.distinct()[:SHOWN_CHOICES]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[LimitedCaller]) -> QuerySet[LimitedCaller]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class QuotaFilter(_NameFilter):
    """By quota."""

    title = "quota"
    parameter_name = "quota"


class RouteFilter(_NameFilter):
    """By route."""

    title = "route"
    parameter_name = "route"


@admin.register(LimitedCaller)
class LimitedCallerAdmin(ReadOnlyAdmin):
    """Those of the last hour; nobody can change or delete one."""

    when_empty = "Within the last hour no quota has refused anybody, nor would one that only counts."
    list_display = (
        "last_at",
        "shown_standing",
        "shown_caller",
        "quota",
        "shown_limit",
        "route",
        "refused",
        "would_refuse",
        "shown_room",
    )
    list_display_links = ("last_at", "shown_caller")
    list_filter: ClassVar[tuple[Any, ...]] = (QuotaFilter, ModeFilter, RouteFilter)
    list_filter_submit = True
    search_fields = ("caller", "quota", "route", "request_ids")
    search_help_text = "A caller, an address, or the id of a request (X-Request-ID of its answer)"
    fields = (
        "shown_why",
        "shown_standing",
        "shown_room",
        "caller",
        "quota",
        "shown_limit",
        "route",
        "refused",
        "would_refuse",
        "first_at",
        "last_at",
        "shown_requests",
    )
    ordering = ("-last_at", "-pk")

    @display(description="now", label=COLOURS)
    def shown_standing(self, row: LimitedCaller) -> str:
        if not row.is_enforced:
            return "only counted"
        return "limited" if row.is_limited else "has room again"

    @display(description="counted together", ordering="caller")
    def shown_caller(self, row: LimitedCaller) -> str:
        return caller_text(row.caller)

    @display(description="limit", ordering="limit")
    def shown_limit(self, row: LimitedCaller) -> str:
        return f"{row.limit} per {row.period}"

    @display(description="room again")
    def shown_room(self, row: LimitedCaller) -> str:
        """Log-only quotas never lack any."""
        return date_format(localtime(row.room_at), "DATETIME_FORMAT") if row.is_enforced else "–"

    @display(description="why")
    def shown_why(self, row: LimitedCaller) -> str:
        return why(
            quota=row.quota,
            limit=row.limit,
            per=row.period,
            caller=row.caller,
            is_enforced=row.is_enforced,
        )

    @display(description="last requests")
    def shown_requests(self, row: LimitedCaller) -> SafeString:
        ids = row.request_ids.split() or ["–"]
        return format_html_join("", "<div><code>{}</code></div>", ((each,) for each in ids))
