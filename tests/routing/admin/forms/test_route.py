"""The route form: each fault at its field, and what is typed is what is stored."""

from typing import Any

import pytest

from routing.admin.forms.route import HONOURED_DESTINATIONS, RouteForm
from routing.document.honoured import is_honoured
from routing.models import Destination, Route, RouteDefaults, Service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return Service.objects.create(name="orders")


def bound(to: Service | None, **changes: Any) -> RouteForm:
    data = {
        "name": "orders",
        "match__path": "/orders",
        "destination": "service",
        "service": to.pk if to else "",
        "auth__level": "public",
    }
    return RouteForm({**data, **changes})


def test_only_what_is_honoured_is_shown() -> None:
    """Nothing that the form offers is refused for being too early."""
    assert {"service", "backends", "redirect", "respond"} <= set(HONOURED_DESTINATIONS)
    assert all(is_honoured("routes", ".".join(leaf.path)) for leaf in RouteForm.leaves)
    names = {leaf.name for leaf in RouteForm.leaves}
    assert {"rewrite__regex__pattern", "limits__max_body", "redirect__status"} <= names
    assert {"quotas", "limits__queue", "fault__abort"} <= names
    assert "websocket__enabled" in names
    [level] = [leaf for leaf in RouteForm.leaves if leaf.name == "auth__level"]
    assert level.choices == ("public", "user", "admin", "service")
    assert {"auth__scopes", "auth__methods", "forward_identity", "forward_credentials"} <= names


FAULTS: list[tuple[dict[str, str], str, str]] = [
    ({"name": ""}, "name", "missing"),
    ({"name": "no spaces"}, "name", "name"),
    ({"match__hosts": "API.example.com"}, "match__hosts", "api.example.com"),
    ({"match__hosts": "a.test https://b.test"}, "match__hosts", "host"),
    ({"match__path": "orders"}, "match__path", "/"),
    ({"match__path": "/a/%zz"}, "match__path", "%zz"),
    ({"match__path": "/{id", "match__path_type": "template"}, "match__path", "{id"),
    ({"match__path": "/(a", "match__path_type": "regex"}, "match__path", "regular expression"),
    ({"match__path_type": "glob"}, "match__path_type", "prefix"),
    ({"match__methods": "get"}, "match__methods", "GET"),
    ({"match__headers": "x y: 1"}, "match__headers", "x y"),
    ({"match__headers": "x-a: {regex: '('}"}, "match__headers", "x-a.regex"),
    ({"match__headers": "x-a: {regx: b}"}, "match__headers", "regex"),
    ({"match__headers": "nothing"}, "match__headers", "Line 1: write name: value"),
    ({"match__query": "a: 1\na: 2"}, "match__query", "given twice"),
    ({"priority": "high"}, "priority", "whole number"),
    ({"priority": "${PRIORITY:-5}"}, "priority", "written out"),
    ({"enabled": "maybe"}, "enabled", "true or false"),
    ({"service": ""}, "service", "Choose the service"),
    ({"service": "999999"}, "service", "valid choice"),
    ({"auth__level": "staff"}, "auth__level", "public"),
    ({"auth__methods": "jwt password"}, "auth__methods", "password"),
    ({"limits__max_body": "ten"}, "limits__max_body", "size"),
    ({"timeout": "5"}, "timeout", '"5s"'),
    ({"timeout": "5 minutes"}, "timeout", "duration"),
    ({"rewrite__path": "no-slash"}, "rewrite__path", "/"),
    ({"rewrite__host": "a b"}, "rewrite__host", "host"),
    ({"rewrite__regex__pattern": "("}, "rewrite__regex__pattern", "regular expression"),
    ({"rewrite__regex__pattern": "a", "rewrite__regex__to": "\\9"}, "rewrite__regex__to", "group"),
    ({"request_headers__set": "Content-Length: 5"}, "request_headers__set", "gateway"),
    ({"request_headers__set": "x-a: é"}, "request_headers__set", "x-a"),
    ({"request_headers__remove": "x:y"}, "request_headers__remove", "header name"),
    ({"response_headers__add": "x-a"}, "response_headers__add", "name: value"),
    ({"allow_encoded_slashes": "perhaps"}, "allow_encoded_slashes", "true or false"),
    ({"destination": "redirect"}, "redirect__scheme", "same URL"),
    ({"destination": "redirect", "redirect__status": "308"}, "redirect__scheme", "same URL"),
    (
        {"destination": "redirect", "redirect__host": "h", "redirect__status": "200"},
        "redirect__status",
        "301",
    ),
    ({"destination": "redirect", "redirect__host": "*.a.test"}, "redirect__host", "wildcard"),
    ({"destination": "redirect", "redirect__port": "70000"}, "redirect__port", "65535"),
    ({"destination": "redirect", "redirect__path__prefix": "new"}, "redirect__path__prefix", "/"),
    ({"destination": "respond", "respond__status": "99"}, "respond__status", "200"),
    ({"destination": "respond", "respond__headers": "x y: 1"}, "respond__headers", "x y"),
    ({"destination": "grpc"}, "destination", "valid choice"),
    ({"destination": "backends", "sticky": "somebody"}, "sticky", "consumer"),
    ({"destination": "backends", "force": "{query: x}"}, "force", "header"),
]


