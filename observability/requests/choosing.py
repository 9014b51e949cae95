"""P: Which of a worker's requests are kept: what went wrong up to a rate, and a sample of the rest up to another."""

from collections.abc import Callable, Sequence
from math import log, log1p
from typing import Final

from authproxy.exchange import Exchange
from observability.traffic.alikes import FAULT, SAMPLE, Seen
from observability.traffic.record import Record, record_of

Random = Callable[[], float]
"""From 0 until before 1."""
_NEVER: Final = 2**62


class Drawing:
    """So many a second, and two seconds' worth at once; of more than that, some by chance, of all that are offered from
    one `take` to the next: a burst of one kind hides nothing.

    Which one is drawn next is known beforehand, so that the others cost nothing but to be counted (reservoir sampling:
    Li 1994, algorithm L)."""

    __slots__ = ("_at", "_drawn", "_least", "_left", "_next", "_offered", "_per_s", "_random", "_room")

    def __init__(self, per_s: float, random: Random) -> None:
        self._per_s = per_s
        self._random = random
        self._left = 2 * per_s
        self._at: float | None = None
        self._room = -1
        self._offered = 0
        self._next = 0
        """Which of those that are offered is drawn next; 0: nobody knows yet."""
        self._least = 1.0
        """If each had a random number, and those with the smallest were kept: the largest of theirs."""
        self._drawn: list[Record] = []

    def passes(self, number: int) -> bool:
        """Whether none of the next `number` is drawn; then they need not be offered any more."""
        if self._room < 0 or self._next <= self._offered + number:
            return False
        self._offered += number
        return True

    def offer(self, exchanges: Sequence[Exchange]) -> None:
        """Some that may be kept."""
        if self._room < 0:
            self._begin(exchanges[0].ended)
        first = self._offered + 1
        self._offered += len(exchanges)
        while self._next <= self._offered:
            self._draw(record_of(exchanges[self._next - first]))

    def _begin(self, now: float) -> None:
        self._room = self._refilled(now)
        self._next = 1 if self._room else _NEVER
        self._least = 1.0

    def _draw(self, record: Record) -> None:
        """Until there is no more room, everyone; after that, in another one's place."""
        if len(self._drawn) < self._room:
            self._drawn.append(record)
        else:
            self._drawn[int(self._random() * self._room)] = record
        self._next += 1 if len(self._drawn) < self._room else self._distance()

    def _distance(self) -> int:
        """From one that is drawn to the next."""
        self._least *= (1 - self._random()) ** (1 / self._room)
        if not 0 < self._least < 1:  # at the end of what a float can tell apart
            return 1
        return 1 + int(log(1 - self._random()) / log1p(-self._least))

    def take(self) -> tuple[list[Record], int]:
        """Those that are kept; and how many are not."""
        drawn, left_out = self._drawn, self._offered - len(self._drawn)
        self._left -= len(drawn)
        self._drawn, self._offered, self._room = [], 0, -1
        return drawn, left_out

    def _refilled(self, now: float) -> int:
        if self._at is not None:
            self._left = min(2 * self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        return max(0, int(self._left))


class Choice:
    """One worker's. Counts what it left out."""

    __slots__ = ("_faults", "_others", "faults_left_out", "others_left_out")

    def __init__(self, *, faults_per_s: float, samples_per_s: float, random: Random) -> None:
        self._faults = Drawing(faults_per_s, random)
        self._others = Drawing(samples_per_s, random)
        self.faults_left_out = 0
        """Requests that went wrong, of more than `faults_per_s`."""
        self.others_left_out = 0

    def see(self, seen: Seen) -> int:
        """Requests that are over. Those that went well on the gateway's own endpoints are nobody's sample. How many of
        them went wrong."""
        kinds = [alike.kind for alike in seen.alikes]
        faults = kinds.count(FAULT)
        for kind, number, drawing in (
            (FAULT, faults, self._faults),
            (SAMPLE, kinds.count(SAMPLE), self._others),
        ):
            if number and not drawing.passes(number):
                drawing.offer([each for each, own in zip(seen.exchanges, kinds, strict=True) if own == kind])
        return faults

    def take(self) -> list[Record]:
        """Those that are kept, in the order in which they ended."""
        faults, faults_left_out = self._faults.take()
        others, others_left_out = self._others.take()
        self.faults_left_out += faults_left_out
        self.others_left_out += others_left_out
        return sorted(faults + others, key=lambda record: record.ended)
