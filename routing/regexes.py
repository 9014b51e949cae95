"""P: What can be told about a regular expression by reading it, never more than is certain."""

from __future__ import annotations

import re

_SPECIAL = frozenset("\\.^$*+?{}[]|()")
_QUANTIFIERS = frozenset("*+?{")
_GROUP_OR_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)


def literal_segments(pattern: str) -> tuple[str, ...]:
    """The whole path segments that every full match of the pattern begins with, possibly none."""
    text = pattern[1:] if pattern.startswith("^") else pattern
    if not text.startswith("/") or "(?#" in text or _has_top_level_choice(text):
        return ()
    literal = _literal_start(text)
    segments = literal.split("/")[1:]
    # The last piece may go on behind the literal text, unless the literal text is everything.
    return tuple(segments if literal == text else segments[:-1])


def everything_below(pattern: str) -> tuple[str, ...] | None:
    """The segments below which the pattern takes every path, if it is as plain as "/a/b/.*"; else None."""
    text = pattern.removeprefix("^").removesuffix("$")
    literal = text.removesuffix(".*")
    if literal == text or not literal.startswith("/") or not literal.endswith("/"):
        return () if text == ".*" else None
    return None if _SPECIAL.intersection(literal) else tuple(literal.split("/")[1:-1])


def _literal_start(text: str) -> str:
    end = next((at for at, char in enumerate(text) if char in _SPECIAL), len(text))
    if end < len(text) and text[end] in _QUANTIFIERS:
        end -= 1  # the quantifier may repeat the character before it no times at all
    return text[:end]


def _has_top_level_choice(pattern: str) -> bool:
    depth = 0
    for found in _GROUP_OR_CLASS.finditer(pattern):
        sign = found[0]
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == "|" and depth <= 0:
            return True
    return False
