"""D: The page of purges: what was purged from the response cache, by whom; and the dialog that orders one."""

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from resilience.models import CachePurge
from routing import purging
from routing.admin.dialogs import ReasonDialog, action
from routing.admin.steering import SteeringAdmin, by
from routing.locking import StoreUnavailable
from routing.purgeurls import LONGEST_URL
from routing.purging import PurgeRefused

_WHAT: Final = [
    ("url", "URL, or a path on all hosts"),
    ("tag", "Tag"),
    ("route", "Route"),
    ("all", "Everything"),
]


class PurgeDialog(ReasonDialog):
    """What, and why."""

    kind = forms.ChoiceField(choices=_WHAT, label="What", widget=UnfoldAdminSelectWidget)
    value = forms.CharField(
        required=False,
        max_length=LONGEST_URL,
        label="Which",
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": "https://example.com/a, /a, a tag, or a route"}
        ),
    )
    field_order = ("kind", "value", "reason")


@admin.register(CachePurge)
class CachePurgeAdmin(SteeringAdmin):
    """Stored answers that operators had forgotten."""

    when_empty = "Nobody has purged anything. Routes with a cache forget what they stored by Purge, above."
    list_display = ("at", "kind", "value", "by", "reason")
    list_filter = ("kind",)
    search_fields = ("value", "by", "reason")
    search_help_text = "A route, a tag, a URL, a reason, or who did it"
    ordering = ("-pk",)
    actions_list: ClassVar[list[Any]] = ["purge"]

    @action(
        description="Purge",
        icon="delete_sweep",
        permissions=["operate"],
        url_path="purge",
        dialog={
            "title": "Serve stored answers no more?",
            "description": "The services are asked again, on every worker within a second.",
            "form_class": PurgeDialog,
            "form_submit_text": "Purge",
        },
    )
    def purge(self, request: HttpRequest, form: PurgeDialog) -> HttpResponse:
        """Purges what the dialog says."""
        given = form.cleaned_data
        self.told(
            request,
            lambda: purged(given["kind"], [given["value"]], request, reason=given["reason"]),
            PurgeRefused,
            StoreUnavailable,
        )
        return self.to_list(request)


def purged(kind: Any, values: list[str], request: HttpRequest, *, reason: str) -> str:
    """Orders it; what was done, in a sentence. Raises PurgeRefused and StoreUnavailable."""
    rows = purging.purge(kind, values, by=by(request), reason=reason)
    return f"Purged: {', '.join(map(str, rows[:10]))}. The services are asked again within a second."
