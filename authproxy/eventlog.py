"""D: Keeps security events as rows and log lines, from a thread of its own: nobody who causes one waits for it.

Events are gathered for a second, repetitions as one with a count, and written together. While the database is away
they wait, in bounded memory. Log lines do not wait for the database.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F, Max

from authproxy import security
from authproxy.gathering import Entry, Gathering, is_to_log, is_to_write
from authproxy.models import SecurityEvent as Row
from authproxy.security import ALARMING, REFUSALS, SecurityEvent
from routing.locking import explain
from routing.pruning import KEPT_FOR, delete_some
from routing.rowlog import RowLog

LOG: Final = logging.getLogger("torana.security")
ROUND_S: Final = 1.0
REFUSALS_TOLD_APART: Final = 200  # in a minute
OTHERS_TOLD_APART: Final = 10_000
KEPT_REFUSALS: Final = 100_000


class EventLog(RowLog):
    """One per process. Any thread may call `note`; the rest happens in the log's own thread."""

    name = "security-events"
    what = "security events"

    def __init__(self, *, wall_clock: Callable[[], float] = time.time) -> None:
        super().__init__(round_s=ROUND_S, wall_clock=wall_clock)
        self._refusals = Gathering(limit=REFUSALS_TOLD_APART)
        self._others = Gathering(limit=OTHERS_TOLD_APART)
        self._unbind: Callable[[], None] = lambda: None

    @property
    def merged(self) -> int:
        """Events that were counted without their particulars, because there were too many to tell apart."""
        return self._refusals.merged + self._others.merged

    def note(self, event: SecurityEvent) -> None:
        """Takes an event in, in a few microseconds."""
        now = self._now()
        with self._lock:
            (self._refusals if event.kind in REFUSALS else self._others).note(event, now)

    def start(self) -> None:
        """Listens to `security.emit` and begins to write."""
        self._unbind = security.bind(self.note)
        self._poller.start()

    async def stop(self) -> None:
        """Hears no more, and writes what is at hand."""
        self._unbind()
        await super().stop()

    def flush(self, *, is_last: bool = False) -> None:
        """Logs and writes what is due, over this thread's connection. Raises DatabaseError; nothing is lost by it."""
        now = self._now()
        until = math.inf if is_last else now
        with self._lock:
            due = [(entry, entry.count) for entry in (*self._others.due(until), *self._refusals.due(until))]
        for entry, count in due:
            if is_to_log(entry, until):
                _say(entry, count, now)
        if to_write := [(entry, count) for entry, count in due if is_to_write(entry, until)]:
            self._write(to_write, now)
        with self._lock:
            self._others.forget(now)
            self._refusals.forget(now)

    def last_flush(self) -> None:
        self.flush(is_last=True)

    def prune(self, now: datetime) -> bool:
        return prune(now)

    def _write(self, due: list[tuple[Entry, int]], now: float) -> None:
        self.keep(lambda: _save(due), len(due))
        for entry, count in due:
            entry.written, entry.written_at = count, now


@contextmanager
def kept() -> Iterator[None]:
    """Keeps what is emitted inside, over this thread's connection: for commands, which have no thread for it."""
    log = EventLog()
    unbind = security.bind(log.note)
    try:
        yield
    finally:
        unbind()
        try:
            log.flush(is_last=True)
        except (DatabaseError, InterfaceError) as error:
            LOG.warning("security events could not be kept: %s", explain(error))


def prune(now: datetime, *, refusals: int = KEPT_REFUSALS) -> bool:
    """Deletes some of what is too old, and of refusals beyond the newest; True if there may be more of it."""
    ages = Row.objects.filter(at__lt=now - KEPT_FOR).order_by("at")
    newest = Row.objects.aggregate(newest=Max("pk"))["newest"] or 0
    crowd = Row.objects.filter(pk__lte=newest - refusals, kind__in=REFUSALS).order_by("pk")
    found = [delete_some(rows) for rows in (ages, crowd)]
    return any(found)


def _say(entry: Entry, count: int, now: float) -> None:
    """One line: the kind, and the rest as JSON, in ASCII, so that nothing in it can pass for another line."""
    event = entry.event
    known = {"actor": event.actor, "subject": event.subject, "address": event.address, **event.details}
    rest = {name: value for name, value in known.items() if value != ""}
    if count - entry.logged > 1:
        rest["count"] = count - entry.logged
    level = logging.WARNING if event.kind in ALARMING else logging.INFO
    LOG.log(level, "%s %s", event.kind, json.dumps(rest, default=str))
    entry.logged, entry.logged_at = count, now


def _save(due: list[tuple[Entry, int]]) -> None:
    fresh = [(entry, count) for entry, count in due if entry.row is None]
    with transaction.atomic():
        rows = Row.objects.bulk_create(_row(entry, count) for entry, count in fresh)
        for entry, count in due:
            if entry.row is not None:
                Row.objects.filter(pk=entry.row).update(count=F("count") + count - entry.written)
    for (entry, _), row in zip(fresh, rows, strict=True):
        entry.row = row.pk


def _row(entry: Entry, count: int) -> Row:
    event = entry.event
    return Row(
        kind=event.kind,
        at=datetime.fromtimestamp(entry.first_at, UTC),
        count=count,
        actor=event.actor,
        subject=event.subject,
        address=event.address,
        details=dict(event.details),
    )
