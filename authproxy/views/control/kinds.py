"""D: The kinds of configuration entries as the control API has them: how they are searched and filtered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q, QuerySet
from rest_framework.request import Request

from authproxy.control.paging import Window, cursor
from authproxy.refusing import invalid
from authproxy.views.control.asking import word
from routing.document.canonical import canonicalise
from routing.loader import read_entries
from routing.models import RouteDefaults
from routing.rows.routes import AUTH_LEVELS, Destination

Rows = QuerySet[Any]
PAGING: Final = ("limit", "cursor", "search")
_TRUE: Final = ("true", "false")


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter. `values`: those that it may have; none: any text."""

    about: str
    condition: Callable[[str], Q]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One section of the document. `searched` are the columns that `search` looks through; `schema` is of an entry."""

    name: str
    singular: str
    schema: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    searched: tuple[str, ...] = ("name",)

    @property
    def plural(self) -> str:
        """For people; discovery has services of its own."""
        return "configured services" if self.name == "services" else self.name.replace("_", " ")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Of its list."""
        return (*PAGING, *self.filters)


def _level(value: str) -> Q:
    return Q(auth_level=value)


_ROUTE_FILTERS: Final = {
    "service": Filter(
        "Leads to this service, alone or among others.",
        lambda value: Q(service__name=value) | Q(backends__service__name=value),
    ),
    "enabled": Filter("", lambda value: Q(enabled=False) if value == "false" else ~Q(enabled=False), _TRUE),
    "destination": Filter(
        "", lambda value: Q(destination=value), tuple(each for each in Destination.values if each)
    ),
    "level": Filter("Names this level itself; not by the defaults.", _level, AUTH_LEVELS),
    "path": Filter("Its path begins so.", lambda value: Q(path__startswith=value)),
}
KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "services",
            "service",
            "ServiceSpec",
            {"protocol": Filter("As it is written.", lambda value: Q(protocol=value))},
            ("name", "targets__url"),
        ),
        Kind("routes", "route", "RouteSpec", _ROUTE_FILTERS, ("name", "path", "service__name")),
        Kind("quotas", "quota", "QuotaSpec"),
        Kind("plans", "plan", "PlanSpec"),
        Kind("roles", "role", "RoleSpec"),
        Kind("identity_providers", "identity provider", "IdentityProviderSpec", {}, ("name", "issuer")),
        Kind("topics", "topic rule", "TopicRuleSpec"),
    )
}


def chosen(kind: Kind, rows: Rows, request: Request) -> Rows:
    """Those rows that the request's filters and its search leave, by name."""
    for name, each in kind.filters.items():
        if (value := word(request, name)) == "":
            continue
        if each.values and value not in each.values:
            raise invalid({name: f"This must be one of {', '.join(each.values)}."})
        rows = rows.filter(each.condition(value))
    if search := word(request, "search"):
        condition = Q()
        for column in kind.searched:
            condition |= Q(**{f"{column}__icontains": search})
        rows = rows.filter(condition)
    return rows.distinct().order_by("name") if kind.filters else rows.order_by("name")


def page(kind: Kind, rows: Rows, wanted: Window) -> dict[str, Any]:
    """A page of entries under the document's own key, how many there are in all, and the cursor of the next."""
    total = rows.count()
    if wanted.after is not None:
        rows = rows.filter(name__gt=wanted.after)
    names = list(rows.values_list("name", flat=True)[: wanted.limit + 1])
    shown = names[: wanted.limit]
    behind = cursor(shown[-1]) if len(names) > len(shown) else None
    there = rows.model._default_manager.filter(name__in=shown).order_by("name")
    return {kind.name: entries(kind, there), "total": total, "next": behind}


def entries(kind: Kind, rows: Rows) -> list[dict[str, Any]]:
    """Rows as the document has them, in canonical form; they are in the order of their names."""
    defaults = (
        RouteDefaults.objects.values_list("values", flat=True).first() if kind.name == "routes" else None
    )
    document = {"version": 1, "defaults": defaults or {}, kind.name: read_entries(kind.name, rows)}
    found: list[dict[str, Any]] = canonicalise(document).get(kind.name, [])
    return found
