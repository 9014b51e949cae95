"""Filling in the environment: what is replaced, what is missing, and what documents cannot hold."""

from typing import Any

import pytest
from hypothesis import given

from routing.document.interpolation import MAX_DEPTH, Filled, Unset, fill, variables
from tests.support.documents import anything

ENV = {"A": "1", "EMPTY": "", "TRICK": "${A}"}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("plain", "plain"),
        ("$A {A} $", "$A {A} $"),
        ("${A}", "1"),
        ("http://${A}:${A}/", "http://1:1/"),
        ("${B:-x y}", "x y"),
        ("${B:-}", ""),
        ("${A:-x}", "1"),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", "x"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("${TRICK}", "${A}"),
        ("é${A}", "é1"),
    ],
)
def test_texts_are_filled_once(written: str, filled: str) -> None:
    """Defaults as in a shell; `$${` is literal; a value from the environment is not looked at again."""
    result = fill({"a": [written]}, ENV)

    assert result.value == {"a": [filled]}
    assert (result.unset, result.problems) == ((), ())


def test_filled_text_knows_what_was_written() -> None:
    """A message can show what the document says instead of what the environment holds."""
    value = fill("a-${A}-${B}", ENV).value

    assert isinstance(value, Filled)
    assert (value, value.written, value.unset) == ("a-1-${B}", "a-${A}-${B}", True)


def test_unset_variables_are_listed_with_their_places() -> None:
    """Each place that asks for a variable without value and default."""
    result = fill({"a": ["${X}", {"b": "${Y}${X}"}]}, ENV)

    assert result.unset == (Unset(("a", 0), "X"), Unset(("a", 1, "b"), "Y"), Unset(("a", 1, "b"), "X"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": "${"}, 'a: "${" has a ${ that names no variable; write $${ for a literal ${'),
        ({"a": "${1}"}, 'a: "${1}" has a ${ that names no variable; write $${ for a literal ${'),
        ({"a": float("inf")}, "a: is not a value that a document can have"),
        ({"a": [object()]}, "a[0]: is not a value that a document can have"),
        ({"a": "\ud800"}, "a: holds half of a surrogate pair"),
        ({"a": {"\ud800": 1}}, "a: has a key that holds half of a surrogate pair"),
    ],
)
def test_problems(value: Any, problem: str) -> None:
    """What no document can hold is reported with its place."""
    assert [str(found) for found in fill(value, ENV).problems] == [problem]


def test_nesting_is_bounded() -> None:
    """A value nested beyond the limit is cut off and reported, once."""
    value: Any = "x"
    for _ in range(MAX_DEPTH * 100):
        value = [value]

    result = fill(value, ENV)

    assert [found.id for found in result.problems] == ["gateway.E033"]


def test_keys_become_texts_and_the_argument_stays() -> None:
    """Mappings from Python code may have numbers as keys; nothing is changed in place."""
    value = {404: {"a": ("x", "${A}")}}

    assert fill(value, ENV).value == {"404": {"a": ["x", "1"]}}
    assert value == {404: {"a": ("x", "${A}")}}


@given(anything)
def test_never_raises(value: Any) -> None:
    """Any JSON-like value is filled, and what was filled needs no second time."""
    filled = fill(value, {}).value
    assert fill(filled, {}).value == filled
    fill(value, ENV)


def test_variables_of_a_text() -> None:
    """The names that a text asks for."""
    assert list(variables("${A}/${B:-c}/$${D}/${")) == ["A", "B"]
