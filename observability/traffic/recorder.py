"""I: One worker's requests, as they end: a tuple each on the path, the rest later.

path ──▶ queue (bounded) ──▶ after INTERVAL_S: Record, fold ──▶ sinks

Soon is cheap: what is still in the processor's caches is added up in a fifth of the time that it takes later.
Sinks run on the event loop, in turns of at most TURN records; what may wait for a disk or a database hands its work to
a thread of its own. A sink that fails is logged, and the others go on.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from authproxy.exchange import Exchange
from observability.traffic.folding import Fold, fold
from observability.traffic.record import Raw, Record, raw_of, record_of
from resilience.clock import monotonic, wall_clock

INTERVAL_S: Final = 0.02
TURN: Final = 200
"""Records for each turn of the loop: less than a millisecond."""
MOST_WAITING: Final = 65_536
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that ended one after another. `offset_s` makes epoch seconds of a record's monotonic ones."""

    records: Sequence[Record]
    folded: Fold
    offset_s: float


class Sink(Protocol):
    """What is told of finished requests. It must be quick and never wait."""

    def take(self, batch: Batch) -> None: ...


class Recorder:
    """`note` belongs on the pipeline's `on_finish`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = wall_clock,
        most: int = MOST_WAITING,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._most = most
        self._waiting: deque[Raw] = deque()
        self._sinks: list[Sink] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0
        """How many nobody was told of, because more than `most` were waiting."""

    def subscribe(self, sink: Sink) -> None:
        """Before `start`."""
        self._sinks.append(sink)

    def note(self, exchange: Exchange) -> None:
        """The request is over."""
        waiting = self._waiting
        if not waiting and self._loop is not None:
            self._timer = self._loop.call_later(INTERVAL_S, self._turn)
        if len(waiting) >= self._most:
            self.dropped += 1
        else:
            waiting.append(raw_of(exchange, self._clock()))

    def drain(self, most: int = TURN) -> int:
        """Tells the sinks of those that wait, up to `most`. How many there were."""
        waiting = self._waiting
        records = [record_of(waiting.popleft()) for _ in range(min(most, len(waiting)))]
        if records:
            batch = Batch(records, fold(records), self._wall() - self._clock())
            for sink in self._sinks:
                _tell(sink, batch)
        return len(records)

    def start(self) -> None:
        """From now on they are told. Belongs to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._turn()

    def stop(self) -> None:
        """The last ones are told as well."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        while self.drain():
            pass

    def _turn(self) -> None:
        self.drain()
        if self._waiting and self._loop is not None:
            self._timer = self._loop.call_later(0, self._turn)


def _tell(sink: Sink, batch: Batch) -> None:
    try:
        sink.take(batch)
    except Exception:
        _log.exception("%s could not take finished requests", type(sink).__name__)
