"""D: The pages of services, with their targets inline."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from routing.admin.copying import COPY_OF, CopyingAdmin
from routing.admin.dialogs import go
from routing.admin.draining import DrainDialog, drain
from routing.admin.forms.service import TARGET_LEAVES, ServiceForm, TargetForm, TargetFormSet
from routing.admin.owners import OwnedInline
from routing.admin.sections import SERVICE_SECTIONS, Section
from routing.admin.steering import may_operate, steers
from routing.admin.trafficlink import TrafficLink
from routing.models import Route, RouteBackend, Service, Target
from routing.rows.services import PROTOCOLS

SHOWN_TARGETS = 3
DEFAULT_PROTOCOL = "http"


class TargetInline(OwnedInline):
    """The addresses of a service, in the order in which they were added."""

    model = Target
    form = TargetForm
    formset = TargetFormSet
    fields: ClassVar[list[str]] = [leaf.name for leaf in TARGET_LEAVES]
    extra = 0
    min_num = 1
    per_page = 50

    def get_extra(self, request: HttpRequest, obj: Any = None, **_: Any) -> int:
        if obj is not None or not (key := request.GET.get(COPY_OF, "")).isdecimal():
            return self.extra
        return max(0, Target.objects.filter(service_id=key).count() - self.min_num)


class ProtocolFilter(DropdownFilter):
    """Services that speak a protocol; one that says nothing speaks the default."""

    title = "protocol"
    parameter_name = "protocol"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in PROTOCOLS]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Service]) -> QuerySet[Service]:
        if not (wanted := self.value()):
            return queryset
        absent = Q(protocol=None) if wanted == DEFAULT_PROTOCOL else Q()
        return queryset.filter(Q(protocol=wanted) | absent)


@admin.register(Service)
class ServiceAdmin(TrafficLink, CopyingAdmin):
    """Who can answer."""

    form = ServiceForm
    sections: ClassVar[tuple[Section, ...]] = SERVICE_SECTIONS
    inlines: ClassVar[list[Any]] = [TargetInline]
    rows_section = "Service"
    list_display = ("name", "shown_targets", "shown_protocol", "shown_routes", "updated_at")
    list_filter = (ProtocolFilter,)
    search_fields = ("name", "targets__url", "notes")
    ordering = ("name",)
    actions_row: ClassVar[list[Any]] = ["duplicate", "drain"]
    actions_detail: ClassVar[list[Any]] = ["traffic", "duplicate", "drain"]

    def has_operate_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Operators drain what they may see."""
        return may_operate(request)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        """A descriptor set is a file to people."""
        found = super().get_fieldsets(request, obj)
        for _, options in found:
            if "descriptors" in options["fields"] and self._may_save(request, obj):
                options["fields"] = ["descriptors_file", *options["fields"]]
        return found

    @steers(
        "Drain",
        icon="water_drop",
        title="Which targets shall take nothing new?",
        about="What they have begun may finish. Those without a tick take requests.",
        form=DrainDialog,
    )
    def drain(self, request: HttpRequest, form: DrainDialog, object_id: str) -> HttpResponse:
        """Drains targets of one service, or uses them again."""
        service = self.get_queryset(request).filter(pk=object_id).first()
        if service is None:
            raise Http404
        there = reverse("admin:routing_service_changelist")
        given = form.cleaned_data

        def act() -> HttpResponse:
            number = drain(request, service, given["draining"], given["reason"])
            self.message_user(
                request, f"{service.name}: {number or 'no'} target{'s' * (number != 1)} changed."
            )
            return go(request, there)

        return self.refusals_told(request, act, there)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Service]:
        queryset: QuerySet[Service] = super().get_queryset(request)
        if _is_list(request, self):
            # A subquery, so that only the rows of one page are counted.
            routes = Route.objects.filter(service=OuterRef("pk")).order_by().values("service")
            counted = routes.annotate(number=Count("pk")).values("number")
            shares = RouteBackend.objects.filter(service=OuterRef("pk")).order_by().values("service")
            shared = shares.annotate(number=Count("route", distinct=True)).values("number")
            return queryset.prefetch_related("targets").annotate(
                route_count=Coalesce(Subquery(counted), 0), share_count=Coalesce(Subquery(shared), 0)
            )
        return queryset

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """The targets of a service that is duplicated are filled in, too; what is sent back counts as typed."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "GET" and obj.pk is None and (source := self.copied(request)) is not None:
            kwargs["initial"] = list(source.targets.values(*inline.fields))
        return kwargs

    @display(description="targets")
    def shown_targets(self, service: Service) -> SafeString | str:
        targets = list(service.targets.all())
        if not targets:
            return format_html('<span class="torana-warning">{}</span>', "none: every request fails")
        lines = format_html_join(
            "", "<div><code>{}</code></div>", ((t.url,) for t in targets[:SHOWN_TARGETS])
        )
        more = len(targets) - SHOWN_TARGETS
        return format_html("{}<div>and {} more</div>", lines, more) if more > 0 else lines

    @display(description="protocol", ordering="protocol")
    def shown_protocol(self, service: Service) -> str:
        return service.protocol or DEFAULT_PROTOCOL

    @display(description="routes", ordering="route_count")
    def shown_routes(self, service: Any) -> SafeString:
        """Those that lead here alone, and those that give it a share."""
        there = reverse("admin:routing_route_changelist")
        more = f" and {service.share_count} with a share" if service.share_count else ""
        return format_html(
            '<a class="text-link" href="{}?service__id__exact={}">{}</a>{}',
            there,
            service.pk,
            service.route_count,
            more,
        )


def _is_list(request: HttpRequest, page: ServiceAdmin) -> bool:
    match = request.resolver_match
    return match is not None and match.url_name == f"routing_{page.opts.model_name}_changelist"
