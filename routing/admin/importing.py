"""D: The import page: an OpenAPI document becomes routes. What would change, and break, is shown first."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from routing.admin.forms.importing import ImportForm
from routing.admin.publishing import SOURCE, NotPublished, actor_of, refused, tell
from routing.admin.rendering import difference
from routing.foreign import Converted
from routing.loader import read_rows
from routing.openapi.breaking import breaking_changes
from routing.openapi.converting import routes_of
from routing.publishing import apply_document, under_review

TEMPLATE: Final = "routing/admin/import_openapi.html"
PERMISSIONS: Final = (
    "routing.add_service",
    "routing.change_service",
    "routing.add_route",
    "routing.change_route",
)
SHOWN: Final = 200


def urls() -> list[URLPattern]:
    """Where the page stands."""
    view = admin.site.admin_view(import_view)
    return [path("routing/import/openapi/", view, name="routing_import_openapi")]


def import_view(request: HttpRequest) -> HttpResponse:
    """GET: the form. POST: what would come of it; with `publish` or `draft`, it comes of it."""
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Import OpenAPI",
        "form": form,
        "under_review": under_review(),
    }
    if form.is_bound and form.is_valid():
        converted, service = form.cleaned_data["converted"], form.cleaned_data["service"]
        try:
            if "publish" in request.POST or "draft" in request.POST:
                return _applied(request, converted, service)
            context |= _preview(request, converted, service)
        except NotPublished as refusal:
            context["problems"] = [str(problem) for problem in refusal.problems[:SHOWN]]
        kept = {name: form.cleaned_data[name] for name in ("text", "service", "url", "path_prefix")}
        context["form"] = ImportForm(initial=kept)  # a file would have to be chosen anew
    return TemplateResponse(request, TEMPLATE, context)


def _preview(request: HttpRequest, converted: Converted, service: str) -> dict[str, Any]:
    before = routes_of(read_rows(), service)
    with refused():
        outcome = apply_document(converted.document, actor=actor_of(request), dry_run=True)
    return {
        "difference": difference(outcome.changes),
        "has_changes": bool(outcome.changes),
        "warnings": [str(warning) for warning in outcome.warnings[:SHOWN]],
        "not_carried": converted.not_carried[:SHOWN],
        "breaking": breaking_changes(before, routes_of(converted.document, service))[:SHOWN],
        "is_previewed": True,
    }


def _applied(request: HttpRequest, converted: Converted, service: str) -> HttpResponse:
    """Routes of operations that are gone stay until somebody deletes them."""
    is_draft = "draft" in request.POST
    with refused():
        outcome = apply_document(
            converted.document,
            actor=actor_of(request),
            message=f"Import OpenAPI for {service}",
            source=SOURCE,
            draft=is_draft,
        )
    if is_draft and outcome.kind == "drafted":
        messages.success(request, "Kept as a draft.")
        return HttpResponseRedirect(reverse("admin:routing_pendingchange_changelist"))
    tell(request, outcome)
    return HttpResponseRedirect(reverse("admin:routing_route_changelist"))
