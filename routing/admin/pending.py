"""D: The draft: what publishing would change, who has a hand in it, and the buttons that publish or discard it."""

from typing import Any

from django.contrib import admin
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
from routing.admin.rendering import difference
from routing.admin.revisions import ReadOnlyAdmin
from routing.drafts import is_author
from routing.models import PendingChange
from routing.publishing import discard, draft_changes, publish, under_review

TEMPLATE = "routing/admin/pending.html"
SHOWN = 100


@admin.register(PendingChange)
class PendingChangeAdmin(ReadOnlyAdmin):
    """One page instead of a list: the draft as a whole is what somebody publishes."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("publish/", self.admin_site.admin_view(self.publish_view), name="routing_draft_publish"),
            path("discard/", self.admin_site.admin_view(self.discard_view), name="routing_draft_discard"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        changes = draft_changes()
        may_publish = request.user.has_perm(PUBLISH_PERMISSION)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Pending changes",
            "opts": self.opts,
            "has_changes": bool(changes),
            "difference": difference(changes),
            "edits": PendingChange.objects.order_by("-pk")[:SHOWN],
            "under_review": under_review(),
            "may_publish": may_publish,
            "is_author": under_review() and is_author(actor_of(request)),
            "reason_length": REASON_LENGTH,
        }
        return TemplateResponse(request, TEMPLATE, context)

    def publish_view(self, request: HttpRequest) -> HttpResponse:
        """POST: makes the draft live."""
        return self._act(request, is_publish=True)

    def discard_view(self, request: HttpRequest) -> HttpResponse:
        """POST: throws the draft away."""
        return self._act(request, is_publish=False)

    def _act(self, request: HttpRequest, *, is_publish: bool) -> HttpResponse:
        if not request.user.has_perm(PUBLISH_PERMISSION):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        actor, reason = actor_of(request), request.POST.get("reason", "").strip()[:REASON_LENGTH]
        try:
            with refused():
                tell(
                    request,
                    publish(actor=actor, message=reason, source=SOURCE)
                    if is_publish
                    else discard(actor=actor, source=SOURCE),
                )
        except NotPublished as refusal:
            tell_refusal(request, refusal)
        return HttpResponseRedirect(reverse("admin:routing_pendingchange_changelist"))
