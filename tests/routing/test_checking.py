"""Checks of documents that others were checked before."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authproxy.control.merging import with_entry
from routing import checking, validation
from routing.checking import EMPTY, Document, validated
from routing.problems import ConfigurationInvalid
from routing.soundness import Sound
from tests.support.configuration import documents, large, route, service, small


@pytest.fixture(autouse=True)
def _knowing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_sound", [Sound()])


def found_in(raw: Any, known: Document = EMPTY) -> Any:
    """The document and the warnings, or the problems."""
    try:
        return validated(raw, known)
    except ConfigurationInvalid as error:
        return error.problems


def anew(raw: Any) -> Any:
    """The slow way: by a process that knows nothing."""
    before, checking._sound[0] = checking._sound[0], Sound()
    try:
        return found_in(raw)
    finally:
        checking._sound[0] = before


@settings(max_examples=30)
@given(documents(), documents(), st.randoms())
def test_whatever_was_checked_before_the_same_is_found(
    first: dict[str, Any], second: dict[str, Any], rng: random.Random
) -> None:
    """Entries of one document among those of another: references may have no end, names may be there twice."""
    known = anew(first)[0]
    validated(first)
    kept = [entry for entry in known.get("routes", ()) if rng.random() < 0.7]
    mixed = {
        **second,
        "routes": [*second["routes"], *kept],
        "services": rng.choice((known, second)).get("services", []),
        "defaults": rng.choice((known, second)).get("defaults"),
    }
    assert found_in(mixed, known) == anew(mixed)


def test_one_of_a_thousand_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if another worker wrote what is there: then that one as well."""
    looked_at: list[str] = []
    check = validation.check_entry

    def counted(kind: str, raw: Any, around: Any) -> Any:
        looked_at.append(raw["name"])
        return check(kind, raw, around)

    monkeypatch.setattr(validation, "check_entry", counted)
    current, _ = validated(large(1000))
    assert len(looked_at) == 1050
    looked_at.clear()
    target, _ = validated(with_entry(current, "routes", route("r00500", to="s001")).document, current)
    assert looked_at == ["r00500"]
    assert sum(a is b for a, b in zip(current["routes"], target["routes"], strict=True)) == 999
    looked_at.clear()
    elsewhere, _ = anew(with_entry(target, "routes", route("r00007", to="s002")).document)
    looked_at.clear()
    validated(with_entry(elsewhere, "routes", route("r00500", to="s003")).document, elsewhere)
    assert looked_at == ["r00500", "r00007"]
    looked_at.clear()
    validated(with_entry(elsewhere, "routes", route("r00500", to="s003")).document, elsewhere)
    assert looked_at == ["r00500"]


def test_warnings_are_given_again() -> None:
    raw = {"services": [service()], "routes": [route("hidden", "/admin"), route()]}
    current, first = validated(raw)
    _, second = validated(with_entry(current, "routes", route("other", "/other")).document, current)
    assert [each.id for each in first] == [each.id for each in second] == ["gateway.W002"]


def test_a_service_that_goes_is_missed_by_routes_that_were_known() -> None:
    current, _ = validated(small())
    (problem,) = found_in({**current, "services": []}, current)
    assert problem.path == "routes[0].service"


def test_settings_are_part_of_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says something else is another check."""
    current, _ = validated(small())
    known = checking._sound[0].unchanged(current, current, checking._rules())
    monkeypatch.setenv("SOMETHING", "else")
    assert len(known) == 2
    assert checking._sound[0].unchanged(current, current, checking._rules()) == frozenset()
