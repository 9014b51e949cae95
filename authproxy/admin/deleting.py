"""D: What a deletion takes along, in numbers: listing every key of thousands of consumers would help nobody."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from authproxy.admin.asking import LISTED

Deleted = tuple[list[str], dict[str, int], set[str], list[str]]


def summed(page: ModelAdmin, objs: Any, request: HttpRequest, *, also: Mapping[str, int]) -> Deleted:
    """What Django's confirmation shows: names, numbers by kind, what one may not delete, what stands in the way.

    Whoever may delete the rows may delete what hangs on them (`also`, by its plural).
    """
    rows = list(objs)
    names = [str(row) for row in rows[:LISTED]]
    if more := len(rows) - len(names):
        names.append(f"and {more} more")
    counts = {str(page.opts.verbose_name_plural): len(rows)}
    refused = {str(page.opts.verbose_name) for row in rows if not page.has_delete_permission(request, row)}
    return names, counts | {kind: number for kind, number in also.items() if number}, refused, []
