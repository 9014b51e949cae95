"""Which regular expressions can be made to run for ever."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.ambiguity import MAX_POSITIONS, Automaton, TooLarge

EXPONENTIAL = [
    *("(a+)+", "(a*)*", "(.*)*", "(a*)+", "(a+b?)+", "(a?b?)*", "(a{1,5})+", "([a-z]+)*!", "(x+x+)+y", "((ab)*)*"),
    *("(a|ab|b)*x", "(?:a|aa)+$", "(a+ba+)+", r"(\d{4}|\d{2})+", r"(?:\w+\s?)+", "([^/]+/?)*", "(?:(?:a+)b?)*c"),
    *("(?=(a+)+)b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?i)(a|Ab|B)*", "((a|b+)+)(c)?", "(?:a|b|ab)*c", "(a*b*)*"),
    *(r"(\w|é)*(\w|_x)*(?:[^x]|y+)*", "(?(1)a|b)(a+)+", "(.*a){20}", r"(\d|\d\d){9}"),
]  # fmt: skip
POLYNOMIAL = ["(.*)/(.*)/(.*)", ".*.*", "/.*x.*y", r"\s*\s*x", "a*[ab]*c", r"(?:\d+)?\d*x"]
HARMLESS = [
    *("(?:[^/]+/)*", "(a+b+)+", "(a|b)*", r"(\d{4}-)+", r"/a/(\d+)", r"(\d{4})+", "(?:a++)+", "beta.*", "(?:/[^/]+)*"),
    *("^/api/v[0-9]+/(users|orders)/[^/]+(/.*)?$", "/[a-z]{2}(-[A-Z]{2})?/.*", "/(en|de|fr)(/.*)?", "(foo|fob)*"),
    *(r"[\w.-]+@[\w-]+", "^/a/(.*)", "a{1000}", "(?>a+)+", r"(a)\1*", "(?i)x[a-z]*", "(?!a+)b*", "", "a|b"),
    *("[^a]*a", "(?!)a*", r"(\d{3}){9}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "(a+-){4}", "([a-z]+/){9}"),
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_exponential(pattern: str) -> None:
    """One text leads from a place back to itself in two ways."""
    assert Automaton(pattern).is_exponential()


@pytest.mark.parametrize("pattern", POLYNOMIAL)
def test_polynomial(pattern: str) -> None:
    """Two loops in a row share a text."""
    automaton = Automaton(pattern)

    assert not automaton.is_exponential()
    assert automaton.is_polynomial()


@pytest.mark.parametrize("pattern", HARMLESS)
def test_harmless(pattern: str) -> None:
    """Ordinary patterns pass."""
    automaton = Automaton(pattern)

    assert not automaton.is_exponential()
    assert not automaton.is_polynomial()


MANY_BRANCHES = "|".join(rf"\w+{n}\w*" for n in range(30))


@pytest.mark.parametrize("pattern", ["a?" * (MAX_POSITIONS + 1), f"({MANY_BRANCHES})*"])
def test_effort_is_bounded(pattern: str) -> None:
    """What is too large is said to be so, quickly."""
    began = time.process_time()
    with pytest.raises(TooLarge):
        Automaton(pattern).is_exponential()

    assert time.process_time() - began < 1


@given(st.text("ab/.*+?|(){}^$\\d,1", max_size=14))
def test_any_pattern_is_judged(pattern: str) -> None:
    """Whatever compiles can be judged."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError):
        return
    automaton = Automaton(pattern)
    assert {automaton.is_exponential(), automaton.is_polynomial()} <= {True, False}


def test_verdict_agrees_with_the_engine() -> None:
    """Patterns that are called exponential do take the engine many times the effort for a few characters more."""
    for pattern in ("(a+)+", "(a|aa)+", "(a+b?)+"):
        compiled = re.compile(f"(?:{pattern})$")
        effort = []
        for length in (16, 22):
            began = time.process_time()
            compiled.match("a" * length + "!")
            effort.append(time.process_time() - began)

        assert effort[1] > 8 * effort[0]
