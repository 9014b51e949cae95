"""D: Watches for the newest revision from its own thread and hands it to the event loop.

Polling alone is enough (five times a second); PostgreSQL and Redis only wake it earlier. A database that is
down, hangs, or holds nothing never takes away what is being served; at a start without one, the kept revision
is served.
"""

import asyncio
import logging
import threading
import time
from concurrent import futures
from typing import Final

import orjson
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from routing import node
from routing.lastgood import LastGood
from routing.locking import explain
from routing.models import Revision
from routing.notify import Ear, hear_postgres, hear_redis
from routing.quiet import collections_paused
from routing.registry import Registry
from routing.revision import NodeState, RevisionRecord
from routing.sidelines import STATEMENT_TIMEOUT_S, break_off, close, file_identity, open_sideline

LOG = logging.getLogger(__name__)
POLL_S: Final = 0.2
LONGEST_PAUSE_S: Final = 2.0
FIRST_ANSWER_S: Final = 4.0
WATCHDOG_S: Final = 0.5
HUNG_AFTER_S: Final = STATEMENT_TIMEOUT_S + 1.0
OFFER_TIMEOUT_S: Final = 120.0


class RevisionWatcher:
    """One per worker. `start` returns once there is something to serve, or nothing to wait for."""

    def __init__(
        self,
        registry: Registry,
        *,
        last_good: LastGood | None = None,
        role: str = "all",
        poll_s: float = POLL_S,
        first_answer_s: float = FIRST_ANSWER_S,
    ) -> None:
        self._registry = registry
        self._last_good = last_good
        self._role = role
        self._ears: list[Ear] = []
        self._poll_s = poll_s
        self._first_answer_s = first_answer_s
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="revision-watcher", daemon=True)
        self._sideline: BaseDatabaseWrapper | None = None
        self._file: tuple[int, int] | None = None
        self._busy_since_s: float | None = None
        self._seen: tuple[int, str] | None = None
        self._reported: NodeState | None = None
        self._next_report_s = 0.0
        self.database_error = ""

    def wake(self) -> None:
        """Look now; may be called from any thread."""
        self._wake.set()

    def listen(self, *, redis_url: str | None = None) -> None:
        """Before `start`: also be woken over PostgreSQL, if that is the database, and over Redis."""
        if connection.vendor == "postgresql":
            self._ears.append(Ear(hear_postgres, self.wake))
        if redis_url is not None:
            self._ears.append(Ear(hear_redis(redis_url), self.wake))

    async def start(self) -> None:
        """Starts watching; waits for the database's first answer, but not longer than `first_answer_s`."""
        self._loop = asyncio.get_running_loop()
        self._answered = asyncio.Event()
        self._thread.start()
        for ear in self._ears:
            ear.start()
        self._watchdog = self._loop.call_later(WATCHDOG_S, self._watch_for_hang)
        try:
            async with asyncio.timeout(self._first_answer_s):
                await self._answered.wait()
        except TimeoutError:
            LOG.warning("the database did not answer within %.1f s", self._first_answer_s)
        if self._registry.current is None and not self._is_empty:
            await self._serve_kept()

    @property
    def _is_empty(self) -> bool:
        """Whether the database answered, and holds no revision: then nothing is served, whatever was kept."""
        return self._answered.is_set() and not self.database_error and self._seen is None

    async def stop(self) -> None:
        """Ends the threads without waiting for a database that hangs."""
        self._watchdog.cancel()
        self._stopped.set()
        self._wake.set()
        for ear in self._ears:
            ear.stop()
        await asyncio.to_thread(self._thread.join, 1.0)

    async def _serve_kept(self) -> None:
        record = self._last_good.load() if self._last_good else None
        if record is not None and await self._registry.offer(record):
            LOG.warning("serving the kept revision %d", record.number)

    def _watch_for_hang(self) -> None:
        since_s, sideline = self._busy_since_s, self._sideline
        if since_s is not None and sideline is not None and time.monotonic() - since_s > HUNG_AFTER_S:
            break_off(sideline)
        self._watchdog = self._loop.call_later(WATCHDOG_S, self._watch_for_hang)

    # From here on: the watcher's own thread.

    def _run(self) -> None:
        self._sideline = open_sideline()
        pause_s = self._poll_s
        while not self._stopped.is_set():
            self._wake.clear()
            if self._look():
                pause_s = self._poll_s
            else:
                close(self._sideline)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._set_answered()
            self._wake.wait(pause_s)
        self._say_goodbye()

    def _look(self) -> bool:
        """Polls, loads and reports once; False if the database failed."""
        try:
            self._leave_replaced_file()
            newer = self._newer_revision()
            if newer is not None and not self._stopped.is_set():
                self._hand_over(*newer)
            self._report()
        except (DatabaseError, InterfaceError) as error:
            self._note_failure(explain(error))
            return False
        except futures.CancelledError:
            return False  # the event loop ends, and this thread with it
        except Exception as error:
            LOG.exception("the revision watcher failed")
            self._note_failure(f"{type(error).__name__}: {error}")
            return False
        if self.database_error:
            LOG.warning("the database answers again")
            self.database_error = ""
        return True

    def _leave_replaced_file(self) -> None:
        """An open SQLite connection stays with the old file when a backup takes the file's place."""
        assert self._sideline is not None
        file = file_identity(self._sideline)
        if file != self._file:
            close(self._sideline)
            self._file = file

    def _newer_revision(self) -> tuple[int, str, str] | None:
        """Number, digest and document of the newest revision, if it is another than the last one."""
        self._busy_since_s = time.monotonic()
        try:
            newest = Revision.objects.order_by("-number").values_list("number", "digest").first()
            if newest is None or newest == self._seen:
                return None
            return Revision.objects.values_list("number", "digest", "document").get(number=newest[0])
        finally:
            self._busy_since_s = None

    def _hand_over(self, number: int, digest: str, text: str) -> None:
        with collections_paused():
            record = RevisionRecord(number=number, digest=digest, document=orjson.loads(text))
            offered = asyncio.run_coroutine_threadsafe(self._registry.offer(record), self._loop)
            good = offered.result(OFFER_TIMEOUT_S)
        self._seen = (number, digest)
        if good and self._last_good is not None:
            try:
                self._last_good.save(record)
            except OSError as error:
                LOG.warning("revision %d is served but could not be kept: %s", record.number, error)

    def _report(self) -> None:
        state, now_s = self._registry.state(), time.monotonic()
        if state == self._reported and now_s < self._next_report_s:
            return
        self._busy_since_s = now_s
        try:
            node.report(node.node_name(), role=self._role, state=state)
            self._reported = state
        except DatabaseError as error:
            if "locked" not in str(error):
                raise
            LOG.debug("this node's report waits for another write: %s", error)
        finally:
            self._busy_since_s = None
            self._next_report_s = now_s + node.HEARTBEAT_S

    def _note_failure(self, reason: str) -> None:
        if reason != self.database_error:
            LOG.warning("configuration changes are not seen: %s", reason)
        self.database_error = reason

    def _set_answered(self) -> None:
        if not self._stopped.is_set() and not self._answered.is_set():
            self._loop.call_soon_threadsafe(self._answered.set)

    def _say_goodbye(self) -> None:
        assert self._sideline is not None
        try:
            node.forget(node.node_name())
        except (DatabaseError, InterfaceError) as error:
            LOG.debug("this node's row stays until it is pruned: %s", error)
        close(self._sideline)
