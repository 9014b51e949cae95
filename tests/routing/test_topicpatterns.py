import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.topicpatterns import MAX_WILDCARDS, VARIABLES, PatternFaulty, compile_pattern

TOPICS = st.text("ab._:-", min_size=1, max_size=20)
PIECES = st.lists(st.sampled_from(["a", "b", ".", "*."]), min_size=1, max_size=8)


def caller(**more: Any) -> SimpleNamespace:
    facts = {
        "address": "7",
        "provider": "",
        "name": "ada",
        "consumer": "acme",
        "kind": "user",
        "plan": "",
        "roles": frozenset(),
    }
    return SimpleNamespace(**{**facts, **more})


@pytest.mark.parametrize(
    ("pattern", "topic", "does_fit"),
    [
        ("orders", "orders", True),
        ("orders", "orders.1", False),
        ("orders.*", "orders.1", True),
        ("orders.*", "orders.", False),
        ("orders.*", "orders.1.2", False),
        ("orders.>", "orders.1.2", True),
        ("orders.>", "orders", False),
        ("orders.>", "orders.", False),
        (">", "anything", True),
        ("*-build.done", "a-b-build.done", True),
        ("user.${user.id}", "user.7", True),
        ("user.${user.id}", "user.77", False),
        ("plan.${consumer.plan}", "plan.", False),
        ("of.${consumer.id}.*", "of.acme.x", True),
    ],
)
def test_patterns_fit(pattern: str, topic: str, does_fit: bool) -> None:
    """Stars end at a dot, `>` takes one part or more, and variables are what the caller is."""
    assert compile_pattern(pattern).fits(topic, caller()) is does_fit


def test_what_a_caller_is_is_taken_letter_by_letter() -> None:
    """An id with a star opens nobody else's topics; of several roles one is enough; nobody fits no variable."""
    own = compile_pattern("user.${user.id}")
    assert own.fits("user.a.b", caller(address="a.b"))
    assert not own.fits("user.9", caller(address="*"))
    assert not own.fits("user.9", None)
    role = compile_pattern("role.${user.roles}.news")
    assert role.fits("role.ops.news", caller(roles=frozenset({"dev", "ops"})))
    assert not role.fits("role.hr.news", caller(roles=frozenset({"dev", "ops"})))


@given(PIECES, st.booleans(), TOPICS)
def test_patterns_fit_what_their_regular_expression_does(pieces: list[str], ends: bool, topic: str) -> None:
    """The walk by positions and a regular expression agree."""
    text = "".join(pieces) + (".>" if ends else "")
    expression = re.escape(text).replace(r"\*", "[^.]+").replace(">", ".+")
    assert compile_pattern(text).fits(topic, None) is bool(re.fullmatch(expression, topic))


@given(TOPICS)
def test_a_topic_fits_itself(topic: str) -> None:
    """Every name of a topic is a pattern that means itself."""
    assert compile_pattern(topic).fits(topic, None)


def test_a_hostile_topic_costs_no_more_than_its_length() -> None:
    """Many stars over a long topic end at once; backtracking would not end at all."""
    pattern = compile_pattern("a".join("*" * MAX_WILDCARDS) + "b")
    assert not pattern.fits("a" * 200, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 200"),
        ("a" * 201, "1 to 200"),
        ("a b", "has ' '"),
        ("a.>.b", "midst"),
        ("a>", "midst"),
        ("**", "side by side"),
        ("*${user.id}", "side by side"),
        ("${user.mail}", "stands for nothing"),
        (".".join("*" * (MAX_WILDCARDS + 1)), "at most"),
    ],
)
def test_faulty_patterns_say_why(text: str, why: str) -> None:
    """What is no pattern is refused with its reason."""
    with pytest.raises(PatternFaulty, match=re.escape(why)):
        compile_pattern(text)


def test_more_specific_patterns_come_first() -> None:
    """From the left: literal, variable, star beside something, star, the rest."""
    texts = [">", "a.>", "a.*", "a.b*", "a.${user.id}", "a.b", "*.b"]
    ranked = sorted((compile_pattern(text) for text in texts), key=lambda pattern: pattern.rank)
    assert [pattern.text for pattern in ranked] == [
        "a.b",
        "a.${user.id}",
        "a.b*",
        "a.*",
        "a.>",
        "*.b",
        ">",
    ]
    assert set(compile_pattern("${user.id}.${consumer.plan}").variables) <= set(VARIABLES)
