"""I: One worker's part in the metrics of its node: what it has counted is on the shelf about once a second.

sources ──▶ Samples ──▶ Shelf ◀──▶ other workers
                          │
                          └──▶ gather ──▶ /metrics
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from observability.metrics import catalogue as names
from observability.metrics.counting import Counting, Timings
from observability.metrics.pace import Pace
from observability.metrics.samples import Samples
from observability.metrics.shelf import Shelf
from resilience.clock import monotonic, wall_clock

WRITE_S: Final = 1.0
LAG_S: Final = 0.25
SHARE: Final = 10
"""Writing, rests included, takes at most one of so many parts of the time, however much there is to write."""
Source = Callable[[Samples], None]
_log: Final = logging.getLogger(__name__)


class Metering:
    """`counting` is a sink of the recorder. Sources are called in threads: they only read."""

    def __init__(
        self,
        var_dir: Path,
        sources: tuple[Source, ...] = (),
        *,
        shelf: Shelf | None = None,
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = wall_clock,
        pace: Callable[[], Callable[[], object]] = Pace,
    ) -> None:
        self.counting = Counting()
        self.unwritten = 0
        """How often what was counted could not be written or read: other workers may not know the newest."""
        self._sources = [*sources, self.counting.samples]
        self._shelf = shelf or Shelf(var_dir)
        self._clock = clock
        self._wall = wall
        self._pace = pace
        self._lag = Timings()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_failing = False

    def read(self, source: Source) -> None:
        """One more source."""
        self._sources.append(source)

    async def start(self) -> None:
        """From now on others know what this worker counts. A disk that takes nothing is no reason not to start."""
        await asyncio.to_thread(self._try, self._publish)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._write_on()), loop.create_task(self._watch_lag())]

    async def stop(self) -> None:
        """The last counts are written, for those who stay."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._tasks:
            self._tasks = []
            await asyncio.to_thread(self._leave)

    def gather(self) -> Samples:
        """What all workers of this node have counted. For a thread, which takes rests.

        This worker's counts are written first: who is asked next never says less than who was asked before.
        """
        found = self._shared() if self._tasks else self.samples()
        since = found.get(names.REVISION_SINCE)
        if isinstance(since, float):
            found.put(names.REVISION_AGE, max(0.0, self._wall() - since))
        return found

    def _shared(self) -> Samples:
        """This worker's, those of the others that live, and those of the others that are gone."""
        own: Samples | None = None
        try:
            self._shelf.open()
            own = self._shelf.publish(self.samples)
            found = Samples(self._pace())
            self._shelf.add_others(found)
        except OSError as error:
            self._fail(error)
            return own or self.samples()
        found.add(own)
        return found

    def samples(self) -> Samples:
        """What this worker has counted."""
        found = Samples(self._pace())
        found.put(names.WORKERS, 1)
        found.put(names.LAG, self._lag.value)
        for source in list(self._sources):
            try:
                source(found)
            except Exception:
                _log.exception("some metrics could not be read")
        found.put(names.DROPPED, self.counting.dropped, "metrics")
        found.put(names.DROPPED, self.unwritten, "metrics_files")
        return found

    async def _write_on(self) -> None:
        taken_s = 0.0
        while True:
            await asyncio.sleep(max(WRITE_S, SHARE * taken_s))
            began = self._clock()
            await asyncio.to_thread(self._try, self._publish)
            taken_s = self._clock() - began

    async def _watch_lag(self) -> None:
        while True:
            began = self._clock()
            await asyncio.sleep(LAG_S)
            self._lag.note(max(0.0, self._clock() - began - LAG_S))

    def _publish(self) -> None:
        self._shelf.open()
        self._shelf.publish(self.samples).let_go()
        self._is_failing = False

    def _leave(self) -> None:
        self._try(self._publish)
        self._shelf.close()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self._fail(error)
        except Exception:
            _log.exception("metrics could not be written")

    def _fail(self, error: OSError) -> None:
        self.unwritten += 1
        if not self._is_failing:
            _log.warning("other workers do not learn what this one counts: %s", error.strerror or error)
        self._is_failing = True
