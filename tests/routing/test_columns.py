"""Every key of the document has a column, and nothing is lost between the two."""

from typing import Any

import pytest

from routing import columns
from routing.document.destinations import BackendSpec
from routing.document.matches import MatchSpec
from routing.document.policies import IdentityProviderSpec, PlanSpec, QuotaSpec, RoleSpec
from routing.document.routes import RouteSpec
from routing.document.schema import KINDS
from routing.document.services import ServiceSpec, TargetSpec

PAIRS = [
    (columns.SERVICE, ServiceSpec),
    (columns.TARGET, TargetSpec),
    (columns.BACKEND, BackendSpec),
    (columns.QUOTA, QuotaSpec),
    (columns.PLAN, PlanSpec),
    (columns.ROLE, RoleSpec),
    (columns.IDENTITY_PROVIDER, IdentityProviderSpec),
]


def keys(spec: Any) -> set[str]:
    return {field.alias or name for name, field in spec.model_fields.items()}


@pytest.mark.parametrize(("table", "spec"), PAIRS, ids=lambda value: getattr(value, "kind", ""))
def test_each_key_of_the_schema_has_a_column(table: columns.Table, spec: Any) -> None:
    """A key that the schema learns cannot be forgotten by the tables."""
    assert set(table.plain) | ({table.child} - {None}) == keys(spec)


def test_each_key_of_a_route_has_a_column() -> None:
    """Routes are spread over columns: match, destinations and auth."""
    assert set(columns.ROUTE.plain) | {"match", "auth", *columns.DESTINATIONS} == keys(RouteSpec)
    assert set(columns.MATCH_KEYS) == keys(MatchSpec)


def test_the_kinds_are_those_of_the_document() -> None:
    """Tables and schema agree on what there is."""
    assert columns.KINDS == KINDS


ROUTES = [
    {"name": "a", "match": {"hosts": ["x.test"], "path": "/a"}, "service": "s", "auth": {"level": "public"}},
    {"name": "a", "redirect": {"path": "/b"}, "auth": {"level": "user", "scopes": ["read"]}, "priority": 0},
    {"name": "a", "respond": {}, "auth": {}, "enabled": True},
    {"name": "a", "match": {"headers": {"x": "1"}}, "auth": {"scopes": ["read"]}},
]


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_comes_back_as_written(route: dict[str, Any]) -> None:
    """Also where a key has its default's value, or a section is empty."""
    assert columns.ROUTE.entry(columns.ROUTE.row(route)) == route


def test_the_destination_is_named_in_a_column_of_its_own() -> None:
    """Lists can be filtered by where a route leads."""
    assert columns.ROUTE.row({"name": "a", "service": "s"})["destination"] == "service"
    assert columns.ROUTE.row({"name": "a", "backends": [{"service": "s"}]})["destination"] == "backends"
    assert columns.ROUTE.row({"name": "a"})["destination"] == ""


@pytest.mark.parametrize("entry", [{"name": "a", "colour": "red"}, {"name": "a", "match": {"colour": "red"}}])
def test_a_key_without_a_column_is_an_error(entry: dict[str, Any]) -> None:
    """Nothing that was written is dropped quietly."""
    with pytest.raises(KeyError, match="colour"):
        columns.ROUTE.row(entry)
