"""P: Regular expressions that people write: do they compile, and are they safe to run on every request?"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from routing.document.ambiguity import Automaton, TooLarge
from routing.document.findings import Finding, Location
from routing.problems import quote

MAX_LENGTH: Final = 1000
_ESCAPE_OR_SET: Final = re.compile(r"\\.|\[\^?(\]?(?:\\.|[^\]\\])*)(?:\]|\\?\Z)", re.DOTALL)
# Python reserves these inside a set, and warns of them.
_RESERVED_IN_SET: Final = re.compile(r"^\[|.(?:--|&&|~~|\|\|)", re.DOTALL)
_REPETITION: Final = re.compile(r"[*+?{]")


def check_expression(pattern: object, location: Location) -> Iterator[Finding]:
    """Refuses what does not compile or is dangerous; warns of what may be slow. Only texts are looked at."""
    if isinstance(pattern, str):
        problem_id, message = judge(str(pattern))
        if problem_id:
            yield Finding(problem_id, location, f"{quote(pattern)} {message}", pattern)


def check_replacement(pattern: object, replacement: object, location: Location) -> Iterator[Finding]:
    """The groups that a replacement names must exist in the pattern."""
    if isinstance(pattern, str) and isinstance(replacement, str) and judge(str(pattern))[0] != "gateway.E015":
        try:
            re.sub(pattern, replacement, "")
        except (re.error, IndexError) as error:
            message = f"{quote(replacement)} does not fit the pattern: {error}"
            yield Finding("gateway.E015", location, message, replacement)


@lru_cache(maxsize=20_000)
def judge(pattern: str) -> tuple[str, str]:
    """The id and message of what is wrong with a pattern, or two empty texts."""
    if len(pattern) > MAX_LENGTH:
        return "gateway.E015", f"is longer than {MAX_LENGTH} characters"
    sets = (found[1] or "" for found in _ESCAPE_OR_SET.finditer(pattern))
    if any(_RESERVED_IN_SET.search(members) for members in sets):
        return (
            "gateway.E015",
            r"has a set that may be read in two ways: write \[, \-, \&, \~ and \| inside a set",
        )
    try:
        re.compile(pattern)
        return _judge_time(pattern)
    except re.error as error:
        return "gateway.E015", f"is not a regular expression: {error.msg} at position {error.pos or 0}"
    except (RecursionError, OverflowError):
        return "gateway.E015", "is not a regular expression: it is too large"


def _judge_time(pattern: str) -> tuple[str, str]:
    if len(_REPETITION.findall(pattern)) < 2 and "|" not in pattern:
        return "", ""
    try:
        automaton = Automaton(pattern)
        if automaton.is_exponential():
            return "gateway.E015", "could run for ever: a repeated group can read the same text in two ways"
        if automaton.is_polynomial():
            return "gateway.W003", "may be slow on long texts: several repetitions can read the same text"
    except TooLarge:
        return "gateway.W003", "may be slow: it is too large to be looked through"
    return "", ""
