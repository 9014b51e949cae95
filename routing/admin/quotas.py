"""D: The pages of quotas: how many requests in which time, and which routes and plans that concerns."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from routing.admin.forms.leaves import Kind, Leaf
from routing.admin.forms.policies import QuotaForm
from routing.admin.forms.texts import show
from routing.admin.policies import PolicyAdmin
from routing.admin.sections import QUOTA_SECTIONS, Section
from routing.admin.uses import Use, plans_of, quota_uses
from routing.models import Plan, Quota, Route, RouteDefaults

SHOWN_ROUTES: Final = 3
MODES: Final = {"enforce": "success", "log": "info"}
_BUCKET: Final = "token_bucket"
_KEY: Final = Leaf(("key",), Kind.STRUCTURE, "Key")


@admin.register(Quota)
class QuotaAdmin(PolicyAdmin):
    """Budgets of requests, by name."""

    form = QuotaForm
    sections: ClassVar[tuple[Section, ...]] = QUOTA_SECTIONS
    list_display = ("name", "shown_limit", "shown_algorithm", "shown_key", "shown_mode", "shown_routes")
    search_fields: ClassVar[tuple[str, ...]] = ("name", "key", "notes")
    change_form_after_template = "routing/admin/quota_uses.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """One look at the routes for all quotas of the page."""
        found = super().get_changelist_instance(request)
        uses = _uses()
        for quota in found.result_list:
            quota.uses = uses.get(quota.name, [])
        return found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (quota := kwargs.get("obj")) is not None:
            rows = Plan.objects.exclude(quotas=None).values_list("pk", "name", "quotas")
            context["uses"] = [(_link(use), use.is_log) for use in _uses().get(quota.name, [])]
            context["plans"] = plans_of(rows, quota.name)
        return super().render_change_form(request, context, **kwargs)

    @display(description="limit", ordering="limit")
    def shown_limit(self, quota: Quota) -> str:
        is_bucket = (quota.algorithm or _BUCKET) == _BUCKET
        burst = f", {quota.burst} at once" if quota.burst and is_bucket else ""
        return f"{quota.limit} per {quota.per}{burst}"

    @display(description="algorithm", ordering="algorithm")
    def shown_algorithm(self, quota: Quota) -> str:
        is_calendar = quota.per in ("day", "month")
        return ("fixed_window" if is_calendar else quota.algorithm or _BUCKET).replace("_", " ")

    @display(description="counted by")
    def shown_key(self, quota: Quota) -> str:
        return show(_KEY, "consumer" if quota.key is None else quota.key)

    @display(description="mode", label=MODES, ordering="mode")
    def shown_mode(self, quota: Quota) -> str:
        return quota.mode or "enforce"

    @display(description="routes")
    def shown_routes(self, quota: Any) -> SafeString | str:
        if not quota.uses:
            return "none"
        lines = format_html_join("", "<div>{}</div>", ((_link(use),) for use in quota.uses[:SHOWN_ROUTES]))
        more = len(quota.uses) - SHOWN_ROUTES
        return format_html("{}<div>and {} more</div>", lines, more) if more > 0 else lines


def _uses() -> dict[str, list[Use]]:
    rows = Route.objects.exclude(quotas=None).order_by("name").values_list("pk", "name", "quotas")
    return quota_uses(rows.iterator(), RouteDefaults.objects.values_list("values", flat=True).first())


def _link(use: Use) -> SafeString:
    kind, name = ("route", use.route) if use.key is not None else ("routedefaults", "routes that name none")
    there = reverse(f"admin:routing_{kind}_change", args=[use.key or 1])
    return format_html('<a class="text-link" href="{}">{}</a>', there, name)
