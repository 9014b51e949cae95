"""D: The draft: what publishing would change, who has a hand in it, and the buttons that publish or discard it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from routing.admin.dialogs import REASON_LENGTH
from routing.admin.publishing import (
    PUBLISH_PERMISSION,
    SOURCE,
    NotPublished,
    actor_of,
    refused,
    tell,
    tell_refusal,
)
from routing.admin.rendering import ENTRIES, difference
from routing.admin.revisions import ReadOnlyAdmin
from routing.drafts import is_author, standing_rejection
from routing.models import PendingChange
from routing.publishing import discard, draft_now, publish, under_review
from routing.reviewing import comment, meanwhile, open_comments, reject
from routing.rows.changes import TEXT_LENGTH

TEMPLATE = "routing/admin/pending.html"
SHOWN = 100
VIEW_PERMISSION = "routing.view_pendingchange"


@admin.register(PendingChange)
class PendingChangeAdmin(ReadOnlyAdmin):
    """One page instead of a list: the draft as a whole is what somebody publishes."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("publish/", self.admin_site.admin_view(self.publish_view), name="routing_draft_publish"),
            path("comment/", self.admin_site.admin_view(self.comment_view), name="routing_draft_comment"),
            path("reject/", self.admin_site.admin_view(self.reject_view), name="routing_draft_reject"),
            path("discard/", self.admin_site.admin_view(self.discard_view), name="routing_draft_discard"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        draft = draft_now()
        moved = meanwhile(draft, detailed=ENTRIES)
        may_publish = request.user.has_perm(PUBLISH_PERMISSION)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Pending changes",
            "opts": self.opts,
            "draft": draft,
            "difference": difference(draft.changes),
            "edits": PendingChange.objects.order_by("-pk")[:SHOWN],
            "under_review": under_review(),
            "may_publish": may_publish,
            "is_author": under_review() and is_author(actor_of(request)),
            "reason_length": REASON_LENGTH,
            "text_length": TEXT_LENGTH,
            "comments": open_comments(),
            "rejection": standing_rejection(),
            "meanwhile": moved,
            "meanwhile_difference": difference(moved.changes) if moved else "",
        }
        return TemplateResponse(request, TEMPLATE, context)

    def publish_view(self, request: HttpRequest) -> HttpResponse:
        """POST: makes the draft live, as it was looked at."""
        return self._act(request, _publish)

    def discard_view(self, request: HttpRequest) -> HttpResponse:
        """POST: throws the draft away."""
        return self._act(request, _discard)

    def reject_view(self, request: HttpRequest) -> HttpResponse:
        """POST: nobody else may publish the draft until it is changed; or it is thrown away."""
        return self._act(request, _reject)

    def comment_view(self, request: HttpRequest) -> HttpResponse:
        """POST: says something about the draft; everybody who may see it may."""
        return self._act(request, _comment, permission=VIEW_PERMISSION)

    def _act(
        self, request: HttpRequest, act: Callable[[HttpRequest], None], permission: str = PUBLISH_PERMISSION
    ) -> HttpResponse:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            with refused():
                act(request)
        except NotPublished as refusal:
            tell_refusal(request, refusal)
        return HttpResponseRedirect(reverse("admin:routing_pendingchange_changelist"))


def _publish(request: HttpRequest) -> None:
    reason, seen = _text(request, "reason", REASON_LENGTH), request.POST.get("seen") or None
    outcome = publish(actor=actor_of(request), message=reason, source=SOURCE, expected_draft=seen)
    tell(request, outcome)


def _discard(request: HttpRequest) -> None:
    tell(request, discard(actor=actor_of(request), source=SOURCE))


def _reject(request: HttpRequest) -> None:
    discards = request.POST.get("discards") == "on"
    reason = _text(request, "text", TEXT_LENGTH)
    outcome = reject(reason, actor=actor_of(request), source=SOURCE, discards=discards)
    if outcome is None:
        messages.success(request, "Rejected: somebody must change the draft before it can be published.")
    else:
        tell(request, outcome)


def _comment(request: HttpRequest) -> None:
    comment(_text(request, "text", TEXT_LENGTH), actor=actor_of(request), source=SOURCE)


def _text(request: HttpRequest, name: str, length: int) -> str:
    return request.POST.get(name, "").strip()[:length]
