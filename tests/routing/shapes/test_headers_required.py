"""Header fields that a request must have: what is asked, and what is told of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.shapes.headers_required import (
    HeaderRule,
    Lack,
    RequiredHeaders,
    required_headers_note,
)
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

PRIVACY = {"x-privacy-level": {"one_of": ["strict", "standard"]}}
TENANT = {"X-Tenant": {"regex": "[a-z]{1,8}"}}
MAYBE = {"X-Mode": {"one_of": ["a", "b"], "optional": True}}
BEARER = {"Authorization": {"regex": "Bearer .*"}}


def policy(rules: dict[str, Any] = PRIVACY) -> RequiredHeaders:
    """As a route has it."""
    raw = document(route(service="s", require_headers=rules), services={"s": "http://127.0.0.1:1"})
    found = snapshot_of(raw).routes["r"].shapes.required_headers
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rules", "fields", "lack"),
    [
        (PRIVACY, ((b"x-privacy-level", b"strict"),), None),
        (PRIVACY, (), Lack("x-privacy-level", ("strict", "standard"), None)),
        (PRIVACY, ((b"x-privacy-level", b"Strict"),), Lack("x-privacy-level", ("strict", "standard"), "Strict")),
        (PRIVACY, ((b"x-privacy-level", b""),), Lack("x-privacy-level", ("strict", "standard"), "")),
        (
            PRIVACY,
            ((b"x-privacy-level", b"strict"), (b"x-privacy-level", b"none")),
            Lack("x-privacy-level", ("strict", "standard"), "none"),
        ),
        (TENANT, ((b"x-tenant", b"acme"),), None),
        (TENANT, ((b"x-tenant", b"acme "),), Lack("x-tenant", "matches [a-z]{1,8}", "acme ")),
        ({"X-Any": {}}, ((b"x-any", b"\xff"),), None),
        ({"X-Any": {}}, ((b"x-other", b"1"),), Lack("x-any", "present", None)),
        (MAYBE, (), None),
        (MAYBE, ((b"x-mode", b"a"),), None),
        (MAYBE, ((b"x-mode", b"c"),), Lack("x-mode", ("a", "b"), "c")),
        ({**MAYBE, **PRIVACY}, ((b"x-mode", b"a"),), Lack("x-privacy-level", ("strict", "standard"), None)),
        (BEARER, ((b"authorization", b"Basic c2Vj"),), Lack("authorization", "matches Bearer .*", "***")),
    ],
)  # fmt: skip
def test_verdicts(rules: dict[str, Any], fields: Any, lack: Lack | None) -> None:
    """Values are compared to the letter; of a field that comes twice each value counts."""
    assert policy(rules).lacking(fields) == lack


def test_long_values_are_shortened() -> None:
    """What is shown of a value is short."""
    lack = policy().lacking(((b"x-privacy-level", b"a" * 500),))

    assert lack is not None
    assert lack.value == "a" * 79 + "…"


def test_what_asks_for_nothing_is_no_policy() -> None:
    """A section with a mode alone."""
    raw = document(route(service="s", require_headers={"mode": "log"}), services={"s": "http://127.0.0.1:1"})

    assert snapshot_of(raw).routes["r"].shapes.required_headers is None


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([b"1", b"2", b"3"])), max_size=6)
)
def test_nothing_lacks_exactly_when_every_rule_is_kept(fields: list[tuple[bytes, bytes]]) -> None:
    """Checked against the sentence itself."""
    rules = RequiredHeaders({b"a": HeaderRule(frozenset({b"1", b"2"})), b"b": HeaderRule()})
    kept = (
        any(name == b"a" for name, _ in fields)
        and all(value in (b"1", b"2") for name, value in fields if name == b"a")
        and any(name == b"b" for name, _ in fields)
    )

    assert (rules.lacking(tuple(fields)) is None) == kept


@pytest.mark.parametrize(("mode", "outcome"), [("enforce", "refuse"), ("log", "pass")])
def test_explained(mode: str, outcome: str) -> None:
    """What is wanted, and what the request would be refused for."""
    [note] = required_headers_note(policy({**PRIVACY, "mode": mode}), "route", ())

    assert note.outcome == outcome
    assert note.details["headers"] == {"x-privacy-level": ("strict", "standard")}
    assert list(required_headers_note(None, "built-in", ())) == []
