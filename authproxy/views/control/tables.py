"""D: Lists of rows that are data, not configuration, in pages: consumers, keys, accounts, sessions, leases."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request

from authproxy.control.paging import cursor
from authproxy.refusing import invalid
from authproxy.views.control.asking import flag, window, word

PAGING = ("limit", "cursor", "search")


def searched(rows: "QuerySet[Any]", request: Request, *columns: str) -> "QuerySet[Any]":
    """Those whose columns hold what is looked for."""
    text = word(request, "search")
    if not text:
        return rows
    condition = Q()
    for column in columns:
        condition |= Q(**{f"{column}__icontains": text})
    return rows.filter(condition)


def flagged(rows: "QuerySet[Any]", request: Request, name: str, condition: Q) -> "QuerySet[Any]":
    """Those for which the condition holds, or does not, if the request asks."""
    if name not in request.query_params:
        return rows
    return rows.filter(condition) if flag(request, name) else rows.exclude(condition)


def page(
    rows: "QuerySet[Any]", request: Request, name: str, as_json: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """A page under `name`, how many there are in all, and the cursor of the next; ordered by primary key."""
    wanted, total = window(request), rows.count()
    if wanted.after is not None:
        try:
            rows = rows.filter(pk__gt=rows.model._meta.pk.to_python(wanted.after))
        except Exception as error:
            raise invalid({"cursor": "This is no cursor of this list."}) from error
    found = list(rows.order_by("pk")[: wanted.limit + 1])
    shown = found[: wanted.limit]
    behind = cursor(str(shown[-1].pk)) if len(found) > len(shown) else None
    return {name: [as_json(row) for row in shown], "total": total, "next": behind}
