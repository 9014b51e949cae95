"""Equality as documents know it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.exactly import exactly_equal, surely_equal

values = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 0.0, 1.0, "", "1", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (1, 1.0), ([1], [True]), ({"a": {"b": 1}}, {"a": {"b": 1.0}})]
)
def test_what_python_takes_for_equal(one: Any, other: Any) -> None:
    assert one == other
    assert not exactly_equal(one, other)
    assert exactly_equal(other, other)


@given(values, values)
def test_it_is_equality_of_texts(one: Any, other: Any) -> None:
    """Whatever the order of keys is."""
    texts = [json.dumps(each, sort_keys=True) for each in (one, other)]
    assert exactly_equal(one, other) == (texts[0] == texts[1])
    assert exactly_equal(one, json.loads(texts[0]))
    assert surely_equal(one, other) == exactly_equal(one, other)


@pytest.mark.parametrize("value", [2**70, "\ud800", {1: 2}])
def test_what_no_document_holds_is_not_sure(value: Any) -> None:
    """It is for the slower comparison to say."""
    assert (surely_equal([value], [value]), exactly_equal([value], [value])) == (False, True)
