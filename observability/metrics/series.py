"""P: Values of one metric by labels, which only ever become more.

They lie in lists, so that threads can read while the event loop adds: a slice of a few is one short step of the
interpreter. A copy of a dictionary would be one as well, but one of milliseconds where there are many.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from observability.metrics.catalogue import BOUNDS_S, FAMILIES
from observability.metrics.samples import PLACES, ROWS, Labels, Samples, Value, labels_of, packed
from observability.traffic.histogram import LAST, upper_s


def place_of(seconds: float) -> int:
    """The first bucket whose bound is not less."""
    for place, bound in enumerate(BOUNDS_S):
        if seconds <= bound * (1 + 1e-9):
            return place
    return len(BOUNDS_S)


_PLACES: Final = (*(place_of(upper_s(number)) for number in range(LAST)), PLACES - 1)
"""By the number of the finer bucket; each lies wholly within one of ours."""


class _Series(ABC):
    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.dropped = 0
        """Counts that found no room."""
        self._family = FAMILIES[name]
        self._most = most
        self._places: dict[tuple[str, ...], int] = {}
        self._labels: list[Labels] = []

    def _new(self, labels: tuple[str, ...], number: int) -> bool:
        """Whether there is room. Its labels are there before its value is: readers take what has both."""
        if len(self._places) >= self._most:
            self.dropped += number
            return False
        self._places[labels] = len(self._labels)
        self._labels.append(labels_of(self._family, labels))
        return True

    def samples(self, into: Samples) -> None:
        """As of now. From any thread."""
        start = 0
        while part := self._part(start):
            rows = dict(zip(self._labels[start : start + len(part)], part, strict=True))
            into.put_rows(self.name, rows)
            start += len(part)

    @abstractmethod
    def _part(self, start: int) -> list[Value]:
        """At most ROWS values from there on."""


class Counts(_Series):
    """Numbers that are added up. `add` belongs to one thread."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(name, most)
        self._values: list[int] = []

    def add(self, labels: tuple[str, ...], number: int) -> None:
        """So many more."""
        place = self._places.get(labels)
        if place is not None:
            self._values[place] += number
        elif self._new(labels, number):
            self._values.append(number)

    def _part(self, start: int) -> list[Value]:
        return [*self._values[start : start + ROWS]]


class Durations(_Series):
    """Distributions that are added up. `add` belongs to one thread."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(name, most)
        self._values: list[list[float]] = []

    def add(self, labels: tuple[str, ...], buckets: Mapping[int, int], seconds: float) -> None:
        """Those of a finer histogram, and all of them in seconds."""
        place = self._places.get(labels)
        if place is not None:
            into = self._values[place]
        elif self._new(labels, sum(buckets.values())):
            into = [*(0,) * PLACES, 0.0]
            self._values.append(into)
        else:
            return
        for number, count in buckets.items():
            into[_PLACES[number]] += count
        into[PLACES] += seconds

    def _part(self, start: int) -> list[Value]:
        return [packed(each[:]) for each in self._values[start : start + ROWS]]
