"""Regular expressions of people."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.expressions import MAX_LENGTH, check_expression, check_replacement, judge
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/a/[0-9]+", []),
        (None, []),
        (5, []),
        ("(", ['E015 p: "(" is not a regular expression: missing ), unterminated subpattern at position 0']),
        (
            "(a+)+",
            ['E015 p: "(a+)+" could run for ever: a repeated group can read the same text in two ways'],
        ),
        (".*.*", ['W003 p: ".*.*" may be slow on long texts: several repetitions can read the same text']),
        ("a?" * 200, [f'W003 p: "{("a?" * 200)[:79]}…" may be slow: it is too large to be looked through']),
        ("a" * (MAX_LENGTH + 1), [f'E015 p: "{"a" * 79}…" is longer than 1000 characters']),
        (
            "a{99999999999}",
            ['E015 p: "a{99999999999}" is not a regular expression: it is too large'],
        ),
        (
            "[[a]",
            [
                r'E015 p: "[[a]" has a set that may be read in two ways: write \[, \-, \&, \~ and \| inside a set'
            ],
        ),
        (
            "[a||b]",
            [
                r'E015 p: "[a||b]" has a set that may be read in two ways: write \[, \-, \&, \~ and \| inside a set'
            ],
        ),
        (r"[\[a-]\[[b&]", []),
    ],
)
def test_judgement(pattern: object, found: list[str]) -> None:
    """What does not compile or is dangerous is refused; what may be slow is a warning."""
    assert lines(check_expression(pattern, ("p",))) == found


@pytest.mark.parametrize(
    ("pattern", "replacement", "count"),
    [
        ("/a/(.*)", r"/b/\1", 0),
        ("(?P<x>a)", r"\g<x>", 0),
        ("/a/(.*)", r"\2", 1),
        ("a", r"\g<x>", 1),
        ("a", r"\q", 1),
        ("a", "plain", 0),
        ("(", r"\1", 0),
        (None, r"\1", 0),
        ("a", None, 0),
    ],
)
def test_replacement_names_groups_that_exist(pattern: object, replacement: object, count: int) -> None:
    """A rewrite can never fail on a request for want of a group."""
    found = list(check_replacement(pattern, replacement, ("to",)))

    assert [finding.id for finding in found] == ["gateway.E015"] * count


def test_judgement_is_remembered() -> None:
    """The same pattern on ten thousand routes is looked at once."""
    judge("/remembered/[0-9]+/x*")
    before = judge.cache_info().hits
    judge("/remembered/[0-9]+/x*")

    assert judge.cache_info().hits == before + 1


@given(st.text("[]^-&~|a\\(*)", max_size=9))
def test_python_never_warns_of_what_is_accepted(pattern: str) -> None:
    """A set that Python will read otherwise one day is refused before Python sees it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        judge.__wrapped__(pattern)

    assert [str(warning.message) for warning in caught] == []
