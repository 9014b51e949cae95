"""What is posted as events."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.events import LARGEST_DATA
from realtime.proposals import MOST_AT_ONCE, Proposal, proposals_of
from routing.topics import is_topic


def errors(given: Any) -> list[tuple[str, str]]:
    return list(proposals_of(orjson.dumps(given)).errors)


@pytest.mark.parametrize(
    ("given", "topic"),
    [
        ({"topic": "a.b", "type": "x", "data": [1]}, "a.b"),
        ({"user": "7", "type": "x", "data": [1]}, "user.7"),
        ({"user": 7, "type": "x", "data": [1]}, "user.7"),
        ({"connection": "c-1", "type": "x", "data": [1]}, "connection.c-1"),
    ],
)
def test_one(given: dict[str, Any], topic: str) -> None:
    found = proposals_of(orjson.dumps(given))
    assert (found.proposals, found.errors, found.is_list) == ((Proposal(topic, "x", [1]),), (), False)


def test_several() -> None:
    """In their order; data may be left out."""
    found = proposals_of(orjson.dumps([{"topic": "a", "type": "x"}, {"topic": "b", "type": "y", "data": 0}]))
    assert found.is_list
    assert found.proposals == (Proposal("a", "x", None), Proposal("b", "y", 0))


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (7, [""]),
        ([], [""]),
        ([7], ["[0]"]),
        ([{"topic": "a", "type": "x"}] * (MOST_AT_ONCE + 1), [""]),
        ({}, ["topic", "type"]),
        ({"topic": "a", "user": "b", "type": "x"}, ["user"]),
        ({"topic": "no such\nname", "type": "x"}, ["topic"]),
        ({"topic": "", "type": "x"}, ["topic"]),
        ({"user": "", "type": "x"}, ["user"]),
        ({"user": True, "type": "x"}, ["user"]),
        ({"user": "a" * 196, "type": "x"}, ["user"]),
        ({"topic": "a", "type": "two\nlines"}, ["type"]),
        ({"topic": "a", "type": "x" * 101}, ["type"]),
        ({"topic": "a", "type": 1, "dta": 1}, ["dta", "type"]),
        ([{"topic": "a", "type": "x"}, {"topic": "a"}], ["[1].type"]),
        ({"topic": "a", "type": "x", "data": "x" * LARGEST_DATA}, ["data"]),
    ],
)
def test_faults_have_places(given: Any, places: list[str]) -> None:
    assert [place for place, _ in errors(given)] == places


@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    """Are events or errors."""
    found = proposals_of(body)
    assert found.errors or all(is_topic(each.topic) for each in found.proposals)
