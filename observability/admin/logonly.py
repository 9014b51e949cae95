"""D: Whom policies in mode log would refuse, and the button that enforces one."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from observability.models import WouldRefuse
from observability.requests.enforcing import NothingToEnforce
from observability.requests.logonly import (
    ENFORCE,
    KEYS,
    NoSuchRoute,
    enforce,
    groups,
    places_of,
    with_callers,
)
from routing.admin.dialogs import REASON_LENGTH
from routing.admin.publishing import SOURCE, NotPublished, actor_of, refused, tell, tell_refusal
from routing.admin.revisions import ReadOnlyAdmin
from routing.problems import Problem

PAGE: Final = 20
LIST = "observability/admin/logonly.html"
CONFIRM = "observability/admin/enforce.html"


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
        page = Paginator(groups(), PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Log-only policies",
            "opts": self.opts,
            "groups": with_callers(list(page.object_list)),
            "page": page,
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
                if request.method == "POST":
                    _enforce(request, given)
                    return HttpResponseRedirect(there)
                places = places_of(**given)
        except (NoSuchRoute, NothingToEnforce) as error:
            tell_refusal(request, NotPublished([Problem("", "", str(error))]))
            return HttpResponseRedirect(there)
        except NotPublished as refusal:
            tell_refusal(request, refusal)
            return HttpResponseRedirect(there)
        hit = WouldRefuse.objects.filter(**given).aggregate(total=Sum("count"), callers=Count("pk"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Enforce {given['policy']} of {given['route']}?",
            "opts": self.opts,
            "given": given,
            "places": places,
            "hit": hit,
            "reason_length": REASON_LENGTH,
        }
        return TemplateResponse(request, CONFIRM, context)


def _enforce(request: HttpRequest, given: dict[str, str]) -> None:
    reason = request.POST.get("reason", "").strip()[:REASON_LENGTH]
    named = (given[key] for key in KEYS)
    outcome, _ = enforce(*named, actor=actor_of(request), message=reason, source=SOURCE)
    tell(request, outcome)
