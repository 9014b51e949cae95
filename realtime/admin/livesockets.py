"""D: The page of live WebSocket connections of all workers, and an operator's word to end one, some or all."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from authproxy.rows.limited import SEES_CALLERS
from realtime.ending import end_all, end_some
from realtime.models import LiveSocket, SocketEnding
from routing.admin.confirming import confirmed
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, steers
from routing.locking import StoreUnavailable
from routing.ordering import OrderRefused

SHOWN_CHOICES = 200


class RouteFilter(DropdownFilter):
    """Connections of one route."""

    title = "route"
    parameter_name = "route"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        names = LiveSocket.objects.order_by("route").values_list("route", flat=True).distinct()
        return [(name, name) for name in names[:SHOWN_CHOICES]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[LiveSocket]) -> QuerySet[LiveSocket]:
        return queryset.filter(route=self.value()) if self.value() else queryset


@admin.register(LiveSocket)
class LiveSocketAdmin(SteeringAdmin):
    """Connections through routes, as workers told of them last."""

    sees = SEES_CALLERS
    when_empty = "A WebSocket connection through a route is listed here a second after it was made."
    list_display = (
        "since",
        "shown_user",
        "address",
        "route",
        "target",
        "shown_received",
        "shown_sent",
        "node",
    )
    list_display_links = ("since", "shown_user")
    list_filter: ClassVar[tuple[Any, ...]] = (RouteFilter,)
    list_filter_submit = True
    search_fields = ("user", "address", "route", "service", "target", "node")
    search_help_text = "A caller, an address, a route, a service, a target, or a worker"
    fields = (
        "since",
        "shown_user",
        "address",
        "route",
        "service",
        "target",
        "shown_received",
        "shown_sent",
        "node",
        "seen_at",
    )
    actions = ("end_selected",)
    actions_list: ClassVar[list[Any]] = ["end_every_one"]
    actions_row: ClassVar[list[Any]] = ["end"]
    actions_detail: ClassVar[list[Any]] = ["end"]

    @display(description="user", ordering="user")
    def shown_user(self, row: LiveSocket) -> str:
        return row.user or "anonymous"

    @display(description="from the client", ordering="received")
    def shown_received(self, row: LiveSocket) -> str:
        return filesizeformat(row.received)

    @display(description="to the client", ordering="sent")
    def shown_sent(self, row: LiveSocket) -> str:
        return filesizeformat(row.sent)

    @steers(
        "End",
        icon="link_off",
        title="End this connection?",
        about="Its client is told 1001 (going away) within a second, and may connect again.",
    )
    def end(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Ends one."""
        keys = [self.row(request, object_id).pk]
        self._end(request, lambda: _some(keys, request, form.cleaned_data["reason"]))
        return self.to_list(request)

    @steers(
        "End all",
        icon="link_off",
        title="End all connections?",
        about="On every worker, also those that are not listed. Clients are told 1001 (going away), and may come back.",
    )
    def end_every_one(self, request: HttpRequest, form: ReasonDialog) -> HttpResponse:
        """Ends all, on all workers."""
        why = form.cleaned_data["reason"]
        self._end(request, lambda: end_all(by=by(request), reason=why).what)
        return self.to_list(request)

    @admin.action(description="End", permissions=["operate"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[LiveSocket]) -> HttpResponse | None:
        """Asks, then ends them."""
        keys = list(queryset.values_list("pk", flat=True))
        return confirmed(
            self,
            request,
            queryset,
            verb="End",
            act=lambda why: self._end(request, lambda: _some(keys, request, why)),
        )

    def _end(self, request: HttpRequest, act: Callable[[], str]) -> None:
        self.told(request, lambda: f"{act()}: ended within a second.", OrderRefused, StoreUnavailable)


def _some(keys: list[int], request: HttpRequest, why: str) -> str:
    found = end_some(keys, by=by(request), reason=why)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else "Nothing"


@admin.register(SocketEnding)
class SocketEndingAdmin(SteeringAdmin):
    """Who ended which connections, newest first; nobody can change or delete a row."""

    sees = SEES_CALLERS
    list_display = ("at", "what", "by", "reason")
    list_display_links = ("at",)
    search_fields = ("what", "by", "reason")
    search_help_text = "A caller, a route, who did it, or why"
    fields = list_display
    ordering = ("-at", "-pk")
