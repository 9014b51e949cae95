"""Problems of the document's validation find the column that they are about."""

from typing import Any

import pytest
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from routing.cleaning import (
    clean_policy,
    clean_route,
    clean_service,
    clean_target,
    column_of,
    errors_by_column,
    raise_at_columns,
    saved_children,
    written,
)
from routing.models import Destination, Plan, Quota, Route, RouteBackend, RouteDefaults, Service, Target
from routing.problems import Problem

pytestmark = [pytest.mark.store, pytest.mark.django_db]
RESPOND: dict[str, Any] = {"destination": Destination.RESPOND, "respond": {"status": 200}}


@pytest.mark.parametrize(
    ("path", "column", "inside"),
    [
        ("timeout.connect", "timeout", "connect"),
        ("rewrite.regex.pattern", "rewrite", "regex.pattern"),
        ("match.hosts[0]", "hosts", "[0]"),
        ("match.headers.x-a.regex", "headers", "x-a.regex"),
        ("auth.level", "auth_level", ""),
        ("auth.scopes[1]", "auth", "scopes[1]"),
        ("service", "service", ""),
        ("respond", "destination", ""),
        ("respond.status", "respond", "status"),
        ("backends[1].weight", NON_FIELD_ERRORS, "backends[1].weight"),
        ("match", NON_FIELD_ERRORS, "match"),
        ("", NON_FIELD_ERRORS, ""),
    ],
)
def test_a_path_names_a_column_and_a_place_in_it(path: str, column: str, inside: str) -> None:
    """The column is where a form shows the error; the place inside it is part of the text."""
    assert column_of(path) == (column, inside)


def test_every_problem_is_kept_with_its_id() -> None:
    """Several at one column, too."""
    errors = errors_by_column(
        [
            Problem("gateway.E007", "timeout.read", "is odd"),
            Problem("gateway.E006", "timeout.total", "is odd"),
        ]
    )
    assert [(error.code, error.message) for error in errors["timeout"]] == [
        ("gateway.E007", "read: is odd"),
        ("gateway.E006", "total: is odd"),
    ]
    raise_at_columns([])


def test_a_row_is_written_as_the_document_has_it() -> None:
    """With its children, as they are saved."""
    service = Service.objects.create(name="a", max_connections=5)
    Target.objects.create(service=service, url="http://a:1", weight=2)
    assert written(service, children=saved_children(service)) == {
        "name": "a",
        "max_connections": 5,
        "targets": [{"url": "http://a:1", "weight": 2}],
    }
    split = Route.objects.create(name="r", destination=Destination.BACKENDS)
    RouteBackend.objects.create(route=split, service=service, weight=1)
    assert saved_children(split) == [{"service": "a", "weight": 1}]
    assert written(Route(name="r", service=service, path="/a")) == {
        "name": "r",
        "match": {"path": "/a"},
        "service": "a",
    }
    assert saved_children(Route(name="new")) == []


def test_a_route_is_judged_with_the_defaults() -> None:
    """What comes from there may not fit the route."""
    row = Route(name="r", path="/{id}", path_type="template", **RESPOND)
    clean_route(row)
    RouteDefaults(values={"rewrite": {"strip_prefix": True}}).save()
    with pytest.raises(ValidationError) as refused:
        clean_route(row)
    assert set(refused.value.error_dict) == {"rewrite"}


def test_what_cannot_be_stored_is_an_error_at_its_column() -> None:
    """As when a document is applied."""
    row = Route(name="r", auth_level="public", destination=Destination.RESPOND, respond={"body": "a\0"})
    with pytest.raises(ValidationError) as refused:
        clean_route(row)
    assert set(refused.value.error_dict) == {"respond"}


def test_children_have_their_own_errors() -> None:
    """A service is not blamed for its targets."""
    service = Service.objects.create(name="a")
    target = Target(service=service, url="http://a:1")
    target.save()
    Target.objects.update(url="ftp://a")
    clean_service(service)
    clean_target(target)
    target.url = "http://user:secret@a:1"
    with pytest.raises(ValidationError) as refused:
        clean_target(target)
    assert set(refused.value.error_dict) == {"url"}
    assert "secret" not in str(refused.value)


def test_policies_are_judged_by_themselves() -> None:
    """References to other rows are not: those rows may be saved later."""
    with pytest.raises(ValidationError) as refused:
        clean_policy(Quota(name="q", limit="many", per="1s"))
    assert "limit" in refused.value.error_dict
    row = Plan(name="gold", quotas=[{"name": "none", "limit": 0, "per": "1s"}])
    with pytest.raises(ValidationError) as refused:
        clean_policy(row)
    assert set(refused.value.error_dict) <= {"quotas", NON_FIELD_ERRORS}
