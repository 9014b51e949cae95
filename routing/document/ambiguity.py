"""P: Can a backtracking engine be made to run for ever by a regular expression?

The expression becomes a position automaton (Glushkov 1961): one position for each place that reads a
character, and which position may follow which. It takes exponential time when one text can lead from a
position back to itself in two ways (Weideman et al., "Analyzing Matching Time Behavior of Backtracking
Regular Expression Matchers Using Ambiguity of NFA", 2016), and polynomial time when two loops in a row
can share a text. Characters are sampled, and long bounded repetitions count as unbounded.
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

MAX_POSITIONS: Final = 150
MAX_STEPS: Final = 100_000
_parser: Any = importlib.import_module("re._parser")  # the standard library's; it has no public name
_SAMPLE: Final = "".join(map(chr, range(32, 127))) + "\t\n\0éß中٣"
_BIT: Final = {character: 1 << index for index, character in enumerate(_SAMPLE)}
_OTHER: Final = 1 << len(_SAMPLE)  # every character that is not sampled
_ALL: Final = (_OTHER << 1) - 1
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT")
_NO_BACKTRACKING: Final = ("POSSESSIVE_REPEAT", "ATOMIC_GROUP")
_ASSERTIONS: Final = ("ASSERT", "ASSERT_NOT")
_COPIES: Final = 3  # a bounded repetition up to this long is written out


class TooLarge(Exception):  # noqa: N818 - a verdict, not a fault
    """The expression has more positions or ways than are looked at."""


class _Part(NamedTuple):
    """A part of the expression: may it be empty, with which positions it begins and ends."""

    nullable: bool
    first: tuple[int, ...]
    last: tuple[int, ...]


_EMPTY: Final = _Part(True, (), ())


class Automaton:
    """Positions, their sets of characters (bit masks), and what may follow each."""

    __slots__ = ("_fold", "_steps", "follow", "is_doubled", "masks")

    def __init__(self, pattern: str) -> None:
        self.masks: list[int] = []
        self.follow: list[set[int]] = []
        self.is_doubled = False  # one step of a loop can be taken in two ways
        self._steps = 0
        self._fold = re.search(r"\(\?[a-z]*i", pattern) is not None
        self._sequence(_parser.parse(pattern))

    def is_exponential(self) -> bool:
        """Whether some text leads from a position to itself along two ways."""
        return self.is_doubled or any(self._has_two_ways(start) for start in self._starts())

    def is_polynomial(self) -> bool:
        """Whether two different loops over one character can share a text."""
        loops = [p for p, follow in enumerate(self.follow) if p in follow]
        return any(
            self.masks[p] & self.masks[q] and self._reaches(p, q, self.masks[p] & self.masks[q])
            for p in loops
            for q in loops
            if p != q
        )

    def _starts(self) -> Iterator[int]:
        """Positions from which two overlapping positions follow: only there can ways part."""
        for position, follow in enumerate(self.follow):
            seen = 0
            for successor in follow:
                if seen & self.masks[successor]:
                    yield position
                    break
                seen |= self.masks[successor]

    def _has_two_ways(self, start: int) -> bool:
        """Pairs that are reached from (start, start) on a common text, and lead back to it."""
        edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
        pending = [(start, start)]
        while pending:
            pair = pending.pop()
            if pair not in edges:
                edges[pair] = list(self._common_steps(*pair))
                pending += edges[pair]
        back: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for pair, successors in edges.items():
            for successor in successors:
                back.setdefault(successor, []).append(pair)
        returning: set[tuple[int, int]] = set()
        pending = [(start, start)]
        while pending:
            for pair in back.get(pending.pop(), ()):
                if pair not in returning:
                    returning.add(pair)
                    pending.append(pair)
        return any(p != q for p, q in returning)

    def _common_steps(self, p: int, q: int) -> Iterator[tuple[int, int]]:
        masks = self.masks
        self._steps += len(self.follow[p]) * len(self.follow[q])
        if self._steps > MAX_STEPS:
            raise TooLarge
        for p_next in self.follow[p]:
            for q_next in self.follow[q]:
                if masks[p_next] & masks[q_next]:
                    yield p_next, q_next

    def _reaches(self, start: int, end: int, shared: int) -> bool:
        seen, pending = {start}, [start]
        while pending:
            for successor in self.follow[pending.pop()]:
                if successor == end:
                    return True
                if successor not in seen and self.masks[successor] & shared:
                    seen.add(successor)
                    pending.append(successor)
        return False

    # Building

    def _sequence(self, tree: Iterable[Any]) -> _Part:
        whole = _EMPTY
        for item in tree:
            whole = self._join(whole, self._item(str(item[0]), item[1]))
        return whole

    def _join(self, left: _Part, right: _Part) -> _Part:
        for position in left.last:
            self.follow[position].update(right.first)
        return _Part(
            left.nullable and right.nullable,
            left.first + right.first if left.nullable else left.first,
            left.last + right.last if right.nullable else right.last,
        )

    def _item(self, name: str, argument: Any) -> _Part:
        if name in _REPEATS:
            return self._repeat(*argument)
        if name == "SUBPATTERN":
            return self._sequence(argument[3])
        if name == "BRANCH":
            return self._choice([self._sequence(branch) for branch in argument[1]])
        if name == "GROUPREF_EXISTS":
            return self._choice([self._sequence(branch) for branch in argument[1:] if branch is not None])
        if name in _NO_BACKTRACKING:
            return self._frozen(argument[2] if name == "POSSESSIVE_REPEAT" else argument)
        if name in _ASSERTIONS:
            self._sequence(argument[1])  # looked at for its own loops
            return _EMPTY
        return self._position(name, argument)

    def _repeat(self, low: Any, high: Any, body: Any) -> _Part:
        least, most = int(low), int(high)
        if most <= _COPIES:
            parts = [self._sequence(body) for _ in range(most)]
            whole = _EMPTY
            for index, part in enumerate(parts):
                whole = self._join(whole, part if index < least else part._replace(nullable=True))
            return whole
        part = self._sequence(body)
        shortest, longest = body.getwidth()
        if least != most or shortest != longest:  # so many rounds of one width can be read in one way only
            self._loop(part)
        return part._replace(nullable=part.nullable or least == 0)

    def _loop(self, part: _Part) -> None:
        # A part that may be empty would double nothing that its own steps do not already show.
        for position in part.last:
            if self.follow[position].intersection(part.first):
                self.is_doubled = True
            self.follow[position].update(part.first)

    @staticmethod
    def _choice(parts: Sequence[_Part]) -> _Part:
        return _Part(
            any(part.nullable for part in parts),
            tuple(position for part in parts for position in part.first),
            tuple(position for part in parts for position in part.last),
        )

    def _frozen(self, body: Sequence[Any]) -> _Part:
        """What is never given back behaves like one character."""
        inner = len(self.masks)
        part = self._sequence(body)
        mask = 0
        for position in range(inner, len(self.masks)):
            mask |= self.masks[position]
        return self._add(mask)._replace(nullable=part.nullable)

    def _position(self, name: str, argument: Any) -> _Part:
        if name == "AT":
            return _EMPTY
        if name == "GROUPREF":
            return self._add(_ALL)._replace(nullable=True)
        return self._add(_mask(name, argument, fold=self._fold))

    def _add(self, mask: int) -> _Part:
        if len(self.masks) >= MAX_POSITIONS:
            raise TooLarge
        self.masks.append(mask)
        self.follow.append(set())
        here = (len(self.masks) - 1,)
        return _Part(False, here, here)


def _mask(name: str, argument: Any, *, fold: bool) -> int:
    if name == "LITERAL":
        characters = (
            {chr(argument), chr(argument).lower(), chr(argument).upper()} if fold else {chr(argument)}
        )
        return _bits(characters)
    if name == "NOT_LITERAL":
        return _ALL & ~_BIT.get(chr(argument), 0)
    if name == "IN":
        negated = str(argument[0][0]) == "NEGATE"
        inside = _bits(c for c in _SAMPLE if any(_is_member(c, member, fold=fold) for member in argument))
        return (_ALL & ~inside) if negated else inside | _OTHER
    return _ALL & ~_BIT["\n"]  # a dot, which stands for any character but this


def _bits(characters: Iterable[str]) -> int:
    mask = 0
    for character in characters:
        mask |= _BIT.get(character, _OTHER)
    return mask


def _is_member(character: str, member: Any, *, fold: bool) -> bool:
    name, argument = str(member[0]), member[1]
    spellings = {character, character.lower(), character.upper()} if fold else {character}
    if name == "LITERAL":
        return chr(argument) in spellings
    if name == "RANGE":
        return any(len(c) == 1 and argument[0] <= ord(c) <= argument[1] for c in spellings)
    return name == "CATEGORY" and _in_category(character, str(argument))


def _in_category(character: str, category: str) -> bool:
    kind = category.rpartition("_")[2]
    inside = {"DIGIT": str.isdigit, "SPACE": str.isspace}.get(kind, lambda c: c.isalnum() or c == "_")(
        character
    )
    return inside != ("_NOT_" in category)
