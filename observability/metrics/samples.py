"""P: What a worker has counted, and how that of several becomes one; as lines, for files.

A file of lines rather than one document: whoever reads or writes it does so in small steps, and the event loop gets its
turns in between.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, Self

import orjson

from observability.metrics.catalogue import BOUNDS_S, FAMILIES

Labels = tuple[str, ...]
ROWS_A_LINE: Final = 100
PLACES: Final = len(BOUNDS_S) + 1
"""The last is for what is longer than every bound."""


class Distribution(NamedTuple):
    """How many durations each bucket holds, not cumulated, and all of them in seconds."""

    counts: tuple[int, ...]
    seconds: float

    def plus(self, other: "Distribution") -> "Distribution":
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return Distribution(counts, self.seconds + other.seconds)


Value = float | Distribution
EMPTY: Final = Distribution((0,) * PLACES, 0.0)


class Samples:
    """Values by metric and labels."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[str, dict[Labels, Value]] = {}

    def put(self, name: str, value: Value, *labels: str) -> None:
        """Sets one; a metric that is not in the catalogue is a KeyError."""
        self.values.setdefault(FAMILIES[name].name, {})[labels] = value

    def get(self, name: str, *labels: str) -> Value | None:
        """One of them, if it is there."""
        return self.values.get(name, {}).get(labels)

    def add(self, other: Self, *, only_counts: bool = False) -> None:
        """Those of another worker. `only_counts`: it is gone, and how it stood says nothing any more."""
        for name, values in other.values.items():
            family = FAMILIES.get(name)
            if family is None or (only_counts and family.kind == "gauge"):
                continue
            own = self.values.setdefault(name, {})
            for labels, value in values.items():
                known = own.get(labels)
                own[labels] = value if known is None else _together(family.merge, known, value)


def _together(merge: str, one: Value, other: Value) -> Value:
    if isinstance(one, Distribution) and isinstance(other, Distribution):
        return one.plus(other)
    assert not isinstance(one, Distribution)
    assert not isinstance(other, Distribution)
    if merge == "max":
        return max(one, other)
    return min(one, other) if merge == "min" else one + other


def to_lines(samples: Samples) -> Iterator[bytes]:
    """Each ends in a line feed."""
    for name, values in samples.values.items():
        rows = iter(list(values.items()))
        while part := list(islice(rows, ROWS_A_LINE)):
            yield orjson.dumps([name, [[labels, _written(value)] for labels, value in part]]) + b"\n"


def _written(value: Value) -> object:
    return list(value) if isinstance(value, Distribution) else value


def from_lines(lines: Iterable[bytes]) -> Samples:
    """What `to_lines` wrote. A metric that is not known any more is left out; ValueError: it is something else."""
    found = Samples()
    for line in lines:
        try:
            name, rows = orjson.loads(line)
            family = FAMILIES.get(name)
            if family is None:
                continue
            values = found.values.setdefault(name, {})
            for labels, value in rows:
                values[tuple(map(str, labels))] = _read(value, is_histogram=family.kind == "histogram")
        except (TypeError, KeyError) as error:
            raise ValueError(str(error)) from error
    return found


def _read(value: object, *, is_histogram: bool) -> Value:
    if not is_histogram:
        if not isinstance(value, int | float):
            raise TypeError("no number")
        return value
    if not isinstance(value, list) or len(value) != 2 or len(value[0]) != PLACES:
        raise TypeError("no distribution")
    return Distribution(tuple(map(int, value[0])), float(value[1]))
