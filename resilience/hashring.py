"""P: A ring on which targets own what is nearest: when one goes, only what it owned moves.

Each target has points on the ring, 64 for each unit of its weight, that depend on its own name alone. A key belongs
to the first point after its own. Where weights would make more than 2**17 points (1 MB), all targets have half as
many, or a quarter, …: then a change that crosses such a bound moves more keys than its own.

The ring has 16 arcs. Every 16 points of a target lie one in each; what is left over lies in arcs from one on that
depends on the name. So the points of an arc are known without looking at each one, and an arc is sorted when the first
key falls into it: no request waits for the whole ring.

A point is 64 bits: 001, the arc (4 bits), the place within it (37 bits), the owner's index (20 bits).
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from hashlib import blake2b, shake_128
from typing import Final, NamedTuple

POINTS: Final = 64
MOST_POINTS: Final = 1 << 17
INDEX_BITS: Final = 20
MOST_TARGETS: Final = 1 << INDEX_BITS
ARCS: Final = 16
_INDEX: Final = MOST_TARGETS - 1
_ARC_AT: Final = 57
_POINT: Final = 1 << 61
"""Set in every point."""
_WITHIN: Final = (1 << _ARC_AT) - MOST_TARGETS
_PLACE: Final = (1 << 61) - MOST_TARGETS
_BYTES: Final = 8
_NO_POINT: Final = bytes(_BYTES)
_KEPT_RINGS: Final = 32


class _Leftover(NamedTuple):
    """Points of a target that fill no row of 16: they have so many columns, from the first one on."""

    row: int
    number: int
    first: int


class _Columns(NamedTuple):
    """Of rows with a random number for each arc: a target's points, row by row, and who owns them."""

    numbers: "dict[int, array[int]]"
    owners: bytes
    leftovers: list[_Leftover]


class Ring:
    """`arc_of` makes the sorted points of one arc; it is asked once for each."""

    __slots__ = ("_arc_of", "_arcs")

    def __init__(self, arc_of: "Callable[[int], array[int]]") -> None:
        self._arc_of = arc_of
        self._arcs: list[array[int] | None] = [None] * ARCS

    def arc(self, number: int) -> "array[int]":
        """The points of one arc, in order."""
        arc = self._arcs[number]
        if arc is None:
            arc = self._arcs[number] = self._arc_of(number)
        return arc

    def owner(self, key: bytes) -> int:
        """The index of the target that a key belongs to. Somebody must have a point."""
        place = _place(key)
        arc = self.arc(place >> _ARC_AT & ARCS - 1)
        position = bisect_left(arc, place)
        return arc[position] & _INDEX if position < len(arc) else next(self.owners(key))

    def owners(self, key: bytes) -> Iterator[int]:
        """Whose points come after a key, once round the ring."""
        place = _place(key)
        first = place >> _ARC_AT & ARCS - 1
        arc = self.arc(first)
        begin = bisect_left(arc, place)
        for position in range(begin, len(arc)):
            yield arc[position] & _INDEX
        for number in range(first + 1, first + ARCS):
            for point in self.arc(number % ARCS):
                yield point & _INDEX
        for position in range(begin):
            yield arc[position] & _INDEX

    def among(self, members: bytes | bytearray) -> "Ring":
        """The ring of those whose byte is set."""
        kept = bytes(members)
        return Ring(lambda number: array("Q", [each for each in self.arc(number) if kept[each & _INDEX]]))


@lru_cache(_KEPT_RINGS)
def ring_of(names: tuple[str, ...], weights: tuple[int, ...]) -> Ring:
    """The ring of these targets; it is made once for all who ask for the same one."""
    return Ring(partial(_arc, _columns(names, points_of(weights))))


def points_of(weights: Sequence[int]) -> list[int]:
    """How many points each target has."""
    halvings = 0
    while sum(weights) * POINTS >> halvings > MOST_POINTS:
        halvings += 1
    return [max(1, weight * POINTS >> halvings) for weight in weights]


def _place(key: bytes) -> int:
    """A key's own, as a point of nobody."""
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "little") & _PLACE | _POINT


def _columns(names: Sequence[str], points: Sequence[int]) -> _Columns:
    digests: list[bytes] = []
    owners: list[bytes] = []
    leftovers: list[_Leftover] = []
    row = 0
    for index, (name, number) in enumerate(zip(names, points, strict=True)):
        rows = -(-number // ARCS)
        row += rows
        digest = shake_128(name.encode("utf-8", "surrogatepass")).digest(rows * ARCS * _BYTES)
        digests.append(digest)
        owners.append(_word(index) * rows)
        if number % ARCS:
            leftovers.append(_Leftover(row - 1, number % ARCS, digest[0] % ARCS))
    numbers = array("Q", b"".join(digests))
    return _Columns({arc: numbers[arc::ARCS] for arc in range(ARCS)}, b"".join(owners), leftovers)


def _arc(columns: _Columns, arc: int) -> "array[int]":
    """An arc's points in order. All are made of their parts at once, as one number of many bytes."""
    numbers = columns.numbers.pop(arc)
    fixed = bytearray(_word(_POINT | arc << _ARC_AT) * len(numbers))
    for row, number, first in columns.leftovers:
        if (arc - first) % ARCS >= number:
            fixed[row * _BYTES : (row + 1) * _BYTES] = _NO_POINT
    within = _long(_word(_WITHIN) * len(numbers))
    points = _long(numbers.tobytes()) & within | _long(fixed) | _long(columns.owners)
    return _sorted(points.to_bytes(len(fixed), "little"))


def _word(number: int) -> bytes:
    return array("Q", (number,)).tobytes()


def _long(data: bytes | bytearray) -> int:
    return int.from_bytes(data, "little")


def _sorted(points: bytes) -> "array[int]":
    """Without what is no point, which comes first.

    They are compared as floats, which takes half the time: all are positive and finite, and a point is a normal one,
    so their order is that of their bits (IEEE 754 section 3.4).
    """
    found = array("Q", array("d", sorted(array("d", points))).tobytes())
    return found[bisect_left(found, _POINT) :]
