"""D: The pages of routes: the list with what each does, the form in sections, and the way to explain."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from routing.admin.backends import BackendInline, backends_text, save_backends
from routing.admin.choosing import Choosing
from routing.admin.columns import match_text, policies, publish_text, redirect_text, respond_text
from routing.admin.confirming import confirmed
from routing.admin.copying import CopyingAdmin
from routing.admin.dialogs import ReasonDialog, action, go
from routing.admin.explaining import PERMISSION as EXPLAIN_PERMISSION
from routing.admin.filters import DestinationFilter, EnabledFilter, HostFilter, MethodFilter
from routing.admin.forms.route import RouteForm
from routing.admin.publishing import published
from routing.admin.purges import purged
from routing.admin.rolenames import unknown_roles
from routing.admin.sections import ROUTE_SECTIONS, Section
from routing.admin.shadowing import warnings_about
from routing.admin.steering import may_operate, steers
from routing.admin.tokens import unverifiable_tokens
from routing.admin.trafficlink import TrafficLink
from routing.cleaning import written
from routing.columns import DESTINATIONS
from routing.document.effective import WITH_BACKENDS
from routing.locking import StoreUnavailable
from routing.models import Destination, Route, RouteDefaults
from routing.purging import PurgeRefused


@admin.register(Route)
class RouteAdmin(Choosing, TrafficLink, CopyingAdmin):
    """Which request goes where, and under which rules."""

    form = RouteForm
    sections: ClassVar[tuple[Section, ...]] = ROUTE_SECTIONS
    inlines: ClassVar[list[Any]] = [BackendInline]
    rows_section = "Destination"
    autocomplete_fields = ("service",)
    copied_columns = ("notes", "destination", "service")
    conditional_fields: ClassVar[Mapping[str, str]] = {
        "service": "destination == 'service'",
        **{
            leaf.name: f"destination == '{leaf.path[0]}'"
            for leaf in RouteForm.leaves
            if leaf.path[0] in DESTINATIONS
        },
        **{
            leaf.name: "destination == 'backends'"
            for leaf in RouteForm.leaves
            if leaf.path[0] in WITH_BACKENDS
        },
    }
    list_display = (
        "name",
        "shown_path",
        "shown_hosts",
        "shown_methods",
        "shown_destination",
        "shown_policies",
        "shown_enabled",
        "shown_priority",
    )
    list_select_related = ("service",)
    list_filter = (
        EnabledFilter,
        ("service", AutocompleteSelectFilter),
        DestinationFilter,
        MethodFilter,
        HostFilter,
    )
    search_fields = ("name", "path", "hosts", "service__name", "notes")
    ordering = ("name",)
    actions = ("enable_selected", "disable_selected", "purge_selected")
    actions_row: ClassVar[list[Any]] = ["explain", "duplicate", "enable", "disable", "purge"]
    actions_detail: ClassVar[list[Any]] = ["explain", "traffic", "duplicate", "purge"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        queryset: QuerySet[Route] = super().get_queryset(request)
        defaults = Subquery(RouteDefaults.objects.values_list("values")[:1])
        return queryset.prefetch_related("backends__service").annotate(defaults=defaults)

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """The services of a route that is duplicated are filled in, too."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "GET" and obj.pk is None and (source := self.copied(request)) is not None:
            kwargs["initial"] = list(source.backends.values(*inline.fields))
        return kwargs

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A route's services are kept in their order."""
        save_backends(form.instance, formset)

    def section_fields(self, section: Section, names: list[str]) -> list[Any]:
        return ["destination", "service", *names] if section.title == "Destination" else names

    def warnings_about(self, route: Route) -> list[SafeString]:
        return [*warnings_about(str(route)), *unknown_roles(route), *unverifiable_tokens(route)]

    # Columns

    @display(description="path", ordering="path")
    def shown_path(self, route: Route) -> SafeString:
        text, kind = match_text(route.path, route.path_type)
        return format_html('<code>{}</code> <span class="torana-subtle">{}</span>', text, kind)

    @display(description="hosts", ordering="hosts")
    def shown_hosts(self, route: Route) -> str:
        return ", ".join(route.hosts or ()) or "any"

    @display(description="methods", ordering="methods")
    def shown_methods(self, route: Route) -> str:
        return " ".join(route.methods or ()) or "any"

    @display(description="destination", ordering="destination")
    def shown_destination(self, route: Route) -> SafeString | str:
        match route.destination:
            case Destination.SERVICE if route.service is not None:
                there = reverse("admin:routing_service_change", args=[route.service_id])
                return format_html('<a class="text-link" href="{}">{}</a>', there, route.service.name)
            case Destination.BACKENDS:
                return backends_text(route)
            case Destination.REDIRECT:
                return redirect_text(route.redirect)
            case Destination.RESPOND:
                return respond_text(route.respond)
            case Destination.PUBLISH:
                return publish_text(route.publish)
        return str(Destination(route.destination).label)

    @display(description="policies", label=True)
    def shown_policies(self, route: Any) -> list[str]:
        return policies(written(route), route.defaults or {})

    @display(description="enabled", boolean=True, ordering="enabled")
    def shown_enabled(self, route: Route) -> bool:
        return route.enabled is not False

    @display(description="priority", ordering="priority")
    def shown_priority(self, route: Route) -> int:
        return route.priority or 0

    # Actions

    def has_explain_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """An explanation names routes of others."""
        return request.user.has_perm(EXPLAIN_PERMISSION)

    @action(description="Explain", icon="travel_explore", permissions=["explain"], url_path="explain")
    def explain(self, _request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        """Opens the explain page with a request that this route should take."""
        return HttpResponseRedirect(f"{reverse('admin:routing_explain')}?route={object_id}")

    @action(
        description="Enable",
        icon="toggle_on",
        permissions=["change"],
        url_path="enable",
        dialog={
            "title": "Enable this route?",
            "description": "It takes requests as soon as the change is live.",
            "form_class": ReasonDialog,
            "form_submit_text": "Enable",
        },
    )
    def enable(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Enables one route."""
        return self._switched(request, form, object_id, is_on=True)

    @action(
        description="Disable",
        icon="toggle_off",
        permissions=["change"],
        url_path="disable",
        dialog={
            "title": "Disable this route?",
            "description": "It matches nothing until it is enabled again.",
            "form_class": ReasonDialog,
            "form_submit_text": "Disable",
        },
    )
    def disable(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Disables one route."""
        return self._switched(request, form, object_id, is_on=False)

    @admin.action(description="Enable selected routes", permissions=["change"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Route]) -> HttpResponse | None:
        """Asks, then enables the selected routes in one revision."""
        return confirmed(
            self,
            request,
            queryset,
            verb="Enable",
            act=lambda why: self.switch(queryset, request, why, is_on=True),
        )

    @admin.action(description="Disable selected routes", permissions=["change"])
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Route]) -> HttpResponse | None:
        """Asks, then disables the selected routes in one revision."""
        return confirmed(
            self,
            request,
            queryset,
            verb="Disable",
            act=lambda why: self.switch(queryset, request, why, is_on=False),
        )

    def has_operate_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Operators purge what they may see."""
        return may_operate(request)

    @steers(
        "Purge cache",
        icon="delete_sweep",
        title="Serve stored answers of this route no more?",
        about="Its service is asked again, on every worker within a second.",
    )
    def purge(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Purges the stored answers of one route."""
        queryset = self.get_queryset(request).filter(pk=object_id)
        self._purge(request, queryset, form.cleaned_data["reason"])
        return go(request, reverse("admin:routing_route_changelist"))

    @admin.action(description="Purge stored answers of selected routes", permissions=["operate"])
    def purge_selected(self, request: HttpRequest, queryset: QuerySet[Route]) -> HttpResponse | None:
        """Asks, then purges the stored answers of the selected routes."""
        return confirmed(
            self, request, queryset, verb="Purge", act=lambda why: self._purge(request, queryset, why)
        )

    def changeable(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Purging changes no row: operators purge what they see."""
        named = request.POST.getlist(
            "action"
        )  # Django runs one of them; the index that it goes by may be any
        if named and set(named) <= {"purge_selected"}:
            return queryset
        return super().changeable(request, queryset)

    def _purge(self, request: HttpRequest, queryset: QuerySet[Route], why: str) -> None:
        names = list(queryset.values_list("name", flat=True))
        try:
            self.message_user(request, purged("route", names, request, reason=why))
        except (PurgeRefused, StoreUnavailable) as refusal:
            self.message_user(request, f"Nothing was purged: {refusal}", "ERROR")

    def switch(self, queryset: QuerySet[Route], request: HttpRequest, why: str, *, is_on: bool) -> None:
        """Enables or disables routes; what is so already is left alone."""
        wrong = queryset.filter(enabled=False) if is_on else queryset.exclude(enabled=False)
        verb = "Enable" if is_on else "Disable"
        with published(request, message=why or f"{verb} {self.counted(wrong.count())}"):
            wrong.order_by().update(enabled=is_on, version=F("version") + 1, updated_at=timezone.now())

    def _switched(
        self, request: HttpRequest, form: ReasonDialog, object_id: str, *, is_on: bool
    ) -> HttpResponse:
        there = reverse("admin:routing_route_changelist")
        if not self.has_change_permission(request, object_id):  # unfold asks for no row in particular
            raise PermissionDenied
        queryset = self.get_queryset(request).filter(pk=object_id)

        def act() -> HttpResponse:
            self.switch(queryset, request, form.cleaned_data["reason"], is_on=is_on)
            return go(request, there)

        return self.refusals_told(request, act, there)
