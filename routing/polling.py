"""D: A thread that looks at the database again and again, and that no outage ends.

For each look it borrows a connection with bounded waits; a query that hangs all the same is broken off. News over
PostgreSQL or Redis wakes it earlier; it works without.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Final

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from routing.hearing import Listening, listening
from routing.lanes import WRITING, Lane
from routing.lately import LATELY_S
from routing.locking import explain
from routing.sidelines import STATEMENT_TIMEOUT_S, break_off

LOG = logging.getLogger(__name__)
POLL_S: Final = 0.2
LONGEST_PAUSE_S: Final = 2.0
FIRST_ANSWER_S: Final = 4.0
WATCHDOG_S: Final = 0.5
HUNG_AFTER_S: Final = STATEMENT_TIMEOUT_S + 1.0


class Poller:
    """Calls `look` in its thread, every `poll_s` and when woken; after a failure later and later.

    `look` asks the database within `asking()`, over a connection of `lane`. `complaint` begins what is logged about an
    outage.
    """

    def __init__(
        self,
        name: str,
        look: Callable[[], None],
        *,
        complaint: str,
        poll_s: float = POLL_S,
        goodbye: Callable[[], None] | None = None,
        lane: Lane = WRITING,
        hung_after_s: float | None = None,
    ) -> None:
        self._look = look
        self._complaint = complaint
        self._poll_s = poll_s
        self._goodbye = goodbye
        self._lane = lane
        self._hung_after_s = hung_after_s
        self._wake = threading.Event()
        self._woken_at_s = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._watchdog: asyncio.TimerHandle | None = None
        self._lock = threading.Lock()
        self._sideline: BaseDatabaseWrapper | None = None
        self._busy_since_s: float | None = None
        self._heard: list[Listening] = []
        self.error = ""
        """Why the database cannot be used now; empty while it can."""

    @property
    def stopped(self) -> bool:
        """Whether the thread has been asked to end."""
        return self._stopped.is_set()

    @property
    def has_answered(self) -> bool:
        """Whether a first look is over, well or badly."""
        return self._answered.is_set()

    @property
    def busy_s(self) -> float:
        """For how long the database has been asked something that it has not answered."""
        since_s = self._busy_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def wake(self) -> None:
        """Look now, and at nothing that was asked for earlier; may be called from any thread."""
        self._woken_at_s = time.monotonic()
        self._wake.set()

    def listen(self, channel: str, redis_url: str | None) -> None:
        """Before `start`: be woken over PostgreSQL, if that is the database, and over Redis, if there is one."""
        self._heard = listening(channel, self.wake, redis_url)

    def start(self) -> None:
        """Begins, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._answered = asyncio.Event()
        self._woken_at_s = time.monotonic()
        self._lane.join()
        self._thread.start()
        for each in self._heard:
            each.begin()
        self._watchdog = self._loop.call_later(WATCHDOG_S, self._watch_for_hang)

    async def first_answer(self, within_s: float) -> None:
        """Returns when the database has answered or failed once, or did neither in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._answered.wait()
        except TimeoutError:
            LOG.warning("the database did not answer within %.1f s", within_s)

    async def stop(self) -> None:
        """Ends the threads without waiting for a database that hangs; it need not have begun."""
        self._stopped.set()
        if self._watchdog is None:
            return
        self._watchdog.cancel()
        self._wake.set()
        for each in self._heard:
            each.end()
        await asyncio.to_thread(self._thread.join, 1.0)

    def _watch_for_hang(self) -> None:
        limit_s = HUNG_AFTER_S if self._hung_after_s is None else self._hung_after_s
        with self._lock:
            if self._sideline is not None and self.busy_s > limit_s:
                break_off(self._sideline)
        self._watchdog = self._loop.call_later(WATCHDOG_S, self._watch_for_hang)

    # From here on: the thread.

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Around queries: what takes too long in here is broken off. In any other thread they keep its connection."""
        if self._sideline is not None or threading.current_thread() is not self._thread:
            yield
            return
        self._busy_since_s = now_s = time.monotonic()
        try:
            with self._lane.borrowed(since_s=max(self._woken_at_s, now_s - LATELY_S)) as sideline:
                self._busy_since_s, self._sideline = time.monotonic(), sideline
                try:
                    yield
                finally:
                    with self._lock:
                        self._sideline = None
        finally:
            self._busy_since_s = None

    def _run(self) -> None:
        pause_s = self._poll_s
        while not self.stopped:
            self._wake.clear()
            longer_s = min(max(pause_s, POLL_S) * 2, LONGEST_PAUSE_S)
            pause_s = self._poll_s if self._try_to_look() else longer_s
            self._set_answered()
            self._wake.wait(pause_s)
        self._say_goodbye()
        self._lane.leave()

    def _try_to_look(self) -> bool:
        """Looks once; False if the database failed."""
        try:
            self._look()
        except (DatabaseError, InterfaceError) as error:
            self._note_failure(explain(error))
            return False
        except futures.CancelledError:
            return False  # the event loop ends, and this thread with it
        except Exception as error:
            LOG.exception("the %s failed", self._thread.name.replace("-", " "))
            self._note_failure(f"{type(error).__name__}: {error}")
            return False
        if self.error:
            LOG.warning("the database answers again")
            self.error = ""
        return True

    def _note_failure(self, reason: str) -> None:
        if reason != self.error:
            LOG.warning("%s: %s", self._complaint, reason)
        self.error = reason

    def _set_answered(self) -> None:
        if not self.stopped and not self._answered.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._answered.set)

    def _say_goodbye(self) -> None:
        try:
            if self._goodbye is not None:
                with self.asking():
                    self._goodbye()
        except (DatabaseError, InterfaceError) as error:
            LOG.debug("%s: %s", self._thread.name, error)
