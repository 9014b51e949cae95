"""D: A page that shows what an action on a list is about to change, and asks why, before it changes anything."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from routing.admin.dialogs import REASON_LENGTH

LISTED = 50
TEMPLATE = "routing/admin/confirm.html"


def confirmed(
    page: ModelAdmin,
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    verb: str,
    act: Callable[[str], None],
) -> TemplateResponse | None:
    """Calls `act` with the reason once somebody has confirmed; until then, the page that asks."""
    if request.POST.get("confirmed"):
        act(request.POST.get("reason", "").strip()[:REASON_LENGTH])
        return None
    count = queryset.count()
    noun = page.opts.verbose_name if count == 1 else page.opts.verbose_name_plural
    context = {
        **page.admin_site.each_context(request),
        "title": f"{verb} {count} {noun}?",
        "opts": page.opts,
        "verb": verb,
        "rows": list(queryset[:LISTED]),
        "more": max(0, count - LISTED),
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
        "reason_length": REASON_LENGTH,
    }
    return TemplateResponse(request, TEMPLATE, context)
