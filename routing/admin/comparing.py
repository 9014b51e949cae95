"""D: Any two revisions side by side, field by field."""

from typing import Any, Final

import orjson
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminTextInputWidget

from routing.admin.rendering import ENTRIES, difference
from routing.diff import Changes, diff
from routing.models import Revision
from routing.quiet import collections_paused

TEMPLATE: Final = "routing/admin/compare.html"
PERMISSION: Final = "routing.view_revision"
HIGHEST: Final = 2**63 - 1
SUGGESTED: Final = 100


class CompareForm(forms.Form):
    """Two numbers; what they stand for is `revisions` of a valid form."""

    before = forms.IntegerField(
        min_value=1,
        max_value=HIGHEST,
        label="From revision",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "torana-revisions", "inputmode": "numeric"}),
    )
    after = forms.IntegerField(
        min_value=1,
        max_value=HIGHEST,
        label="To revision",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "torana-revisions", "inputmode": "numeric"}),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        numbers = {name: data[name] for name in ("before", "after") if name in data}
        found = Revision.objects.in_bulk(set(numbers.values()), field_name="number")
        for name, number in numbers.items():
            if number not in found:
                self.add_error(name, f"There is no revision {number}.")
        self.revisions = tuple(found.get(numbers.get(name, 0)) for name in ("before", "after"))
        return data


def urls() -> list[URLPattern]:
    """Where the page stands."""
    return [path("routing/compare/", admin.site.admin_view(compare_view), name="routing_compare")]


def compare_view(request: HttpRequest) -> HttpResponse:
    """GET with `before` and `after`: numbers of revisions. Without `before`, the one before `after`."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = CompareForm(_wanted(request.GET.dict()))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Compare revisions",
        "form": form,
        "suggested": Revision.objects.order_by("-number").defer("document", "changes")[:SUGGESTED],
    }
    if form.is_valid():
        before, after = form.revisions
        assert before is not None
        assert after is not None
        words = {"before": f"revision {before}", "after": f"revision {after}"}
        context |= {"pair": (before, after), "difference": difference(compared(before, after), **words)}
    return TemplateResponse(request, TEMPLATE, context)


@collections_paused()
def compared(before: Revision, after: Revision) -> Changes:
    """What the second has that the first has not, and the other way round; as far as a page shows it."""
    return diff(orjson.loads(before.document), orjson.loads(after.document), detailed=ENTRIES)


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    """The newest and the one before it, unless something else is asked for."""
    newest = Revision.objects.order_by("-number").values_list("number", flat=True).first() or 1
    after = given.get("after") or str(newest)
    before = given.get("before") or (
        str(max(int(after) - 1, 1)) if after.isdecimal() and len(after) < 20 else ""
    )
    return {"before": before, "after": after}
