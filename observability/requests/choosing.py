"""P: Which of a worker's requests are kept: what went wrong up to a rate, and a sample of the rest up to another."""

from collections.abc import Callable, Sequence

from authproxy.exchange import Exchange
from observability.traffic.alikes import Seen
from observability.traffic.record import Record, record_of

Random = Callable[[], float]
"""From 0 until before 1."""


class Drawing:
    """So many a second, and two seconds' worth at once; of more than that, some by chance, of all that are offered from
    one `take` to the next: a burst of one kind hides nothing."""

    __slots__ = ("_at", "_drawn", "_left", "_offered", "_per_s", "_random", "_room")

    def __init__(self, per_s: float, random: Random) -> None:
        self._per_s = per_s
        self._random = random
        self._left = 2 * per_s
        self._at: float | None = None
        self._room = -1
        self._offered = 0
        self._drawn: list[Record] = []

    def offer(self, exchanges: Sequence[Exchange]) -> None:
        """Some that may be kept (reservoir sampling: Vitter 1985, algorithm R)."""
        if self._room < 0:
            self._room = self._refilled(exchanges[0].ended)
        room, offered, drawn, random = self._room, self._offered, self._drawn, self._random
        self._offered += len(exchanges)
        if not room:
            return
        for exchange in exchanges:
            offered += 1
            if offered <= room:
                drawn.append(record_of(exchange))
            elif (place := int(random() * offered)) < room:
                drawn[place] = record_of(exchange)

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
        return int(self._left)


class Choice:
    """One worker's. Counts what it left out."""

    __slots__ = ("_faults", "_others", "faults_left_out", "others_left_out")

    def __init__(self, *, faults_per_s: float, samples_per_s: float, random: Random) -> None:
        self._faults = Drawing(faults_per_s, random)
        self._others = Drawing(samples_per_s, random)
        self.faults_left_out = 0
        """Requests that went wrong, of more than `faults_per_s`."""
        self.others_left_out = 0

    def see(self, seen: Seen) -> None:
        """Requests that are over. Those that went well on the gateway's own endpoints are nobody's sample."""
        faults, others = [], []
        for exchange, alike in zip(seen.exchanges, seen.alikes, strict=True):
            if not 0 < exchange.status < 400 or exchange.failures or exchange.would:
                faults.append(exchange)
            elif alike.route:
                others.append(exchange)
        if faults:
            self._faults.offer(faults)
        if others:
            self._others.offer(others)

    def take(self) -> list[Record]:
        """Those that are kept, in the order in which they ended."""
        faults, faults_left_out = self._faults.take()
        others, others_left_out = self._others.take()
        self.faults_left_out += faults_left_out
        self.others_left_out += others_left_out
        return sorted(faults + others, key=lambda record: record.ended)
