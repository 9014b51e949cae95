"""D: Dialogs that ask why before something changes, and where the browser goes afterwards."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold import decorators
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


def action(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Unfold's, but that a dialog about a row opens, and acts, only where there is such a row.

    Whoever may not act is refused before.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        made = decorators.action(**options)(function)
        if "dialog" not in options:
            return made
        without = {name: value for name, value in options.items() if name != "dialog"}
        absent = decorators.action(**without)(wraps(function)(_absent))

        @wraps(made)
        def found(page: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            key = kwargs.get("object_id")
            is_there = key is None or page.get_object(request, key) is not None
            return (made if is_there else absent)(page, request, *args, **kwargs)

        return found

    return decorate


def _absent(page: Any, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """404; but htmx shows none of it, so a list that still has the row is loaded anew, and says why."""
    if not request.headers.get("HX-Request"):
        raise Http404
    page.message_user(request, f"This {page.opts.verbose_name} is not there any more.", "WARNING")
    return go(request, reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"))


def go(request: HttpRequest, there: str) -> HttpResponse:
    """A redirect that htmx follows with the whole page, and a browser as usual."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": there})
    return HttpResponseRedirect(there)
