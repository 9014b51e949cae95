"""D: The page of discovered targets: who registered what, what waits for approval, and what became of the others."""

from collections.abc import Callable
from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import display

from routing import leases
from routing.admin.confirming import confirmed
from routing.admin.dialogs import ReasonDialog
from routing.admin.steering import SteeringAdmin, by, steers
from routing.locking import StoreUnavailable
from routing.models import Lease, LeaseState

COLOURS: Final = {
    str(LeaseState.APPROVED.label): "success",
    str(LeaseState.PENDING.label): "warning",
    str(LeaseState.ENDED.label): "danger",
}
STEERING: Final = ["approve", "reject", "end"]
Act = Callable[[list[UUID], str, str], list[Lease]]


class StateFilter(RadioFilter):
    """Live ones, unless something else is asked for."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [("pending", "Waiting for approval"), ("approved", "Approved"), ("ended", "Ended")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Lease]) -> QuerySet[Lease]:
        return queryset.filter(state=self.value()) if self.value() in LeaseState.values else queryset


def _on_one(verb: str, icon: str, title: str, about: str, done: str) -> Any:
    """The action on one row that calls the module's function of that verb."""

    @steers(verb, icon=icon, title=title, about=about)
    def act_on_one(
        self: "LeaseAdmin", request: HttpRequest, form: ReasonDialog, object_id: str
    ) -> HttpResponse:
        self.act(request, [self.row(request, object_id).pk], _ACTS[verb], form.cleaned_data["reason"], done)
        return self.to_list(request)

    return act_on_one


def _on_many(verb: str, done: str) -> Any:
    """The same for rows of the list, after a page that asks."""

    @admin.action(description=verb, permissions=["operate"])
    def act_on_many(self: "LeaseAdmin", request: HttpRequest, queryset: QuerySet[Lease]) -> Any:
        keys = list(queryset.values_list("pk", flat=True))
        act = _ACTS[verb]
        return confirmed(
            self, request, queryset, verb=verb, act=lambda why: self.act(request, keys, act, why, done)
        )

    return act_on_many


@admin.register(Lease)
class LeaseAdmin(SteeringAdmin):
    """Registrations; those that have ended stay as history for a month."""

    when_empty = "Services that register themselves at /discovery/register are listed here."
    list_display = (
        "service",
        "shown_url",
        "shown_state",
        "consumer",
        "created_at",
        "expires_at",
        "ended_why",
    )
    list_display_links = ("service",)
    list_filter = (StateFilter, "service")
    search_fields = ("service", "url", "consumer")
    search_help_text = "A service, an address, or who registered it"
    ordering = ("ended_at", "-created_at")
    fields = (
        "id",
        "service",
        "shown_url",
        "shown_state",
        "consumer",
        "weight",
        "check_endpoint",
        "check_interval_s",
        "ttl_s",
        "created_at",
        "renewed_at",
        "expires_at",
        "decided_at",
        "decided_by",
        "ended_at",
        "ended_by",
        "ended_why",
    )
    actions = ("approve_selected", "reject_selected", "end_selected")
    actions_row: ClassVar[list[Any]] = STEERING
    actions_detail: ClassVar[list[Any]] = STEERING

    @display(description="URL", ordering="url")
    def shown_url(self, lease: Lease) -> str:
        return lease.url

    @display(description="state", label=COLOURS, ordering="state")
    def shown_state(self, lease: Lease) -> str:
        return lease.get_state_display()

    approve = _on_one(
        "Approve",
        "check",
        "Let this target take traffic?",
        "Later registrations of the same account for the same service are approved at once.",
        "approved",
    )
    reject = _on_one(
        "Reject",
        "close",
        "Reject this target?",
        "It ends; later registrations of the same account for the same service wait for approval.",
        "rejected",
    )
    end = _on_one(
        "End",
        "logout",
        "Take this target out?",
        "It gets no new requests, on every worker within a second. It may register again.",
        "ended",
    )
    approve_selected = _on_many("Approve", "approved")
    reject_selected = _on_many("Reject", "rejected")
    end_selected = _on_many("End", "ended")

    def act(self, request: HttpRequest, keys: list[UUID], act: Act, why: str, done: str) -> None:
        """Does it, and says so."""
        try:
            found = act(keys, by(request), why)
        except StoreUnavailable as refusal:
            self.message_user(request, f"Nothing was changed: {refusal}", "ERROR")
            return
        if found:
            names = ", ".join(str(lease) for lease in found[:3])
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            self.message_user(request, f"{names}{more}: {done}, live everywhere within a second.")
        else:
            self.message_user(request, f"There was nothing to be {done}.", "WARNING")


def _approve(keys: list[UUID], by: str, _why: str) -> list[Lease]:
    return leases.approve(keys, by=by)


def _reject(keys: list[UUID], by: str, why: str) -> list[Lease]:
    return leases.reject(keys, by=by, why=why)


def _end(keys: list[UUID], by: str, why: str) -> list[Lease]:
    return leases.end(keys, by=by, why=why or f"ended by {by}")


_ACTS: Final[dict[str, Act]] = {"Approve": _approve, "Reject": _reject, "End": _end}
