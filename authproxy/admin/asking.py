"""D: Asking before something changes, on a page for many rows or in a dialog for one, and going back afterwards."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin
from unfold.forms import BaseDialogForm

from routing.admin.dialogs import ReasonDialog, action, go

LISTED: Final = 50
TEMPLATE: Final = "authproxy/admin/ask.html"
_CONFIRMED: Final = "_form_submitted"


def by(request: HttpRequest) -> str:
    """Who is signed in, as events and histories name them."""
    return str(request.user.get_username())


def asked(
    page: ModelAdmin,
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    verb: str,
    title: str = "",
    about: str = "",
    form_class: type[BaseDialogForm] = ReasonDialog,
) -> BaseDialogForm | TemplateResponse:
    """The form, valid, once somebody has confirmed; until then, the page that asks.

    `title` has a place for what is selected: `Assign a plan to {}?`.
    """
    form = form_class(request, data=request.POST if _CONFIRMED in request.POST else None)
    if form.is_valid():
        return form
    count = queryset.count()
    context = {
        **page.admin_site.each_context(request),
        "title": (title or f"{verb} {{}}?").format(counted(page, count)),
        "opts": page.opts,
        "verb": verb,
        "about": about,
        "form": form,
        "rows": list(queryset[:LISTED]),
        "more": max(0, count - LISTED),
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, TEMPLATE, context)


def in_dialog(verb: str, *, icon: str, permission: str, title: str, about: str) -> Callable[[Any], Any]:
    """An action on one row, which a dialog confirms and asks the reason of."""
    return action(
        description=verb,
        icon=icon,
        permissions=[permission],
        url_path=verb.lower(),
        dialog={
            "title": title,
            "description": about,
            "form_class": ReasonDialog,
            "form_submit_text": verb,
        },
    )


def one(queryset: QuerySet[Any], object_id: object) -> QuerySet[Any]:
    """The row that a path names, if it names one at all."""
    try:
        key = queryset.model._meta.pk.to_python(object_id)
    except ValidationError:
        return queryset.none()
    return queryset.filter(pk=key)


def counted(page: ModelAdmin, number: int) -> str:
    """`3 API keys`."""
    return f"{number} {page.opts.verbose_name if number == 1 else page.opts.verbose_name_plural}"


def noted(what: str, form: BaseDialogForm) -> str:
    """A line for the history of a row: what was done, and why if somebody said so."""
    reason = form.cleaned_data.get("reason", "")
    return f"{what}: {reason}" if reason else f"{what}."


def go_back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page from which a dialog was opened, with its filters."""
    there = request.headers.get("HX-Current-URL", "")
    is_ours = url_has_allowed_host_and_scheme(there, allowed_hosts={request.get_host()})
    return go(request, there if there and is_ours else otherwise)
