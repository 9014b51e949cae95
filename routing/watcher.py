"""D: Watches for the newest revision from its own thread and hands it to the event loop.

Polling alone is enough (five times a second); PostgreSQL and Redis only wake it earlier. A database that is
down, hangs, or holds nothing never takes away what is being served; at a start without one, the kept revision
is served.
"""

import asyncio
import logging
import time
from typing import Final

import orjson
from django.db import DatabaseError

from routing import node, notify
from routing.lanes import FOLLOWING
from routing.lastgood import LastGood
from routing.lately import answers
from routing.models import Revision
from routing.polling import FIRST_ANSWER_S, POLL_S, Poller
from routing.quiet import collections_paused
from routing.registry import Registry
from routing.revision import NodeState, RevisionRecord

LOG = logging.getLogger(__name__)
OFFER_TIMEOUT_S: Final = 120.0
_NEWEST: Final = tuple(
    f"SELECT {column} FROM routing_revision ORDER BY number DESC LIMIT 1"  # noqa: S608 - names of columns
    for column in ("number", "digest")
)


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
        self._first_answer_s = first_answer_s
        self._poller = Poller(
            "revision-watcher",
            self._look,
            complaint="configuration changes are not seen",
            poll_s=poll_s,
            lane=FOLLOWING,
            goodbye=lambda: node.forget(node.node_name()),
        )
        self.wake = self._poller.wake
        self._seen: tuple[int, str] | None = None
        self._reported: NodeState | None = None
        self._next_report_s = 0.0

    @property
    def database_error(self) -> str:
        """Why the database cannot be used now; empty while it can."""
        return self._poller.error

    def listen(self, *, redis_url: str | None = None) -> None:
        """Before `start`: also be woken over PostgreSQL, if that is the database, and over Redis."""
        self._poller.listen(notify.CHANNEL, redis_url)

    async def start(self) -> None:
        """Starts watching; waits for the database's first answer, but not longer than `first_answer_s`."""
        self._loop = asyncio.get_running_loop()
        self._poller.start()
        await self._poller.first_answer(self._first_answer_s)
        if self._registry.current is None and not self._is_empty:
            await self._serve_kept()

    async def stop(self) -> None:
        """Ends the threads without waiting for a database that hangs."""
        await self._poller.stop()

    @property
    def _is_empty(self) -> bool:
        """Whether the database answered, and holds no revision: then nothing is served, whatever was kept."""
        return self._poller.has_answered and not self.database_error and self._seen is None

    async def _serve_kept(self) -> None:
        record = self._last_good.load() if self._last_good else None
        if record is not None and await self._registry.offer(record):
            LOG.warning("serving the kept revision %d", record.number)

    # From here on: the poller's own thread.

    def _look(self) -> None:
        """Polls, loads and reports once."""
        newer = self._newer_revision()
        if newer is not None and not self._poller.stopped:
            self._hand_over(*newer)
        self._report()

    def _newer_revision(self) -> tuple[int, str, str] | None:
        """Number, digest and document of the newest revision, if it is another than the last one."""
        with self._poller.asking():
            newest = answers(*_NEWEST)
            if newest[0] is None or newest == self._seen:
                return None
            return Revision.objects.values_list("number", "digest", "document").get(number=newest[0])

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
        try:
            with self._poller.asking():
                node.report(node.node_name(), role=self._role, state=state)
            self._reported = state
        except DatabaseError as error:
            if "locked" not in str(error):
                raise
            LOG.debug("this node's report waits for another write: %s", error)
        finally:
            self._next_report_s = now_s + node.HEARTBEAT_S
