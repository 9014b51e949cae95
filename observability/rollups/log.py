"""D: One worker's finished requests as rows of minutes, written from a thread of its own.

What the event loop hands over is a reference to what is added up already. The thread adds it to its minutes and writes
those that changed, every WRITE_S seconds; between two writes it sums up minutes that are over (see `summing`). While
the database is away, minutes wait, up to KEPT_MINUTES of them.
"""

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from observability.rollups import summing, writing
from observability.rollups.minutes import Minute, Minutes
from observability.rollups.tiers import MINUTE
from observability.traffic.folding import Fold
from observability.traffic.recorder import Batch
from routing.rowlog import RowLog

ROUND_S: Final = 1.0
WRITE_S: Final = 10.0
SUMMING_S: Final = 10.0
MOST_PENDING: Final = 200_000
"""Cells that wait for the thread: some seconds of a busy worker."""
_AT_ONCE: Final = 500


class TrafficLog(RowLog):
    """One per worker; a sink of its Recorder. `worker` is a name that no other has had: rows are by it."""

    name = "traffic-rows"
    what = "figures of requests"
    pruning_s = SUMMING_S

    def __init__(
        self,
        *,
        worker: str,
        wall_clock: Callable[[], float] = time.time,
        round_s: float = ROUND_S,
        write_s: float = WRITE_S,
    ) -> None:
        super().__init__(round_s=round_s, wall_clock=wall_clock)
        self._worker = worker
        self._write_s = write_s
        self._write_at = 0.0
        self._pending: deque[tuple[float, Fold]] = deque()
        self._pending_cells = 0
        self._minutes = Minutes()
        self._overflow = 0

    @property
    def dropped(self) -> int:
        """Requests that no row ever held: too many at a time, or the database was away for too long."""
        return self._overflow + self._minutes.dropped

    def take(self, batch: Batch) -> None:
        """A reference is kept, no more."""
        with self._lock:
            if self._pending_cells >= MOST_PENDING:
                self._overflow += batch.number
                return
            self._pending.append((batch.at, batch.folded))
            folded = batch.folded
            self._pending_cells += len(folded.cells) + len(folded.callers) + len(folded.connects)

    def start(self) -> None:
        """Begins to write, on the running event loop."""
        self._poller.start()

    # From here on: the poller's own thread.

    def flush(self) -> None:
        """Adds up what was handed over, and writes it if it is time."""
        self._add_up()
        if (now := self._now()) >= self._write_at:
            self._write()
            self._write_at = now + self._write_s
            self._minutes.close(now)

    def last_flush(self) -> None:
        self._add_up()
        self._write()

    def prune(self, now: datetime) -> bool:
        return summing.keep_house(now.timestamp())

    def _add_up(self) -> None:
        with self._lock:
            taken, self._pending, self._pending_cells = self._pending, deque(), 0
        for at, folded in taken:
            self._minutes.add(at, folded)

    def _write(self) -> None:
        for minute in self._minutes:
            self._write_traffic(minute)
            self._write_callers(minute)

    def _write_traffic(self, minute: Minute) -> None:
        changed = minute.changed()
        for begin in range(0, len(changed), _AT_ONCE):
            chunk = changed[begin : begin + _AT_ONCE]
            rows = [
                writing.traffic_row(
                    MINUTE, minute.at, self._worker, subject, entry.figures, service=entry.service
                )
                for subject, entry in chunk
            ]
            self.keep(lambda rows=rows: _in_one_step(writing.write_traffic, rows), len(rows))  # type: ignore[misc]
            for _, entry in chunk:
                entry.written = entry.figures.count

    def _write_callers(self, minute: Minute) -> None:
        changed = minute.changed_callers()
        if changed:
            rows = [writing.caller_row(MINUTE, minute.at, self._worker, *each) for each in changed]
            self.keep(lambda: _in_one_step(writing.write_callers, rows), len(rows))
            minute.written |= {caller: tally.count for caller, tally in changed}


def _in_one_step(write: Callable[[list[Any]], None], rows: list[Any]) -> None:
    with transaction.atomic():
        write(rows)
