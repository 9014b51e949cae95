"""D: The lists of the control API, in pages: how many, from where on, and which; the same way for all of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet
from rest_framework.request import Request

from authproxy.control.paging import Faulty, cursor, packed, unpacked
from authproxy.refusing import invalid
from authproxy.views.control.asking import flag, window, word

T = TypeVar("T")
BY_NUMBER = ("pk",)
NEWEST_FIRST = ("-pk",)


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """The rows of a page, how many there are in all (None: nobody counts them), and the cursor of the next."""

    rows: list[T]
    total: int | None
    next: str | None

    def under(self, name: str, told: Sequence[Any]) -> dict[str, Any]:
        """The answer, with the rows as they are told."""
        counted = {} if self.total is None else {"total": self.total}
        return {name: told, **counted, "next": self.next}


def cut(
    rows: "QuerySet[Any]", request: Request, by: tuple[str, ...] = BY_NUMBER, *, is_counted: bool = True
) -> Cut[Any]:
    """The page that is asked for. `by` are columns without null, `-` before those that descend; together they tell
    rows apart. `is_counted` False: they are too many to be counted each time."""
    wanted, total = window(request), rows.count() if is_counted else None
    if wanted.after is not None:
        try:
            rows = rows.filter(_behind(rows.model, by, unpacked(wanted.after, len(by))))
        except Exception as error:  # each kind of column has refusals of its own
            raise invalid({"cursor": "This is no cursor of this list."}) from error
    found = list(rows.order_by(*by)[: wanted.limit + 1])
    shown = found[: wanted.limit]
    key = attrgetter(*[column.removeprefix("-") for column in by])
    if len(found) == len(shown):
        return Cut(shown, total, None)
    return Cut(shown, total, cursor(packed(key(shown[-1]) if len(by) > 1 else (key(shown[-1]),))))


def page(
    rows: "QuerySet[Any]",
    request: Request,
    name: str,
    as_json: Callable[[Any], Any],
    by: tuple[str, ...] = BY_NUMBER,
    *,
    is_counted: bool = True,
) -> dict[str, Any]:
    """A page under `name`."""
    found = cut(rows, request, by, is_counted=is_counted)
    return found.under(name, [as_json(row) for row in found.rows])


def sliced(items: Iterable[T], request: Request, key: Callable[[T], tuple[int | str, ...]]) -> Cut[T]:
    """The page that is asked for of what is put together in memory, in the order of its keys."""
    wanted, ordered = window(request), sorted(items, key=key)
    left = ordered
    if wanted.after is not None and ordered:
        try:
            after = unpacked(wanted.after, len(key(ordered[0])))
            left = [item for item in ordered if key(item) > after]
        except (Faulty, TypeError) as error:
            raise invalid({"cursor": "This is no cursor of this list."}) from error
    shown = left[: wanted.limit]
    behind = cursor(packed(key(shown[-1]))) if len(left) > len(shown) else None
    return Cut(shown, len(ordered), behind)


def asked_from(request: Request, before: int | None) -> tuple[int, int | None]:
    """How many rows, and below which number, where something else looks for them; `before` is asked for as well."""
    wanted = window(request)
    if wanted.after is None:
        return wanted.limit, before
    try:
        (after,) = unpacked(wanted.after, 1)
        if not isinstance(after, int):
            raise Faulty("cursor", "a number is wanted")
    except Faulty as error:
        raise invalid({"cursor": "This is no cursor of this list."}) from error
    return wanted.limit, after if before is None else min(after, before)


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


def one_of(request: Request, name: str, values: Sequence[str]) -> str:
    """A parameter that is one of these; empty where it is not given."""
    text = word(request, name)
    if text and text not in values:
        raise invalid({name: f"This must be one of {', '.join(values)}."})
    return text


def _behind(model: Any, by: tuple[str, ...], after: tuple[int | str, ...]) -> Q:
    """Rows behind the one that has these values: equal in the first columns, and beyond in the next."""
    condition, same = Q(), Q()
    for column, value in zip(by, after, strict=True):
        name = column.removeprefix("-")
        of = model._meta.pk if name == "pk" else model._meta.get_field(name)
        there = of.to_python(value)
        condition |= same & Q(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": there})
        same &= Q(**{name: there})
    return condition
