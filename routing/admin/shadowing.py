"""D: Telling people, after saving and on the page of a route, that it is never reached."""

import re
from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from routing.admin import snapshots
from routing.models import Route
from routing.problems import ConfigurationInvalid
from routing.shadows import Shadow

_QUOTED = re.compile(r'"([^"]+)"')
SHOWN = 5


def warnings_about(name: str) -> list[SafeString]:
    """What the draft's order of routes means for this one: it is covered, or it covers others."""
    try:
        shadows = snapshots.draft().shadows
    except ConfigurationInvalid:
        return []  # the page for the draft says what is wrong with it
    found = []
    if (shadow := shadows.get(name)) is not None:
        text = "This route is never reached: {} takes all its requests, because {}."
        found.append(format_html(text, _linked(shadow), shadow.why))
    covered = [other.route for other in shadows.values() if name in _QUOTED.findall(other.covered_by)]
    if covered:
        more = f" and {len(covered) - SHOWN} more" if len(covered) > SHOWN else ""
        text = "This route takes all requests of {}{}, which can never match."
        found.append(format_html(text, _names(covered[:SHOWN]), more))
    return found


def _linked(shadow: Shadow) -> SafeString:
    names = _QUOTED.findall(shadow.covered_by)
    return _names(names) if names else format_html("{}", shadow.covered_by)


def _names(names: Iterable[str]) -> SafeString:
    keys = dict(Route.objects.filter(name__in=list(names)).values_list("name", "pk"))
    rows = [
        (reverse("admin:routing_route_change", args=[keys[name]]), name) for name in names if name in keys
    ]
    return format_html_join(mark_safe(" and "), '<a class="text-link" href="{}">{}</a>', rows)
