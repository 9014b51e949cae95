"""D: What templates say about times."""

from datetime import datetime

from django import template
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> str:
    """`5 minutes ago`; `just now` within the first minute."""
    if moment is None:
        return "–"
    since = timesince(moment, depth=1)
    return "just now" if since.startswith("0") else f"{since} ago"
