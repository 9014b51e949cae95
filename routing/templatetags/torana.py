"""D: What templates say about times and values."""

import json
from datetime import datetime
from typing import Any

from django import template
from django.utils.timesince import timesince

from routing import explanation

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> str:
    """`5 minutes ago`; `just now` within the first minute."""
    if moment is None:
        return "–"
    since = timesince(moment, depth=1)
    return "just now" if since.startswith("0") else f"{since} ago"


@register.filter
def shown(value: Any) -> str:
    """A value as the document would write it; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@register.filter
def told(value: Any) -> str:
    """A value of an explanation; what is in a mapping, one after the other."""
    return explanation.told(value) if isinstance(value, dict) else shown(value)


@register.filter
def says_something(value: Any) -> bool:
    """Whether there is anything in a value, however deep: `{set: {}, remove: []}` has nothing."""
    if isinstance(value, dict):
        return any(says_something(item) for item in value.values())
    return value not in (None, "", [], ())
