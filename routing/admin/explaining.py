"""D: The explain page: what would become of a request, and why, without sending it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from routing.admin import snapshots
from routing.admin.curl import Request
from routing.admin.examples import example
from routing.admin.forms.explain import DRAFT, ExplainForm, initial_of
from routing.cleaning import written
from routing.explain import explain, request_to
from routing.explanation import Explanation
from routing.models import Route, Service
from routing.problems import ConfigurationInvalid

TEMPLATE = "routing/admin/explain.html"
PERMISSION = "routing.view_route"


def urls() -> list[URLPattern]:
    """Where the page stands."""
    return [path("routing/explain/", admin.site.admin_view(explain_view), name="routing_explain")]


def explain_view(request: HttpRequest) -> HttpResponse:
    """GET: the form, filled in for `?route=KEY`. POST: the form and the explanation; nothing is changed or sent."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = _form(request)
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Explain a request", "form": form}
    if form.is_bound and form.is_valid():
        wanted, which = form.cleaned_data["request"], form.cleaned_data["configuration"]
        context |= _explained(wanted, which) | {"asked": wanted}
    return TemplateResponse(request, TEMPLATE, context)


def _form(request: HttpRequest) -> ExplainForm:
    if request.method == "POST":
        return ExplainForm(request.POST)
    key = request.GET.get("route", "")
    route = Route.objects.filter(pk=key).first() if key.isdecimal() else None
    if route is None:
        return ExplainForm()
    # A route's page leads here: its example is explained at once.
    return ExplainForm({**initial_of(example(written(route))), "configuration": DRAFT})


def _explained(wanted: Request, which: str) -> dict[str, Any]:
    try:
        kept = snapshots.draft() if which == DRAFT else snapshots.live()
    except ConfigurationInvalid as error:
        return {"problems": [str(problem) for problem in error.problems[:20]]}
    if kept is None:
        return {"problems": ["Nothing is published yet."]}
    found = explain(kept.snapshot, request_to(wanted.method, wanted.url, wanted.headers))
    return {"explanation": found, "is_draft": which == DRAFT, **_links(found)}


def _links(found: Explanation) -> dict[str, Any]:
    """The routes and the service that an explanation names, with the addresses of their pages."""
    names = [item.route for item in found.passed_over]
    matched = found.matched
    if matched is not None and matched.route:
        names.append(matched.route)
    keys = dict(Route.objects.filter(name__in=names).values_list("name", "pk"))
    link = {name: reverse("admin:routing_route_change", args=[key]) for name, key in keys.items()}
    service = Service.objects.filter(name=matched.service).first() if matched and matched.service else None
    return {
        "passed_over": [(item, link.get(item.route)) for item in found.passed_over],
        "route_link": link.get(matched.route) if matched and matched.route else None,
        "service_link": reverse("admin:routing_service_change", args=[service.pk]) if service else None,
    }
