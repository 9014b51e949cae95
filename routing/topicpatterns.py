"""P: Patterns of topics: `orders.*`, `orders.>`, `user.${user.id}`.

A topic's parts are separated by dots. `*` stands for one or more characters that are no dots, `>` (at the end, after a
dot or alone) for all that is left. A variable stands for what the caller is, letter by letter: a star in somebody's id
is a star. What a caller does not have fits nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

MAX_PATTERN: Final = 200  # characters
MAX_WILDCARDS: Final = 10  # and variables
VARIABLES: Final[dict[str, Callable[[Any], Iterable[str]]]] = {
    "user.id": lambda caller: (caller.address,),
    "user.name": lambda caller: () if caller.provider else (caller.name,),  # outside, people choose theirs
    "user.roles": lambda caller: caller.roles,
    "consumer.id": lambda caller: (caller.consumer,),
    "consumer.kind": lambda caller: (caller.kind,),
    "consumer.plan": lambda caller: (caller.plan,),
}
"""The closed list of what a pattern may name; of several values one is enough."""

_PIECE: Final = re.compile(r"\$\{([^{}]*)\}|(\*)|(>)|([A-Za-z0-9._:-]+)|(.)", re.DOTALL)
STAR: Final = "*"
REST: Final = ">"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${name}`."""

    name: str


Piece = str | Variable  # a literal, "*" or ">", or a variable


class PatternFaulty(ValueError):  # noqa: N818 - a refusal, told in one sentence
    """Not a pattern; str(error) says why, to follow "…"."""


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """One pattern, taken apart. `rank` sorts the more specific before the less specific."""

    text: str
    pieces: tuple[Piece, ...] = field(compare=False)
    rank: tuple[Any, ...] = field(compare=False, repr=False)

    def fits(self, topic: str, caller: Any) -> bool:
        """Whether the whole topic is such a one, for a caller (None: nobody in particular, who has nothing)."""
        positions = {0}
        for piece in self.pieces:
            positions = {after for at in positions for after in _after(piece, topic, at, caller)}
            if not positions:
                return False
        return len(topic) in positions

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its variables."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Variable))


def compile_pattern(text: str) -> TopicPattern:
    """Take a pattern apart. Raises PatternFaulty."""
    if not 1 <= len(text) <= MAX_PATTERN:
        raise PatternFaulty(f"must have 1 to {MAX_PATTERN} characters")
    pieces = tuple(_pieces(text))
    if sum(piece == STAR or isinstance(piece, Variable) for piece in pieces) > MAX_WILDCARDS:
        raise PatternFaulty(f"may have {MAX_WILDCARDS} stars and variables at most")
    if any(_is_open(one) and _is_open(following) for one, following in pairwise(pieces)):
        raise PatternFaulty("has two stars or variables side by side; put something between them")
    return TopicPattern(text, pieces, _rank(text, pieces))


def _pieces(text: str) -> Iterator[Piece]:
    for found in _PIECE.finditer(text):
        name, star, rest, literal, other = found.groups()
        if other is not None:
            raise PatternFaulty(f"has {other!r}; topics have letters, digits and ._:- only")
        if rest and (found.end() != len(text) or text[-2:-1] not in ("", ".")):
            raise PatternFaulty('has ">" in its midst; it stands at the end, after a dot')
        if name is not None and name not in VARIABLES:
            raise PatternFaulty(
                f"has ${{{name}}}, which stands for nothing; known are {', '.join(VARIABLES)}"
            )
        yield star or rest or literal or Variable(name or "")


def _is_open(piece: Piece) -> bool:
    return piece == STAR or isinstance(piece, Variable)


def _after(piece: Piece, topic: str, at: int, caller: Any) -> Iterable[int]:
    """Where a topic goes on behind a piece that begins at a position."""
    if isinstance(piece, Variable):
        values = VARIABLES[piece.name](caller) if caller is not None else ()
        return [at + len(value) for value in values if value and topic.startswith(value, at)]
    if piece == STAR:
        dot = topic.find(".", at)
        return range(at + 1, (len(topic) if dot < 0 else dot) + 1)
    if piece == REST:
        return (len(topic),) if at < len(topic) else ()
    return (at + len(piece),) if topic.startswith(piece, at) else ()


def _rank(text: str, pieces: tuple[Piece, ...]) -> tuple[Any, ...]:
    """From the left, part by part: literal, with a variable, with a star beside something, a star, the rest."""
    parts = [_rank_part(part) for part in re.sub(r"\$\{[^{}]*\}", "$", text).split(".")]
    literal = sum(len(piece) for piece in pieces if isinstance(piece, str) and piece not in (STAR, REST))
    return (tuple(parts), -literal, text)


def _rank_part(part: str) -> int:
    if part in (STAR, REST):
        return 4 if part == REST else 3
    return 2 if STAR in part else 1 if "$" in part else 0
