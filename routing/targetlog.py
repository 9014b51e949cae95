"""D: Between one worker's targets and the database: who is ejected goes in, whom operators put back comes out.

It has no thread: it rides along with the BreakerLog's. While the database is away, what is to be written waits, at most
one note for each target, and whoever is ejected comes back by the clock all the same.
"""

import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, Q

from resilience.clock import monotonic
from resilience.ejection import Ejected, Returned
from resilience.models import TargetEjection, TargetHealth, TargetReadmission
from resilience.rows.targets import NODE_LENGTH
from routing.breakerlog import Call
from routing.models import Node
from routing.orderfeed import OrderFeed
from routing.pruning import prune_history
from routing.readmitting import forget_unchecked

PRUNING_S: Final = 60.0
KEPT_FOR: Final = timedelta(minutes=1)
"""Of ejections that have ended: clocks differ."""
_BATCH: Final = 200
_COLUMNS: Final = ("since", "until", "times", "errors")
_Target = tuple[str, str]


class _Out(NamedTuple):
    """A target is ejected, in epoch seconds."""

    since: float
    until: float
    times: int
    errors: int


class TargetLog:
    """One per worker. `readmit` is called on the event loop; `wake` lets the thread look now."""

    def __init__(
        self,
        readmit: Callable[[str, str], None],
        *,
        node: str,
        wake: Callable[[], None],
        clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._readmit = readmit
        self._node = node[:NODE_LENGTH]
        self._wake = wake
        self._clock = clock
        self._now = wall_clock
        self._feed = OrderFeed(TargetReadmission, "service", "target")
        self._lock = threading.Lock()
        self._noted: dict[_Target, _Out | None] = {}
        self._prune_at = 0.0

    def note(self, event: Ejected | Returned) -> None:
        """Takes in what is to be written, in a few microseconds."""
        out = None
        if isinstance(event, Ejected):
            now = self._now()
            out = _Out(now, now + event.until - self._clock(), event.ejections, event.errors)
        with self._lock:
            self._noted[event.service, event.target] = out
        self._wake()

    # From here on: the thread that it rides on.

    def look(self, call: Call) -> None:
        """Whom operators put back; what happened; what may be forgotten."""
        for service, target in self._feed.unseen():
            call(partial(self._readmit, service, target))
        self._write()
        if (now := self._now()) >= self._prune_at:
            self._prune_at = now if prune(_moment(now)) else now + PRUNING_S

    def leave(self) -> None:
        """What this worker left out, nobody leaves out any more."""
        TargetEjection.objects.filter(node=self._node).delete()
        forget_unchecked()

    def _write(self) -> None:
        with self._lock:
            noted = dict(self._noted)
        if not noted:
            return
        self._delete([target for target, out in noted.items() if out is None])
        self._save({target: out for target, out in noted.items() if out is not None})
        with self._lock:
            for key, note in noted.items():
                if self._noted.get(key) is note:
                    del self._noted[key]

    def _delete(self, targets: Collection[_Target]) -> None:
        for service, target in targets:
            TargetEjection.objects.filter(node=self._node, service=service, target=target).delete()

    def _save(self, found: dict[_Target, _Out]) -> None:
        """Each has a row among all targets, so that it is seen."""
        rows = sorted(found.items())
        TargetHealth.objects.bulk_create(
            [
                TargetHealth(service=service, target=target, ok=False, node="")
                for (service, target), _ in rows
            ],
            batch_size=_BATCH,
            ignore_conflicts=True,
        )
        TargetEjection.objects.bulk_create(
            [self._row(service, target, out) for (service, target), out in rows],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["service", "target", "node"],
            update_fields=_COLUMNS,
        )

    def _row(self, service: str, target: str, out: _Out) -> TargetEjection:
        return TargetEjection(
            service=service,
            target=target,
            node=self._node,
            since=_moment(out.since),
            until=_moment(out.until),
            times=out.times,
            errors=out.errors,
        )


def prune(now: datetime) -> bool:
    """Deletes ejections that have ended, by the clock or with a worker that was killed, and some of the history.

    True: there may be more of the history. A worker that begins may eject before it has reported.
    """
    reports = Exists(Node.objects.filter(name=OuterRef("node")))
    has_ended = Q(until__lt=now - KEPT_FOR) | Q(~reports, since__lt=now - KEPT_FOR)
    ended = TargetEjection.objects.filter(has_ended)
    if ended.exists():
        ended.delete()
    forget_unchecked()
    return prune_history(TargetReadmission, now)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
