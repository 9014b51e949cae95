"""D: Security events, newest first; nobody can change or delete one."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from unfold.decorators import display

from authproxy.admin.filters import EventKindFilter, MomentFilter
from authproxy.models import SecurityEvent
from authproxy.security import ALARMING, KINDS, REFUSALS
from routing.admin.revisions import ReadOnlyAdmin

COLOURS: Final = {
    kind.replace("_", " "): "danger" if kind in ALARMING else "warning" if kind in REFUSALS else "info"
    for kind in KINDS
}
SHOWN_DETAILS: Final = 160


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    """What happened to somebody's access."""

    list_display = ("at", "shown_kind", "subject", "actor", "address", "count", "shown_details")
    list_display_links = ("at",)
    list_filter = (EventKindFilter, ("at", MomentFilter))
    list_filter_submit = True
    search_fields = ("subject", "actor", "address")
    search_help_text = "Whom it was about, who did it, or an address"
    fields = ("at", "shown_kind", "subject", "actor", "address", "count", "shown_details")
    ordering = ("-at", "-pk")

    @display(description="kind", label=COLOURS, ordering="kind")
    def shown_kind(self, event: SecurityEvent) -> str:
        return event.kind.replace("_", " ")

    @display(description="details")
    def shown_details(self, event: SecurityEvent) -> str:
        text = details_text(event.details)
        return text if len(text) <= SHOWN_DETAILS else f"{text[:SHOWN_DETAILS]}…"


def details_text(details: Mapping[str, Any]) -> str:
    """`missing scopes: read, write; route: orders`; in one order, whatever the database makes of it."""
    return "; ".join(f"{name.replace('_', ' ')}: {_text(value)}" for name, value in sorted(details.items()))


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
