"""D: History: every revision, what it changed, its document, and the way back to it."""

from datetime import datetime
from typing import Any, ClassVar

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter, TextFilter
from unfold.decorators import display

from routing.admin.dialogs import ReasonDialog, action, go
from routing.admin.entries import TOUCHES
from routing.admin.history import touching
from routing.admin.publishing import (
    PUBLISH_PERMISSION,
    SOURCE,
    NotPublished,
    actor_of,
    refused,
    tell,
    tell_refusal,
)
from routing.admin.rendering import ENTRIES, difference, summary, with_summary
from routing.diff import Changes, diff
from routing.document.canonical import dump_yaml
from routing.drafts import made_by
from routing.models import Revision
from routing.publishing import rollback
from routing.quiet import collections_paused
from routing.reviewing import comments_of


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the gateway writes by itself."""

    actions: Any = None
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class TouchesFilter(TextFilter):
    """Revisions that touched an entry: `routes orders`."""

    title = "entry (routes NAME, services NAME)"
    parameter_name = TOUCHES

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Revision]) -> QuerySet[Revision]:
        kind, _, name = (self.value() or "").strip().partition(" ")
        return touching(queryset, kind, name.strip()) if kind else queryset


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """Published configurations, newest first; none is ever changed or deleted."""

    list_display = ("shown_number", "created_at", "shown_author", "message", "shown_changes", "source")
    list_filter = (TouchesFilter, "source", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("message", "author", "changes")
    ordering = ("-number",)
    fields = ("number", "created_at", "shown_author", "message", "source", "parent", "digest")
    change_form_after_template = "routing/admin/revision_difference.html"
    actions_detail: ClassVar[list[Any]] = ["compare", "explain", "document", "roll_back"]
    actions_row: ClassVar[list[Any]] = ["compare", "document", "roll_back"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        queryset: QuerySet[Revision] = super().get_queryset(request)
        return with_summary(queryset)

    def has_roll_back_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        # Named by its string in the action, the permission is looked up in the database while Django checks the
        # code, before `migrate` has made the table.
        return request.user.has_perm(PUBLISH_PERMISSION)

    @display(description="revision", ordering="number")
    def shown_number(self, revision: Revision) -> str:
        return str(revision.number)

    @display(description="author", ordering="author")
    def shown_author(self, revision: Revision) -> str:
        """Who published it, and whose changes those were."""
        return made_by(revision)

    @display(description="changes")
    def shown_changes(self, revision: Revision) -> str:
        return summary(revision)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (revision := kwargs.get("obj")) is not None:
            context["difference"] = difference(changes_of(revision))
            context["comments"] = comments_of(revision.number)
            context["edits"] = [
                {**edit, "created_at": datetime.fromisoformat(edit["at"])}
                for edit in reversed(revision.edits or ())
            ]
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    @action(description="Document", icon="description", permissions=["view"], url_path="document")
    def document(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The whole configuration as YAML, as `gateway export` prints it."""
        revision = self.get_object(request, object_id)
        if revision is None:
            raise Http404
        with collections_paused():
            text = dump_yaml(orjson.loads(revision.document))
        name = f'attachment; filename="revision-{revision.number}.yaml"'
        return HttpResponse(
            text, content_type="application/yaml; charset=utf-8", headers={"Content-Disposition": name}
        )

    @action(description="Compare", icon="compare_arrows", permissions=["view"], url_path="compare")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Beside the one before it; the page offers any other."""
        revision = self.get_object(request, object_id)
        if revision is None:
            raise Http404
        return HttpResponseRedirect(f"{reverse('admin:routing_compare')}?after={revision.number}")

    @action(description="Explain a request", icon="travel_explore", permissions=["view"], url_path="explain")
    def explain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What this revision would make of a request."""
        revision = self.get_object(request, object_id)
        if revision is None:
            raise Http404
        return HttpResponseRedirect(
            f"{reverse('admin:routing_explain')}?url=/&configuration={revision.number}"
        )

    @action(
        description="Roll back to this",
        icon="settings_backup_restore",
        permissions=["roll_back"],
        url_path="roll-back",
        dialog={
            "title": "Roll back to this revision?",
            "description": "Its configuration is published again, as a new revision. Nothing is lost.",
            "form_class": ReasonDialog,
            "form_submit_text": "Roll back",
        },
    )
    def roll_back(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Publishes the configuration of this revision as a new one."""
        there = reverse("admin:routing_revision_changelist")
        revision = self.get_object(request, object_id)
        if revision is None:
            raise Http404
        try:
            with refused():
                reason = form.cleaned_data["reason"]
                tell(
                    request, rollback(revision.number, actor=actor_of(request), message=reason, source=SOURCE)
                )
        except NotPublished as refusal:
            tell_refusal(request, refusal)
        return go(request, there)


@collections_paused()
def changes_of(revision: Revision) -> Changes:
    """What a revision changed in its parent, as far as a page shows it."""
    parent = Revision.objects.filter(number=revision.parent).first() if revision.parent else None
    before = orjson.loads(parent.document) if parent is not None else {"version": 1}
    return diff(before, orjson.loads(revision.document), detailed=ENTRIES)
