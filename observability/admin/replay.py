"""D: The page that replays recorded requests against the draft, or a revision: the numbers, and the list."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from observability.models import KeptRequest
from observability.replay.judging import KINDS, WORDS
from observability.replay.replaying import MOST, Busy, Span, replay
from observability.replay.results import Found, Item
from observability.requests.showing import explain_link
from routing.explaining import DRAFT, HIGHEST_REVISION, NoRevision, Which
from routing.problems import ConfigurationInvalid

TEMPLATE: Final = "observability/admin/replay.html"
FOUND_TEMPLATE: Final = "observability/admin/replay_found.html"
FOUND: Final = "found"
"""The parameter of those who wait for what is found; others see the form at once, and their page asks for the rest."""
PERMISSIONS: Final = ("routing.view_pendingchange", "observability.view_keptrequest")
PAGE: Final = 100
MOST_PROBLEMS: Final = 20
TIMES: Final = {
    900: "15 minutes",
    3600: "hour",
    6 * 3600: "6 hours",
    24 * 3600: "day",
    7 * 24 * 3600: "7 days",
}
LIMITS: Final = (1000, MOST)


class ReplayForm(forms.Form):
    """By what, and how many of which time. Empty: by the draft, of the last hour."""

    against = forms.CharField(
        label="By",
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "draft, or a revision's number"}),
    )
    last = forms.TypedChoiceField(
        label="Requests of the last",
        required=False,
        coerce=int,
        empty_value=None,
        choices=list(TIMES.items()),
        widget=UnfoldAdminSelectWidget,
    )
    limit = forms.TypedChoiceField(
        label="At most",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[(number, f"{number:,}") for number in LIMITS],
        widget=UnfoldAdminSelectWidget,
    )
    kind = forms.ChoiceField(required=False, choices=[("", ""), *((kind, kind) for kind in KINDS[1:])])
    first, last_row, page = (forms.IntegerField(required=False, min_value=1) for _ in range(3))

    def clean_against(self) -> Which:
        text = self.cleaned_data["against"].strip()
        if text in ("", DRAFT):
            return "draft"
        if text.isascii() and text.isdecimal() and 0 < int(text) <= HIGHEST_REVISION:
            return int(text)
        raise forms.ValidationError("Want draft, or the number of a revision.")


def replay_view(request: HttpRequest) -> HttpResponse:
    """GET alone: nothing is changed, and nothing is sent. With `found`, what is found; for a script that alone."""
    if not request.user.has_perms(PERMISSIONS) or request.method != "GET":
        raise PermissionDenied
    usual = {"against": DRAFT, "last": "3600", "limit": str(MOST)}
    form = ReplayForm({**usual, **{name: value for name, value in request.GET.items() if value}})
    context = {
        **admin.site.each_context(request),
        "title": "Replay recorded requests",
        "opts": KeptRequest._meta,
        "form": form,
        "shown_fields": [form[name] for name in ("against", "last", "limit")],
    }
    is_alone = False
    if form.is_valid() and FOUND in request.GET:
        context |= {"is_found": True, **_found(form.cleaned_data, request.GET)}
        is_alone = "HX-Request" in request.headers
    elif form.is_valid():
        query = request.GET.copy()
        query[FOUND] = "1"
        context["query"] = query.urlencode()
    return TemplateResponse(request, FOUND_TEMPLATE if is_alone else TEMPLATE, context)


def _found(wanted: dict[str, Any], given: QueryDict) -> dict[str, Any]:
    try:
        found = replay(wanted["against"], _span(wanted))
    except (NoRevision, Busy) as error:
        return {"problems": [str(error)]}
    except ConfigurationInvalid as error:
        return {"problems": [str(problem) for problem in error.problems[:MOST_PROBLEMS]]}
    kind, page = wanted["kind"], wanted["page"] or 1
    items = found.of(kind)
    shown = items[(page - 1) * PAGE : page * PAGE]
    return {
        "found": found,
        "sentences": list(found.summary()),
        "kinds": _kinds(found),
        "groups": found.groups(kind),
        "rows": _rows(shown, str(found.against)),
        "kind": kind,
        "total": len(items),
        "page": page,
        "more": page + 1 if len(items) > page * PAGE else None,
        "same_rows": _query(given, found),
    }


def _span(wanted: dict[str, Any]) -> Span:
    """Pages and filters are of the rows that were replayed at first."""
    if wanted["first"] and wanted["last_row"]:
        return Span(first=wanted["first"], last=wanted["last_row"])
    return Span(since=timezone.now() - timedelta(seconds=wanted["last"]), most=wanted["limit"])


def _kinds(found: Found) -> list[tuple[str, str, int]]:
    """Each kind that there is, in words, and how many."""
    return [(kind, WORDS[kind], found.counts[kind]) for kind in KINDS if found.counts.get(kind)]


def _rows(items: Sequence[Item], against: str) -> list[tuple[Item, str]]:
    """With the pages that explain them."""
    rows = KeptRequest.objects.in_bulk([item.key for item in items])
    return [(item, explain_link(rows[item.key], against) if item.key in rows else "") for item in items]


def _query(given: QueryDict, found: Found) -> str:
    query = given.copy()
    for name in ("kind", "page", FOUND):
        query.pop(name, None)
    query["first"], query["last_row"] = str(found.first), str(found.last)
    return query.urlencode()
