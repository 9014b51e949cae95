"""D: What is left of a route's error budgets, on its own page."""

import time

from django.utils.html import format_html
from django.utils.safestring import SafeString

from observability.slo.standing import in_words, standing
from routing.admin.entries import FACTS
from routing.models import Route


def about(row: object) -> list[SafeString]:
    """A line for each objective that is live."""
    if not isinstance(row, Route) or (row.slo is None and not row.pk):
        return []
    return [format_html("Objective: {}", in_words(entry)) for entry in standing(time.time(), route=row.name)]


FACTS.append(about)
