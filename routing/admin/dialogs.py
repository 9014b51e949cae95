"""D: Dialogs that ask why before something changes, and where the browser goes afterwards."""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

REASON_LENGTH = 500


class ReasonDialog(BaseDialogForm):
    """One optional question: why. It goes into the history of revisions."""

    reason = forms.CharField(
        required=False,
        max_length=REASON_LENGTH,
        label="Why",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Optional; goes into the history"}),
    )


def go(request: HttpRequest, there: str) -> HttpResponse:
    """A redirect that htmx follows with the whole page, and a browser as usual."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": there})
    return HttpResponseRedirect(there)
