"""D: Whom policies in mode log would refuse, and the button that enforces one."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from observability.models import WouldRefuse
from observability.requests.enforcing import NothingToEnforce, enforced
from routing.admin.dialogs import REASON_LENGTH
from routing.admin.publishing import SOURCE, NotPublished, actor_of, refused, tell, tell_refusal
from routing.admin.revisions import ReadOnlyAdmin
from routing.document.canonical import canonicalise
from routing.loader import read_rows
from routing.problems import Problem
from routing.publishing import apply_document

LIST = "observability/admin/logonly.html"
CONFIRM = "observability/admin/enforce.html"
ENFORCE = ("routing.change_route", "routing.change_quota", "routing.change_routedefaults")
MOST_GROUPS = 500
MOST_CALLERS = 20
KEYS = ("route", "policy", "quota")


@admin.register(WouldRefuse)
class WouldRefuseAdmin(ReadOnlyAdmin):
    """By policy, those hit most often first."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.enforce_view)
        return [path("enforce/", view, name="observability_enforce"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        sums = {
            "total": Sum("count"),
            "callers": Count("pk"),
            "first": Min("first_at"),
            "last": Max("last_at"),
        }
        groups = list(
            WouldRefuse.objects.order_by().values(*KEYS).annotate(**sums).order_by("-total")[:MOST_GROUPS]
        )
        for group in groups:
            rows = WouldRefuse.objects.filter(**{key: group[key] for key in KEYS})
            group["rows"] = list(rows.order_by("-count")[:MOST_CALLERS])
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Log-only policies",
            "opts": self.opts,
            "groups": groups,
            "may_enforce": request.user.has_perms(ENFORCE),
        }
        return TemplateResponse(request, LIST, context)

    def enforce_view(self, request: HttpRequest) -> HttpResponse:
        """GET: what would become of it. POST: it is enforced; under review as a draft."""
        if not request.user.has_perms(ENFORCE):
            raise PermissionDenied
        given = {key: (request.POST or request.GET).get(key, "") for key in KEYS}
        there = reverse("admin:observability_wouldrefuse_changelist")
        try:
            with refused():
                changes, places = _enforced(given)
                if request.method == "POST":
                    reason = request.POST.get("reason", "").strip()[:REASON_LENGTH]
                    message = reason or f"Enforce {given['policy']} of {', '.join(places)}"
                    tell(
                        request,
                        apply_document(changes, actor=actor_of(request), message=message, source=SOURCE),
                    )
                    return HttpResponseRedirect(there)
        except NotPublished as refusal:
            tell_refusal(request, refusal)
            return HttpResponseRedirect(there)
        hit = WouldRefuse.objects.filter(**given).aggregate(total=Sum("count"), callers=Count("pk"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Enforce {given['policy']}?",
            "opts": self.opts,
            "given": given,
            "places": places,
            "hit": hit,
            "reason_length": REASON_LENGTH,
        }
        return TemplateResponse(request, CONFIRM, context)


def _enforced(given: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    try:
        return enforced(canonicalise(read_rows()), given["route"], given["policy"], given["quota"])
    except NothingToEnforce as error:
        raise NotPublished([Problem("", "", str(error))]) from error
