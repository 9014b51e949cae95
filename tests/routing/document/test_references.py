"""Names that one entry uses and another defines."""

from typing import Any

import pytest

from routing.document.references import check_plan_references, check_route_references
from tests.support.documents import lines

KNOWN = {"services": ["orders", "users"], "quotas": ["default"], "roles": ["analyst"]}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"service": "orders", "quotas": ["default", {"name": "default"}]}, []),
        ({"service": 5, "backends": [5], "mirror": 5, "aggregate": {"parts": 5}, "quotas": "x"}, []),
        ({"service": "ordrs"}, ['E011 service: no service named "ordrs" (did you mean "orders"?)']),
        ({"backends": [{}, {"service": "x"}]}, ['E011 backends[1].service: no service named "x"']),
        ({"mirror": {"service": "x"}}, ['E011 mirror.service: no service named "x"']),
        (
            {"aggregate": {"parts": {"a": {"service": "x"}, "b": 5}}},
            ['E011 aggregate.parts.a.service: no service named "x"'],
        ),
        ({"quotas": ["defalt"]}, ['E011 quotas[0]: no quota named "defalt" (did you mean "default"?)']),
        ({"auth": {"roles": ["analyst", 5]}}, []),
        ({"auth": {"roles": 5}}, []),
        (
            {"auth": {"roles": ["analst"]}},
            [
                'W006 auth.roles[0]: no role named "analst" (did you mean "analyst"?); a Django group may still have it'
            ],
        ),
        ({"quotas": [{"name": "x"}]}, ['E011 quotas[0].name: no quota named "x"']),
    ],
)
def test_references_of_a_route(raw: dict[str, Any], found: list[str]) -> None:
    """Every place where a route names a service or a quota."""
    assert lines(check_route_references(raw, **KNOWN)) == found


def test_what_is_not_known_is_not_checked() -> None:
    """A form that sees one entry alone does not judge what lies outside."""
    assert lines(check_route_references({"service": "x", "quotas": ["y"]}, services=None, quotas=None)) == []


def test_references_of_a_plan() -> None:
    """A plan changes quotas that exist."""
    found = lines(
        check_plan_references({"quotas": [{"name": "defaul"}, {"name": "default"}]}, quotas=["default"])
    )

    assert found == ['E011 quotas[0].name: no quota named "defaul" (did you mean "default"?)']
    assert lines(check_plan_references({"quotas": None}, quotas=[])) == []
