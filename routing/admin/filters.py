"""D: Filters of the list of routes, by what a route does rather than by how a column is written."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, TextFilter

from routing.admin.forms.route import HONOURED_DESTINATIONS
from routing.document.wire import COMMON_METHODS
from routing.models import Destination, Route

Routes = QuerySet[Route]
Lookups = list[tuple[str, str]]


class EnabledFilter(RadioFilter):
    """A route that says nothing is enabled."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [("enabled", "Enabled"), ("disabled", "Disabled")]

    def queryset(self, _request: HttpRequest, queryset: Routes) -> Routes:
        match self.value():
            case "enabled":
                return queryset.exclude(enabled=False)
            case "disabled":
                return queryset.filter(enabled=False)
        return queryset


class DestinationFilter(DropdownFilter):
    """Where routes lead."""

    title = "destination"
    parameter_name = "leads_to"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(key, str(Destination(key).label)) for key in HONOURED_DESTINATIONS]

    def queryset(self, _request: HttpRequest, queryset: Routes) -> Routes:
        return queryset.filter(destination=self.value()) if self.value() else queryset


class MethodFilter(DropdownFilter):
    """Routes that take a method: they name it, or name none."""

    title = "method"
    parameter_name = "method"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(method, method) for method in COMMON_METHODS]

    def queryset(self, _request: HttpRequest, queryset: Routes) -> Routes:
        wanted = self.value()
        return queryset.filter(Q(methods__icontains=wanted) | Q(methods=None)) if wanted else queryset


class HostFilter(TextFilter):
    """Routes that name a host with this text in it."""

    title = "host"
    parameter_name = "host"

    def queryset(self, _request: HttpRequest, queryset: Routes) -> Routes:
        return queryset.filter(hosts__icontains=self.value()) if self.value() else queryset