@pytest.mark.parametrize(
    ("changes", "field", "says"), FAULTS, ids=[f"{field}-{n}" for n, (_, field, _) in enumerate(FAULTS)]
)
def test_each_fault_is_at_its_field(service: Service, changes: dict[str, str], field: str, says: str) -> None:
    """The message stands where it can be mended, and nowhere else."""
    form = bound(service, **changes)
    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert says in " ".join(form.errors[field])


def test_all_faults_are_told_at_once(service: Service) -> None:
    """Whoever fills in a form wrongly learns everything in one go."""
    form = bound(service, name="", match__methods="get", timeout="5", limits__max_body="ten")
    assert set(form.errors) == {"name", "match__methods", "timeout", "limits__max_body"}


def test_conflicting_rewrites_are_told_at_one_of_them(service: Service) -> None:
    """At most one change of path: the message is at a rewrite field."""
    form = bound(service, rewrite__strip_prefix="yes", rewrite__path="/x")
    assert [name for name in form.errors if name.startswith("rewrite__")] == list(form.errors) != []


def test_values_are_stored_as_written(service: Service) -> None:
    """`250ms` stays `250ms`, and what is empty is NULL."""
    form = bound(
        service,
        timeout="250ms",
        limits__max_body="10MB",
        match__headers="x-tenant: acme\nx-mode: {regex: beta.*}",
        request_headers__set="x-a: ${NAME:-b}",
        enabled="no",
    )
    assert form.is_valid(), form.errors
    route = form.save()
    route.refresh_from_db()
    assert (route.timeout, route.limits, route.enabled) == ("250ms", {"max_body": "10MB"}, False)
    assert route.headers == {"x-tenant": "acme", "x-mode": {"regex": "beta.*"}}
    assert route.request_headers == {"set": {"x-a": "${NAME:-b}"}}
    assert (route.rewrite, route.response_headers, route.priority, route.hosts) == (None, None, None, None)


@pytest.mark.parametrize(
    ("chosen", "more", "column"),
    [
        ("redirect", {"redirect__path__prefix": "/new", "redirect__status": "308"}, "redirect"),
        ("respond", {"respond__status": "503", "respond__body": "down"}, "respond"),
    ],
)
def test_one_destination_is_kept(service: Service, chosen: str, more: dict[str, str], column: str) -> None:
    """What was typed for the other destinations is forgotten, the service included."""
    other = {"redirect__host": "h.test"} if chosen == "respond" else {"respond__body": "x"}
    form = bound(service, destination=chosen, **more, **other)
    assert form.is_valid(), form.errors
    route = form.save()
    assert (route.destination, route.service) == (chosen, None)
    assert getattr(route, column)
    assert {"redirect", "respond"} - {column} == {
        name for name in ("redirect", "respond") if not getattr(route, name)
    }


def test_auth_may_come_from_the_defaults(service: Service) -> None:
    """A route needs no level of its own where the defaults have one."""
    RouteDefaults.objects.create(values={"auth": {"level": "public"}})
    assert bound(service, auth__level="").is_valid()


def test_unset_variable_is_told_at_its_field(service: Service) -> None:
    """A value from the environment is looked up now, so that a mistake shows now."""
    form = bound(service, rewrite__host="${NOBODY_SET_THIS}")
    assert list(form.errors) == ["rewrite__host"]


def test_choice_that_is_there_already_is_offered(service: Service) -> None:
    """A value from the environment in a list of choices is kept, not lost."""
    route = Route.objects.create(
        name="r", service=service, path="/", path_type="${KIND:-exact}", auth_level="public"
    )
    form = RouteForm(instance=route)
    assert ("${KIND:-exact}", "${KIND:-exact}") in list(form.fields["match__path_type"].choices)
    assert form["match__path_type"].value() == "${KIND:-exact}"


def test_destination_of_a_new_route_is_a_service() -> None:
    """What most routes lead to is chosen already."""
    assert RouteForm()["destination"].value() == Destination.SERVICE
