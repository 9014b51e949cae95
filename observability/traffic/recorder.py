"""I: One worker's requests, as they end: appended to a list on the path, the rest later.

path ──▶ list (bounded) ──▶ GATHER of them, or SETTLE_S: watchers ──▶ every SETTLE_S: figures ──▶ sinks

A few are looked at one after another, and soon: the first brings what is needed for that into the processor's caches,
and what is known of the last ones is still there; and what requests held is free for the next ones. Both run on the
event loop, in turns of at most TURN requests and CELLS figures where there are many routes; what may wait for a
disk or a database hands its work to a thread of its own. One that fails is logged, and the others go on.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from authproxy.exchange import Exchange
from observability.traffic.alikes import Alikes, Seen
from observability.traffic.folding import Fold
from resilience.clock import monotonic, wall_clock

T = TypeVar("T")
SETTLE_S: Final = 0.1
GATHER: Final = 16
"""As many end in a turn of a busy loop. To look at each by itself costs half as much again, at more of them no less."""
TURN: Final = 200
"""Requests for each turn of the loop: less than a millisecond."""
CELLS: Final = 64
"""Kinds of requests that are added up and told of in one turn of the loop: a millisecond, or two where all are new."""
MOST_WAITING: Final = 65_536
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of so many requests, the last of which ended `at`, in epoch seconds."""

    folded: Fold
    number: int
    at: float


class Watcher(Protocol):
    """What looks at each request. It must be quick and never wait."""

    def see(self, seen: Seen) -> None: ...


class Sink(Protocol):
    """What is told how many there were. It must be quick and never wait."""

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
        self._waiting: list[Exchange] = []
        self._alikes = Alikes()
        self._last_at = 0.0
        self._watchers: list[Watcher] = []
        self._sinks: list[Sink] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self.dropped = 0
        """How many nobody was told of, because more than `most` were waiting."""

    def watch(self, watcher: Watcher) -> None:
        """Before `start`."""
        self._watchers.append(watcher)

    def subscribe(self, sink: Sink) -> None:
        """Before `start`."""
        self._sinks.append(sink)

    def note(self, exchange: Exchange) -> None:
        """The request is over."""
        waiting = self._waiting
        number = len(waiting)
        if number >= self._most:
            self.dropped += 1
            return
        exchange.ended = self._clock()
        waiting.append(exchange)
        if self._loop is not None:
            if self._timer is None:
                self._timer = self._loop.call_later(SETTLE_S, self._settle)
            if number == GATHER - 1:
                self._loop.call_soon(self._turn)

    def drain(self) -> int:
        """Tells of those that wait, up to TURN, and of CELLS kinds that were seen. 0: there was nothing, and nothing is
        left."""
        number = self._look()
        self._tell_sinks()
        return number + self._alikes.waiting

    def start(self) -> None:
        """From now on they are told. Belongs to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._settle()

    def stop(self) -> None:
        """The last ones are told as well."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self.drain():
            pass

    def _turn(self) -> None:
        if self._loop is not None and self._look() and self._waiting:
            self._loop.call_soon(self._turn)

    def _settle(self) -> None:
        """Until nothing is left, in turns."""
        self._timer = None  # whatever fails below, the next request begins anew
        if self._loop is None:
            return
        self._look()
        if not self._waiting:
            self._tell_sinks()
        if self._waiting or self._alikes.waiting:
            self._timer = self._loop.call_soon(self._settle)

    def _look(self) -> int:
        exchanges, self._waiting = self._waiting, []
        if len(exchanges) > TURN:
            exchanges, self._waiting = exchanges[:TURN], exchanges[TURN:]
        if exchanges:
            offset_s = self._wall() - self._clock()
            seen = Seen(exchanges, self._alikes.sort(exchanges), offset_s)
            self._last_at = exchanges[-1].ended + offset_s
            for watcher in self._watchers:
                _tell(watcher, watcher.see, seen)
        return len(exchanges)

    def _tell_sinks(self) -> None:
        if not self._alikes.waiting:
            return
        folded = self._alikes.take(CELLS)
        batch = Batch(folded, sum([cell.count for cell in folded.cells.values()]), self._last_at)
        for sink in self._sinks:
            _tell(sink, sink.take, batch)


def _tell(whom: object, how: Callable[[T], None], what: T) -> None:
    try:
        how(what)
    except Exception:
        _log.exception("%s could not take finished requests", type(whom).__name__)
