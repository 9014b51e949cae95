"""Expressions over whatever comes: bounded."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from routing.document.jmespaths import compiled
from routing.evaluating import FEW_STEPS, MOST_STEPS, STEPS_AT_ONCE, TooManySteps, evaluated, search

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def made(expression: str, body: bytes, steps: int = MOST_STEPS) -> bytes | None:
    return evaluated(compiled(expression), body, steps=steps)


@given(value=JSON, expression=st.sampled_from(["@", "[*].a", "a.b || @", "keys(@)", "[?@ > `1`] | [0]"]))
def test_it_is_what_the_library_says(value: object, expression: str) -> None:
    """Counting changes nothing."""
    body = orjson.dumps(value)
    try:
        expected = compiled(expression).search(value)
    except (JMESPathError, TypeError):
        with pytest.raises(ValueError, match=r"."):
            made(expression, body)
    else:
        assert orjson.loads(made(expression, body) or b"") == expected


@given(st.binary(max_size=20))
def test_what_is_no_json_is_none(body: bytes) -> None:
    """Whatever else it is."""
    found = made("@", body)
    try:
        json.loads(body)
    except ValueError:
        assert found is None


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("length(@)", 1),
        ("&a", {}),
        ("sum(@)", [2**62] * 8),
        ("join(@.glue, @.items)", {"glue": "x" * 100_000, "items": [""] * 10_000}),
        ("|".join(["[@,@]"] * 40), "long enough"),
        ("|".join(["{a:@,b:@}"] * 40), 1),
    ],
)
def test_what_cannot_be_applied(expression: str, value: object) -> None:
    """Or would not fit into memory."""
    with pytest.raises((ValueError, TooManySteps)):
        made(expression, orjson.dumps(value))


def test_steps_are_counted() -> None:
    """One for each part of the expression at each element."""
    body = orjson.dumps([{"a": 1}] * FEW_STEPS)
    with pytest.raises(TooManySteps):
        made("[*].a", body, FEW_STEPS)
    assert made("[0].a", body, FEW_STEPS) == b"1"


@pytest.mark.parametrize(
    ("doubling", "body"),
    [("join('', [@, @])", b'"a"'), ("to_string([@])", b'"\\""')],
)
def test_a_text_that_grows_with_each_step_is_ended(doubling: str, body: bytes) -> None:
    """However few the steps are: memory would be full before the result is measured."""
    expression = " | ".join([doubling] * 200)

    with pytest.raises((ValueError, TooManySteps)):
        made(expression, body)


@pytest.mark.parametrize(
    "end", ["to_string(@)", "[] | [] | length(@)", "@ == @", "{x: @ | [@, @], y: @ | [@, @]} | x == y"]
)
def test_a_value_that_is_there_often_is_ended(end: str) -> None:
    """It is small in memory, and endless for whoever goes through it."""
    with pytest.raises((ValueError, TooManySteps)):
        made(" | ".join([*["[@, @]"] * 60, end]), b"1")


def test_flattening_does_not_fill_memory() -> None:
    """Each pair of steps doubles the list."""
    with pytest.raises((ValueError, TooManySteps)):
        made(" | ".join(["[@, @] | []"] * 100), b"[1]")


def test_a_value_is_searched_at_once_or_not_at_all() -> None:
    """Nobody waits for one request's expression."""
    assert search(compiled("length(items)"), {"items": [1, 2]}) == 2
    with pytest.raises(ValueError, match="length"):
        search(compiled("length(items)"), {"items": 3})
    with pytest.raises(ValueError, match=r"more than 20000 steps"):
        search(compiled("[*].a | [0]"), [{}] * STEPS_AT_ONCE)
