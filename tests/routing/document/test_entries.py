"""One entry, checked by itself."""

from typing import Any

import pytest

from routing.document.entries import MODELS, Surroundings, check_entry
from routing.document.reserved_rules import ReservedPaths
from routing.document.routes import RouteSpec
from routing.document.schema import KINDS
from tests.support.documents import ROUTE, SERVICE, lines

GOOD: dict[str, dict[str, Any]] = {
    "services": SERVICE,
    "routes": ROUTE,
    "defaults": {"timeout": "5s"},
    "quotas": {"name": "q", "limit": 1, "per": "1s"},
    "plans": {"name": "p"},
    "roles": {"name": "r"},
    "topics": {"name": "t", "topics": ["a.*"]},
    "identity_providers": {"name": "i", "issuer": "i", "audience": "a", "jwks_url": "https://a/jwks"},
}
AROUND = Surroundings(services=["orders"], quotas=["q"])


@pytest.mark.parametrize("kind", [*KINDS, "defaults"])
def test_every_kind_is_checked(kind: str) -> None:
    """A good entry has a specification and no findings; an unknown key is always found."""
    checked = check_entry(kind, GOOD[kind], AROUND)
    assert (type(checked.spec), checked.findings) == (MODELS[kind], ())

    refused = check_entry(kind, {**GOOD[kind], "zzz": 1}, AROUND)
    assert refused.spec is None
    assert [line.split(";")[0].split(" (")[0] for line in lines(refused.findings)] == [
        "E002 zzz: unknown key"
    ]


@pytest.mark.parametrize("raw", [None, 5, "text", ["list"]])
def test_what_is_no_mapping(raw: object) -> None:
    """Anything but a mapping is one finding."""
    assert len(check_entry("routes", raw, AROUND).findings) == 1


def test_all_kinds_of_findings_come_together() -> None:
    """Schema, rules, references and reserved paths."""
    raw = {
        "name": "r",
        "match": {"path": "/admin"},
        "service": "x",
        "timeout": 5,
        "rewrite": {"host": "A"},
    }

    found = check_entry(
        "routes", raw, Surroundings(services=["orders"], reserved=ReservedPaths("/api/v1"))
    ).findings

    assert [finding.id.removeprefix("gateway.") for finding in found] == [
        "E016",
        "E007",
        "E011",
        "W002",
    ]


def test_route_has_the_defaults() -> None:
    """The specification of a route is what is in force."""
    around = Surroundings(defaults={"timeout": "5s", "auth": {"level": "public"}, "respond": {}})

    checked = check_entry("routes", {"name": "r", "service": "s"}, around)

    assert isinstance(checked.spec, RouteSpec)
    assert checked.findings == ()
    assert (checked.spec.timeout, checked.spec.service, checked.spec.respond) == (5.0, "s", None)


def test_plan_without_known_quotas() -> None:
    """A form that sees a plan alone does not judge its quotas."""
    plan = {"name": "p", "quotas": [{"name": "q", "limit": 1, "per": "1s"}]}

    found = [
        check_entry("plans", plan, around).findings for around in (Surroundings(), Surroundings(quotas=[]))
    ]

    assert [[finding.id for finding in findings] for findings in found] == [
        [],
        ["gateway.E011"],
    ]
