"""D: The explain page: what would become of a request, or who may do what with a topic, and why; sends nothing."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from routing.admin.examples import example
from routing.admin.forms.explain import DRAFT, LIVE, ExplainForm, initial_of
from routing.callers import UnknownCaller
from routing.cleaning import written
from routing.curl import Request
from routing.explain import has_credentials, request_to
from routing.explaining import NoRevision, Which, configuration, explained, topic_explained
from routing.explaintopics import Action
from routing.explanation import Explanation
from routing.models import Route, Service, TopicRule
from routing.problems import ConfigurationInvalid

TEMPLATE = "routing/admin/explain.html"
PERMISSION = "routing.view_route"
CALLERS_PERMISSION = "authproxy.view_consumer"
MOST_PROBLEMS = 20
REFUSALS = (NoRevision, UnknownCaller, ConfigurationInvalid)


def urls() -> list[URLPattern]:
    """Where the page stands."""
    return [path("routing/explain/", admin.site.admin_view(explain_view), name="routing_explain")]


def explain_view(request: HttpRequest) -> HttpResponse:
    """GET: the form, filled in for `?route=KEY`, or from a request's parts. POST: the form and the explanation.

    Nothing is changed or sent.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = _form(request)
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Explain a request", "form": form}
    if form.is_bound and form.is_valid():
        caller = form.cleaned_data.get("caller") or None
        context |= {"caller": caller, "is_draft": form.which == DRAFT}
        if topic := form.cleaned_data["topic"]:
            action: Action = form.cleaned_data["action"] or "subscribe"
            context |= _topic_explained(topic, action, form.which, caller)
        else:
            wanted, address = form.cleaned_data["request"], form.cleaned_data["address"]
            context |= _explained(wanted, form.which, caller, address)
            context |= {"asked": wanted, "address": address}
    return TemplateResponse(request, TEMPLATE, context)


def _form(request: HttpRequest) -> ExplainForm:
    may_name = request.user.has_perm(CALLERS_PERMISSION)
    if request.method == "POST":
        return ExplainForm(request.POST, may_name=may_name)
    if request.GET.get("url") or request.GET.get("topic"):
        return ExplainForm(_named(request), may_name=may_name)
    key = request.GET.get("route", "")
    route = Route.objects.filter(pk=key).first() if key.isdecimal() else None
    if route is None:
        return ExplainForm(may_name=may_name)
    # A route's page leads here: its example is explained at once.
    given = {**initial_of(example(written(route))), "configuration": DRAFT}
    return ExplainForm(given, may_name=may_name)


def _named(request: HttpRequest) -> dict[str, str]:
    """The fields that a link gives: a topic's, or those of a request that was kept, on the revision of then."""
    given = {name: request.GET.get(name, "") for name in ExplainForm.base_fields if name != "curl"}
    return {**given, "configuration": given["configuration"] or LIVE}


def _explained(wanted: Request, which: Which, caller: str | None, address: str) -> dict[str, Any]:
    asked = request_to(wanted.method, wanted.url, wanted.headers, address=address)
    try:
        found = explained(asked, which, caller=caller)
    except REFUSALS as refusal:
        return _problems(refusal)
    unread = caller is None and has_credentials(asked)
    return {"explanation": found, "credentials_unread": unread, **_links(found)}


def _topic_explained(topic: str, action: Action, which: Which, caller: str | None) -> dict[str, Any]:
    try:
        found = topic_explained(topic, configuration(which), caller=caller, action=action)
    except REFUSALS as refusal:
        return _problems(refusal)
    names = {found.decided_by.rule, *(each.rule for each in found.passed_over)}
    keys = dict(TopicRule.objects.filter(name__in=names).values_list("name", "pk"))
    link = {name: reverse("admin:routing_topicrule_change", args=[key]) for name, key in keys.items()}
    ours = [found.decided_by, *found.passed_over]
    links = [link.get(each.rule) if each.source == "document" else None for each in ours]
    return {
        "topic_explanation": found,
        "rule_link": links[0],
        "rules_passed_over": list(zip(found.passed_over, links[1:], strict=True)),
    }


def _problems(refusal: Exception) -> dict[str, Any]:
    if isinstance(refusal, ConfigurationInvalid):
        return {"problems": [str(problem) for problem in refusal.problems[:MOST_PROBLEMS]]}
    return {"problems": [str(refusal)]}


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
