"""I: Finished requests counted for metrics: a sink of the recorder, which merges a few cells for each batch."""

from typing import Final

from observability.metrics import catalogue as names
from observability.metrics.samples import PLACES, Distribution, Samples, packed
from observability.metrics.series import Counts, Durations, place_of
from observability.traffic.folding import Cell, Fold, Key
from observability.traffic.recorder import Batch

MOST_SERIES: Final = 200_000
"""Of one metric: routes times methods times statuses that services made up."""


class Counting:
    """`take` belongs on the event loop; `samples` may be called from any thread."""

    def __init__(self, *, most: int = MOST_SERIES) -> None:
        self._requests = Counts(names.REQUESTS, most)
        self._refusals = Counts(names.REFUSALS, most)
        self._received = Counts(names.RECEIVED, most)
        self._sent = Counts(names.SENT, most)
        self._attempts = Counts(names.ATTEMPTS, most)
        self._retries = Counts(names.RETRIES, most)
        self._caches = Counts(names.CACHE, most)
        self._would = Counts(names.WOULD, most)
        self._durations = Durations(names.DURATION, most)
        self._waits = Durations(names.UPSTREAM, most)
        self._connects = Durations(names.CONNECT, most)
        self._all = (
            self._requests, self._refusals, self._attempts, self._retries, self._caches, self._would,
            self._durations, self._received, self._sent, self._waits, self._connects,
        )  # fmt: skip

    @property
    def dropped(self) -> int:
        """Counts that found no room."""
        return sum(each.dropped for each in self._all)

    def take(self, batch: Batch) -> None:
        """Adds what came of a batch."""
        folded = batch.folded
        for key, cell in folded.cells.items():
            self._add(key, cell)
        for service, wait in folded.waits.items():
            self._waits.add((service,), wait.buckets, wait.seconds)
        for service, connect in folded.connects.items():
            self._connects.add((service,), connect.buckets, connect.seconds)
        self._add_others(folded)

    def _add(self, key: Key, cell: Cell) -> None:
        self._requests.add((key.route, key.service, key.method, str(key.status)), cell.count)
        if key.code:
            self._refusals.add((key.route, key.code), cell.count)
        place = (key.route, key.service)
        self._durations.add(place, cell.buckets, cell.seconds)
        self._received.add(place, cell.received)
        self._sent.add(place, cell.sent)

    def _add_others(self, folded: Fold) -> None:
        for labels, number in folded.attempts.items():
            self._attempts.add(labels, number)
        for service, number in folded.retries.items():
            self._retries.add((service,), number)
        for result, number in folded.caches.items():
            self._caches.add(result, number)
        for refused, number in folded.would.items():
            self._would.add(refused, number)

    def samples(self, into: Samples) -> None:
        """As of now; what a batch brings may be there in part."""
        for each in self._all:
            each.samples(into)


class Timings:
    """Durations that are noted one by one."""

    def __init__(self) -> None:
        self._value: list[float] = [*(0,) * PLACES, 0.0]

    def note(self, seconds: float) -> None:
        """One more."""
        self._value[place_of(seconds)] += 1
        self._value[PLACES] += seconds

    @property
    def value(self) -> Distribution:
        """As of now."""
        return packed(self._value[:])
