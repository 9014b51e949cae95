"""D: The kinds of configuration entries as the control API has them: how they are searched and filtered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q, QuerySet
from rest_framework.request import Request

from authproxy.views.control.asking import word
from authproxy.views.control.tables import cut, one_of, searched
from routing.document.canonical import canonicalise
from routing.loader import read_entries
from routing.models import RouteDefaults
from routing.rows.routes import AUTH_LEVELS, Destination

Rows = QuerySet[Any]
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
    own_filters: Mapping[str, Filter] = field(default_factory=dict)
    searched: tuple[str, ...] = ("name",)

    @property
    def filters(self) -> Mapping[str, Filter]:
        """With those that all kinds have."""
        return {**self.own_filters, "managed_by": _MANAGED}

    @property
    def plural(self) -> str:
        """For people; discovery has services of its own."""
        return "configured services" if self.name == "services" else self.name.replace("_", " ")


_MANAGED: Final = Filter("Those that have this mark.", lambda value: Q(managed_by=value))


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
    """Those rows that the request's filters and its search leave."""
    for name, each in kind.filters.items():
        if value := one_of(request, name, each.values) if each.values else word(request, name):
            rows = rows.filter(each.condition(value))
    rows = searched(rows, request, *kind.searched)
    return rows.distinct() if kind.own_filters else rows


def page(kind: Kind, rows: Rows, request: Request) -> dict[str, Any]:
    """A page of entries under the document's own key, by name."""
    found = cut(rows.only("name"), request, by=("name",))
    there = rows.model._default_manager.filter(name__in=[row.name for row in found.rows]).order_by("name")
    return found.under(kind.name, entries(kind, there))


def entries(kind: Kind, rows: Rows) -> list[dict[str, Any]]:
    """Rows as the document has them, in canonical form; they are in the order of their names."""
    defaults = (
        RouteDefaults.objects.values_list("values", flat=True).first() if kind.name == "routes" else None
    )
    document = {"version": 1, "defaults": defaults or {}, kind.name: read_entries(kind.name, rows)}
    found: list[dict[str, Any]] = canonicalise(document).get(kind.name, [])
    return found
