"""D: The page of the route defaults: one row, so the list leads straight to it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from routing.admin.entries import EntryAdmin
from routing.admin.forms.defaults import KIND, DefaultsForm
from routing.admin.sections import ROUTE_SECTIONS, Section
from routing.admin.tokens import unverifiable_tokens
from routing.models import RouteDefaults

ONLY = 1


@admin.register(RouteDefaults)
class RouteDefaultsAdmin(EntryAdmin):
    """What every route has unless it has its own."""

    form = DefaultsForm
    sections: ClassVar[tuple[Section, ...]] = ROUTE_SECTIONS

    def kind(self) -> str:
        return KIND

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id, from_field) or RouteDefaults(pk=ONLY)

    def warnings_about(self, row: RouteDefaults) -> list[SafeString]:
        return unverifiable_tokens(row)

    def changelist_view(
        self, _request: HttpRequest, _extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:routing_routedefaults_change", args=[ONLY]))
