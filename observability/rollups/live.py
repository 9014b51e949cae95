"""I: What one worker served in the last second, told once a second: a few hundred bytes however much it was.

Nothing is told while nothing happens, but one summary of zero after the last one that was not.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from observability.rollups.figures import Figures
from observability.rollups.minutes import is_counted
from observability.traffic.recorder import Batch

EVERY_S: Final = 1.0


class LiveTraffic:
    """A sink of a worker's Recorder. `tell` gets the summary, on the event loop."""

    def __init__(self, tell: Callable[[dict[str, Any]], None], *, worker: str) -> None:
        self._tell = tell
        self._worker = worker
        self._figures = Figures()
        self._was_quiet = True
        self._timer: asyncio.TimerHandle | None = None

    def take(self, batch: Batch) -> None:
        """Adds what was added up already."""
        for key, cell in batch.folded.cells.items():
            if is_counted(key):
                self._figures.take(key.status, key.code, cell)

    def start(self) -> None:
        """Tells from now on, on the running event loop."""
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._turn)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def summarise(self) -> None:
        """Tells of what came since the last time."""
        taken, self._figures = self._figures, Figures()
        if taken.count or not self._was_quiet:
            self._tell(summary(taken, self._worker))
        self._was_quiet = not taken.count

    def _turn(self) -> None:
        self.summarise()
        self.start()


def summary(figures: Figures, worker: str) -> dict[str, Any]:
    """The buckets are those of `observability.traffic.histogram`, so that summaries of workers can be merged."""
    return {
        "worker": worker,
        "requests": figures.count,
        "errors": figures.errors,
        "refused": figures.refused,
        "classes": figures.classes,
        "p95_ms": round(figures.quantile_s(0.95) * 1000, 3),
        "buckets": {str(number): count for number, count in figures.buckets.items()},
        "sent": figures.sent,
    }
