"""I: Finished requests counted for metrics: a sink of the recorder, which merges a few cells for each batch."""

from collections.abc import Mapping
from typing import Any, Final

from observability.metrics import catalogue as names
from observability.metrics.catalogue import BOUNDS_S
from observability.metrics.samples import PLACES, Distribution, Samples
from observability.traffic.folding import Cell, Fold, Key
from observability.traffic.histogram import LAST, upper_s
from observability.traffic.recorder import Batch

MOST_SERIES: Final = 200_000
"""Of one metric: routes times methods times statuses that services made up."""
Timing = list[int]


def place_of(seconds: float) -> int:
    """The first bucket whose bound is not less."""
    for place, bound in enumerate(BOUNDS_S):
        if seconds <= bound * (1 + 1e-9):
            return place
    return len(BOUNDS_S)


_PLACES: Final = tuple(place_of(upper_s(number)) for number in range(LAST))
"""By the number of the finer bucket; each lies wholly within one of ours."""


def _coarse(into: Timing, buckets: Mapping[int, int]) -> None:
    for number, count in buckets.items():
        into[_PLACES[number] if number < LAST else PLACES - 1] += count


class Counting:
    """`take` belongs on the event loop; `samples` may be called from any thread."""

    def __init__(self, *, most: int = MOST_SERIES) -> None:
        self._most = most
        self._requests: dict[tuple[str, ...], int] = {}
        self._refusals: dict[tuple[str, ...], int] = {}
        self._timings: dict[tuple[str, ...], Timing] = {}
        self._sums: dict[tuple[str, ...], tuple[float, int, int]] = {}
        self._waits: dict[tuple[str, ...], Timing] = {}
        self._waited: dict[tuple[str, ...], float] = {}
        self._others: dict[str, dict[tuple[str, ...], int]] = {
            name: {} for name in (names.ATTEMPTS, names.RETRIES, names.CACHE, names.WOULD)
        }
        self.dropped = 0
        """Counts that found no room."""

    def take(self, batch: Batch) -> None:
        """Adds what came of a batch."""
        folded = batch.folded
        for key, cell in folded.cells.items():
            self._add(key, cell)
        for service, buckets in folded.waits.items():
            _coarse(self._waits.setdefault((service,), [0] * PLACES), buckets)
        self._add_others(folded)

    def _add_others(self, folded: Fold) -> None:
        others = self._others
        self._count_all(others[names.ATTEMPTS], folded.attempts)
        self._count_all(others[names.CACHE], folded.caches)
        self._count_all(others[names.WOULD], folded.would)
        for service, number in folded.retries.items():
            self._count(others[names.RETRIES], (service,), number)

    def _add(self, key: Key, cell: Cell) -> None:
        self._count(self._requests, (key.route, key.service, key.method, str(key.status)), cell.count)
        if key.code:
            self._count(self._refusals, (key.route, key.code), cell.count)
        place = (key.route, key.service)
        timing = self._timings.get(place)
        if timing is None:
            if len(self._timings) >= self._most:
                self.dropped += cell.count
                return
            timing = self._timings[place] = [0] * PLACES
        _coarse(timing, cell.buckets)
        seconds, received, sent = self._sums.get(place, (0.0, 0, 0))
        self._sums[place] = (seconds + cell.seconds, received + cell.received, sent + cell.sent)
        if cell.upstream_s:
            waited = (key.service,)
            self._waited[waited] = self._waited.get(waited, 0.0) + cell.upstream_s

    def _count_all(self, into: dict[tuple[str, ...], int], counts: Mapping[Any, int]) -> None:
        for key, number in counts.items():
            self._count(into, key, number)

    def _count(self, into: dict[tuple[str, ...], int], key: tuple[str, ...], number: int) -> None:
        known = into.get(key)
        if known is not None:
            into[key] = known + number
        elif len(into) < self._most:
            into[key] = number
        else:
            self.dropped += number

    def samples(self, into: Samples) -> None:
        """As of now. Each copy of a dictionary is one step of the interpreter: nothing changes within."""
        values = into.values
        values[names.REQUESTS] = dict(self._requests)
        values[names.REFUSALS] = dict(self._refusals)
        for name, counts in self._others.items():
            values[name] = dict(counts)
        sums = self._sums.copy()
        timings, waits, waited = self._timings.copy(), self._waits.copy(), self._waited.copy()
        none = (0.0, 0, 0)
        values[names.DURATION] = {
            key: Distribution(tuple(each), sums.get(key, none)[0]) for key, each in timings.items()
        }
        values[names.RECEIVED] = {key: each[1] for key, each in sums.items()}
        values[names.SENT] = {key: each[2] for key, each in sums.items()}
        values[names.UPSTREAM] = {
            key: Distribution(tuple(each), waited.get(key, 0.0)) for key, each in waits.items()
        }


class Timings:
    """One distribution that grows by single durations."""

    __slots__ = ("_counts", "_seconds")

    def __init__(self) -> None:
        self._counts = [0] * PLACES
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """One more."""
        self._counts[place_of(seconds)] += 1
        self._seconds += seconds

    @property
    def value(self) -> Distribution:
        return Distribution(tuple(self._counts), self._seconds)
