"""D: Scheduled changes: what comes and goes by itself, who approved it, and what stood in its way."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from routing.admin.dialogs import ReasonDialog, action, go
from routing.admin.forms.schedule import ScheduleForm
from routing.admin.publishing import PUBLISH_PERMISSION, NotPublished, actor_of, refused, tell_refusal
from routing.admin.rendering import difference
from routing.admin.revisions import ReadOnlyAdmin
from routing.drafts import is_author
from routing.localtimes import BadTime, shown
from routing.models import PendingChange, Schedule
from routing.publishing import draft_changes, under_review
from routing.schedules import State
from routing.scheduling import add, add_draft, approve, cancel, changes_of, has_hand_in

TEMPLATE = "routing/admin/schedule_plan.html"
ADD_PERMISSION = "routing.add_schedule"
COLOURS = {
    State.WAITING: "warning",
    State.SCHEDULED: "info",
    State.ACTIVE: "success",
    State.CONFLICT: "danger",
    State.MISSED: "danger",
}


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Rows are made on a page of their own, and changed by the gateway alone."""

    list_display = (
        "shown_number",
        "shown_state",
        "shown_from",
        "shown_until",
        "summary",
        "reason",
        "author",
        "approved_by",
    )
    list_filter = ("state",)
    search_fields = ("summary", "reason", "author")
    fields = (
        "shown_state", "note", "shown_from", "shown_until", "zone", "reason", "author", "approved_by",
        "begun_revision", "ended_revision", "created_at",
    )  # fmt: skip
    change_form_after_template = "routing/admin/revision_difference.html"
    actions_list: ClassVar[list[Any]] = ["plan"]
    actions_detail: ClassVar[list[Any]] = ["approve", "cancel"]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("plan/new/", self.admin_site.admin_view(self.plan_view), name="routing_schedule_plan_form")
        ]
        return [*own, *super().get_urls()]

    @display(description="number", ordering="pk")
    def shown_number(self, row: Schedule) -> int:
        return row.pk

    @display(description="state", label=COLOURS)
    def shown_state(self, schedule: Schedule) -> str:
        return State(schedule.state).value

    @display(description="from", ordering="starts_at")
    def shown_from(self, schedule: Schedule) -> str:
        return _shown(schedule.starts_at, schedule.zone)

    @display(description="until", ordering="ends_at")
    def shown_until(self, schedule: Schedule) -> str:
        return _shown(schedule.ends_at, schedule.zone) if schedule.ends_at else "it stays"

    def has_plan_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        return request.user.has_perm(ADD_PERMISSION) or request.user.has_perm(PUBLISH_PERMISSION)

    def has_approve_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        return request.user.has_perm(PUBLISH_PERMISSION)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (schedule := kwargs.get("obj")) is not None:
            context |= {"difference": difference(changes_of(schedule)), "difference_title": "What it changes"}
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    @action(description="Schedule a change", icon="more_time", permissions=["plan"], url_path="plan")
    def plan(self, _request: HttpRequest) -> HttpResponse:
        """Leads to the form."""
        return HttpResponseRedirect(reverse("admin:routing_schedule_plan_form"))

    def plan_view(self, request: HttpRequest) -> HttpResponse:
        """The form that schedules a change, or the draft."""
        if not self.has_plan_permission(request):
            raise PermissionDenied
        form = ScheduleForm(
            request.POST or None,
            with_document=request.user.has_perm(ADD_PERMISSION),
            with_draft=_may_take_draft(request),
            initial={"what": request.GET.get("what", "")},
        )
        if request.method == "POST" and form.is_valid() and (made := _made(request, form)) is not None:
            return HttpResponseRedirect(reverse("admin:routing_schedule_change", args=[made.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Schedule a change",
            "opts": self.opts,
            "form": form,
            "under_review": under_review(),
        }
        return TemplateResponse(request, TEMPLATE, context)

    @action(
        description="Approve",
        icon="check_circle",
        permissions=["approve"],
        url_path="approve",
        dialog={
            "title": "Approve this change?",
            "description": "It is published at its time, or at once if that has passed.",
            "form_class": ReasonDialog,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """By somebody who has no hand in it."""
        there = reverse("admin:routing_schedule_change", args=[object_id])
        try:
            with refused():
                approve(_key(object_id), actor=actor_of(request), reason=form.cleaned_data["reason"])
                messages.success(request, "Approved.")
        except NotPublished as refusal:
            tell_refusal(request, refusal)
        return go(request, there)

    @action(
        description="Cancel",
        icon="event_busy",
        permissions=["plan"],
        url_path="cancel",
        dialog={
            "title": "Cancel this change?",
            "description": "If it has begun, it is taken back now.",
            "form_class": ReasonDialog,
            "form_submit_text": "Cancel the change",
        },
    )
    def cancel(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """By whoever made it, or may publish."""
        schedule, actor = self.get_object(request, object_id), actor_of(request)
        is_own = schedule is not None and has_hand_in(schedule, actor)
        if not is_own and not request.user.has_perm(PUBLISH_PERMISSION):
            raise PermissionDenied
        try:
            with refused():
                cancel(_key(object_id), actor=actor, reason=form.cleaned_data["reason"])
                messages.success(request, "Cancelled.")
        except NotPublished as refusal:
            tell_refusal(request, refusal)
        return go(request, reverse("admin:routing_schedule_changelist"))


def _made(request: HttpRequest, form: ScheduleForm) -> Schedule | None:
    """None if it was refused; the form says why."""
    given = form.cleaned_data
    when: dict[str, Any] = {
        "actor": actor_of(request),
        "zone": given["zone"],
        "starts_at": given["starts_at"],
        "ends_at": given["ends_at"],
        "reason": given["reason"],
        "now": timezone.now(),
    }
    try:
        with refused():
            if given["what"] == form.DRAFT:
                return add_draft(**when)
            return add(given["document"], may=request.user.has_perm, **when)
    except NotPublished as refusal:
        for problem in refusal.problems[:10]:
            form.add_error("document" if given["what"] != form.DRAFT else None, str(problem))
    return None


def _may_take_draft(request: HttpRequest) -> bool:
    """Whoever may publish it, or has a hand in it while it waits for review."""
    is_allowed = request.user.has_perm(PUBLISH_PERMISSION) or (
        under_review() and is_author(actor_of(request))
    )
    return is_allowed and PendingChange.objects.exists() and bool(draft_changes())


def _shown(at: datetime, zone: str) -> str:
    try:
        return shown(at, zone)
    except BadTime:  # the zone was removed from the system's list
        return f"{at:%Y-%m-%d %H:%M} UTC"


def _key(object_id: str) -> int:
    return int(object_id) if object_id.isdecimal() else 0
