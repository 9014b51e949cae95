"""D: Rows that belong to a source of documents: found by its name."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import TextFilter


class ManagedFilter(TextFilter):
    """Rows that somebody manages; - finds those that belong to nobody."""

    title = "managed by (- nobody)"
    parameter_name = "managed_by"

    def queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if not (value := self.value()):
            return queryset
        return queryset.filter(managed_by=None if value == "-" else value)
