"""Parts of an aggregate, in the order of their needs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.aggregation import (
    Aggregate,
    Unknown,
    aggregate_of,
    filled,
    parse_path,
    placeholders,
    sorted_by_need,
)
from routing.document.destinations import AggregateSpec
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

NAMES = [f"p{number}" for number in range(6)]
GRAPHS = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3).map(tuple))


def nothing(_name: str) -> None:
    return None


@given(graph=GRAPHS)
def test_each_comes_after_what_it_needs(graph: dict[str, tuple[str, ...]]) -> None:
    """Or it is among those that wait for each other, and then none of them can ever come."""
    order, circle = sorted_by_need(graph)

    assert sorted([*order, *circle]) == sorted(graph)
    for index, name in enumerate(order):
        assert all(each in order[:index] for each in graph[name] if each in graph)
    for name in circle:
        assert any(each in circle for each in graph[name])


def test_parts_are_sorted_and_the_answer_keeps_the_document_s_order() -> None:
    """A part's time is never longer than the whole's."""
    spec = AggregateSpec.model_validate(
        {
            "timeout": 2.0,
            "parts": {
                "history": {"service": "chat", "path": "/h/${parts.profile.id}", "timeout": 9.0},
                "profile": {"service": "auth", "path": "/me"},
            },
        }
    )
    aggregate = aggregate_of(spec)

    assert isinstance(aggregate, Aggregate)
    assert [part.name for part in aggregate.parts] == ["profile", "history"]
    assert aggregate.order == ("history", "profile")
    assert aggregate.services == ("auth", "chat")
    assert [part.timeout_s for part in aggregate.parts] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("path", "value", "sent"),
    [
        ("/u/${parts.a.id}", 7, (b"/u/7", b"")),
        ("/u/${parts.a.id}?x=1", "a/b?c=d", (b"/u/a%2Fb%3Fc%3Dd", b"x=1")),
        ("/u?q=${parts.a.id}&r=2", "å&b", (b"/u", b"q=%C3%A5%26b&r=2")),
        ("/u?q=${parts.a.id}", True, (b"/u", b"q=true")),
        ("/u/${parts.a.id}x", "..", None),
    ],
)
def test_values_never_add_to_the_path(path: str, value: object, sent: tuple[bytes, bytes] | None) -> None:
    """Neither segments nor parameters."""
    template = parse_path(path)

    if sent is None:
        with pytest.raises(Unknown):
            template.fill(nothing, {"a": {"id": value}})
    else:
        assert template.fill(nothing, {"a": {"id": value}}) == sent


@pytest.mark.parametrize("value", [{"id": None}, {"id": ""}, {"id": [1]}, {"id": {}}, {}, None, "text", 3])
def test_what_has_no_value_is_said(value: Any) -> None:
    """A part is never asked for nothing in particular."""
    with pytest.raises(Unknown, match=r"parts\.a\.id"):
        parse_path("/u/${parts.a.id}").fill(nothing, {"a": value})


def test_requests_bring_values() -> None:
    """By the name that stands in the placeholder."""
    template = parse_path("/u/${path.id}/${request.query.page}")

    assert template.fill({"path.id": "1", "request.query.page": "2"}.get, {}) == (b"/u/1/2", b"")
    assert template.needs == ()


def test_values_are_filled_in() -> None:
    """A text that is one placeholder may be null; in a longer one nothing stands for what is not there."""
    value = {"id": "${user.id}", "tags": ["a ${user.id}", "b${user.name}", 1, None], "none": "${user.name}"}

    assert filled(value, {"user.id": "7"}.get) == {"id": "7", "tags": ["a 7", "b", 1, None], "none": None}
    assert sorted(placeholders(value)) == ["user.id", "user.id", "user.name", "user.name"]


def test_what_is_escaped_stands_for_itself() -> None:
    """As everywhere in the document; so does what the environment says."""
    value = {"a": "$${user.name}", "b": "${VAR}", "c": "$${x", "d": "${user.name:-nobody}"}
    raw = document(route(aggregate={"parts": {"a": {"value": value}}}))
    aggregate = snapshot_of(raw, env={"VAR": "${user.id}"}).routes["r"].destination
    assert isinstance(aggregate, Aggregate)
    facts = {"user.name:-nobody": "nobody"}

    assert list(aggregate.variables) == list(facts)
    assert filled(aggregate.parts[0].value, facts.get) == {
        "a": "${user.name}",
        "b": "${user.id}",
        "c": "${x",
        "d": "nobody",
    }
