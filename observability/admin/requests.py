"""D: The pages of kept requests: the list with its filters, also live, and one request with the reason in words."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from observability.admin.replay import replay_view
from observability.admin.requestfilters import RequestFilters
from observability.models import KeptRequest
from observability.requests.querying import Filters, Page, page_of
from observability.requests.showing import as_json, explain_link, words
from observability.requests.why import outcome
from routing.admin.revisions import ReadOnlyAdmin
from routing.models import Route

LIST = "observability/admin/requests.html"
ROWS = "observability/admin/request_rows.html"
ONE = "observability/admin/request.html"
LIVE_S = 2


@admin.register(KeptRequest)
class KeptRequestAdmin(ReadOnlyAdmin):
    """Pages of our own: a count of a million rows, which admin's would make for each page, takes too long."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(replay_view)
        return [path("replay/", view, name="observability_replay"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = RequestFilters(request.GET)
        wanted = form.filters if form.is_valid() else Filters()
        given = request.GET.copy()
        before = given.pop("before", [""])[-1]
        is_live = given.pop("live", [""])[-1] == "1"
        key = int(before) if before.isdecimal() and len(before) < 19 else None
        page = page_of(wanted, before=None if is_live else key) if form.is_valid() else Page([], None)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Requests",
            "opts": self.opts,
            "form": form,
            "page": page,
            "query": given.urlencode(),
            "is_live": is_live,
            "live_s": LIVE_S,
            "is_narrowed": bool(wanted.given),
        }
        part = is_live and request.headers.get("HX-Request")
        return TemplateResponse(request, ROWS if part else LIST, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request) or request.method == "POST":
            raise PermissionDenied
        row = KeptRequest.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None:
            raise Http404
        facts = row.facts
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": f"{row.method} {row.path}"[:100],
            "opts": self.opts,
            "row": row,
            "facts": facts,
            "fields": _fields(row),
            "why": words(row),
            "failures": [(target, outcome(how)) for target, how in facts.get("failures", ())],
            "explain": explain_link(row),
            "route": Route.objects.filter(name=row.route).first() if row.route else None,
            "may_explain": request.user.has_perm("routing.view_route"),
        }
        return TemplateResponse(request, ONE, context)


def _fields(row: KeptRequest) -> dict[str, Any]:
    """What the page shows beside the reason."""
    shown = as_json(row)
    for name in ("id", "would", "path", "query", "at"):
        del shown[name]
    facts = row.facts
    more = {
        name: facts[name] for name in ("attempts", "received", "sent", "cache", "outcome") if name in facts
    }
    return {
        name.replace("_", " "): value for name, value in {**shown, **more}.items() if value not in (None, "")
    }
