"""Sections: every honoured key has its place, and nothing else is shown."""

from dataclasses import replace

import pytest

from routing.admin.forms.leaves import Kind, Leaf, leaves
from routing.admin.sections import (
    ELSEWHERE,
    PLAN_SECTIONS,
    QUOTA_SECTIONS,
    ROUTE_SECTIONS,
    SERVICE_SECTIONS,
    Section,
    grouped,
    honoured,
)
from routing.document.policies import PlanSpec, QuotaSpec
from routing.document.routes import RouteSpec
from routing.document.services import ServiceSpec, TargetSpec


def leaf(*path: str) -> Leaf:
    return Leaf(path, Kind.TEXT, path[-1])


@pytest.mark.parametrize(
    ("sections", "spec", "inline"),
    [
        (SERVICE_SECTIONS, ServiceSpec, {"targets"}),
        (ROUTE_SECTIONS, RouteSpec, set[str]()),
        (QUOTA_SECTIONS, QuotaSpec, set[str]()),
        (PLAN_SECTIONS, PlanSpec, set[str]()),
    ],
)
def test_every_key_of_the_schema_has_a_section(
    sections: tuple[Section, ...], spec: type, inline: set[str]
) -> None:
    """Also keys that come later: each is named once."""
    named = [key for section in sections for key in section.keys]
    assert len(named) == len(set(named))
    assert set(named) | inline == {each.path[0] for each in leaves(spec)}


def test_grouping_keeps_order_leaves_out_the_empty_and_forgets_nothing() -> None:
    """Sections without fields go; a key that no section names comes last."""
    sections = (Section("A", ("b", "a")), Section("Empty", ("z",)))
    groups = grouped(sections, [leaf("a", "x"), leaf("new"), leaf("b"), leaf("a", "y")])
    assert [(section.title, [each.name for each in members]) for section, members in groups] == [
        ("A", ["b", "a__x", "a__y"]),
        (ELSEWHERE, ["new"]),
    ]


def test_honoured_leaves_have_only_honoured_choices() -> None:
    """What this version does not act on is not offered."""
    shown = {each.name: each for each in honoured("routes", leaves(RouteSpec))}
    assert shown["auth__level"].choices == ("public", "user", "admin", "service")
    assert "websocket__max_message" in shown
    services = {each.name: each for each in honoured("services", leaves(ServiceSpec))}
    assert len(services["load_balancing"].choices) == 5
    assert services["protocol"] == replace(
        services["protocol"], choices=("http", "https", "h2", "h2c", "grpc")
    )
    assert [each.name for each in honoured("services", leaves(TargetSpec), below="targets")][:2] == [
        "url",
        "weight",
    ]
