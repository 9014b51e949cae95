"""D: The base of what writes rows in rounds, from a thread of its own: nobody who causes one waits for it.

Whoever notes something does so under a lock, in bounded memory. What cannot be written stays there, and the thread
tries again later and later (see `Poller`); a database that is only locked by another writer is asked again at the next
round. Now and then old rows are deleted.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar, Final

from django.db import DatabaseError, DataError, IntegrityError

from routing.lanes import WRITING, Lane
from routing.locking import explain
from routing.polling import Poller

LOG: Final = logging.getLogger(__name__)
LAST_TRIES: Final = 5


class RowLog(ABC):
    """One per worker, or process. A kind of row has `flush` and `prune`."""

    name: ClassVar[str]
    """The thread's."""
    what: ClassVar[str]
    """What waits to be written, for log lines."""
    complaint: ClassVar[str] = ""
    """What an outage's log line begins with, if there is more to say than that."""
    pruning_s: ClassVar[float] = 3600.0

    def __init__(
        self, *, round_s: float, wall_clock: Callable[[], float] = time.time, lane: Lane = WRITING
    ) -> None:
        self._now = wall_clock
        self._lock = threading.Lock()
        self._prune_at = 0.0
        self._poller = Poller(
            self.name,
            self._look,
            complaint=self.complaint or f"{self.what} wait to be written",
            poll_s=round_s,
            lane=lane,
            goodbye=self._write_last,
        )
        self.wake = self._poller.wake
        """Look now; may be called from any thread."""
        self.lost = 0
        """What the database refused for what was in it."""

    @property
    def database_error(self) -> str:
        """Why the database cannot be used now; empty while it can."""
        return self._poller.error

    async def stop(self) -> None:
        """Writes what is at hand, unless the database hangs."""
        await self._poller.stop()

    # From here on: the poller's own thread.

    @abstractmethod
    def flush(self) -> object:
        """Writes all that is due, over this thread's connection. Raises DatabaseError; nothing is lost by it."""

    @abstractmethod
    def prune(self, now: datetime) -> bool:
        """Deletes some of what is too old or too much; True if there may be more of it."""

    def last_flush(self) -> None:
        """At the end of the process."""
        self.flush()

    def keep(self, write: Callable[[], None], number: int) -> None:
        """Writes so many; what the database refuses for what is in it is counted, and not tried again."""
        try:
            write()
        except (DataError, IntegrityError) as error:
            self.lost += number
            LOG.error("%s could not be kept: %s", self.what, explain(error))

    def _look(self) -> None:
        """One round."""
        with self._poller.asking():
            try:
                self.flush()
                self._prune()
            except DatabaseError as error:
                self._wait_for_lock(error)

    def _wait_for_lock(self, error: DatabaseError) -> None:
        """Raises it, unless another writer was only quicker."""
        if "locked" not in str(error):
            raise error
        LOG.debug("%s wait for another write: %s", self.what, error)

    def _prune(self) -> None:
        if (now := self._now()) >= self._prune_at:
            more = self.prune(datetime.fromtimestamp(now, UTC))
            self._prune_at = now if more else now + self.pruning_s

    def _write_last(self) -> None:
        """All workers leave at the same time, and SQLite has one writer."""
        for _ in range(LAST_TRIES - 1):
            try:
                self.last_flush()
            except DatabaseError as error:
                self._wait_for_lock(error)
            else:
                return
        self.last_flush()
