"""D: Whether the database answers, and which workers report to it, asked from a thread when somebody wants to know.

At most one question is under way, whoever asks meanwhile waits for the same answer; one that hangs is broken off.
Nothing is asked while nobody wants to know.
"""

import asyncio
from typing import Any, Final

from django.utils import timezone

from observability.components import Seen
from resilience.clock import monotonic
from routing.admin.nodestates import standing
from routing.models import Node, Revision
from routing.polling import Poller

IDLE_S: Final = 30.0
MOST_WORKERS: Final = 500
_COLUMNS: Final = ("name", "role", "revision", "since", "heartbeat", "error")


class DatabaseCheck:
    """One per worker. `workers` is what the last answer said, None before and while there is none."""

    def __init__(self, *, idle_s: float = IDLE_S) -> None:
        self._poller = Poller(
            "health-check", self._look, complaint="detailed health lacks the database", poll_s=idle_s
        )
        self._answer: asyncio.Future[Seen] | None = None
        self._is_wanted = False
        self._is_started = False
        self.workers: list[dict[str, Any]] | None = None

    async def __call__(self) -> Seen:
        """Waits for the database; who waits sets the limit."""
        if self._answer is None or self._answer.done():
            self._loop = asyncio.get_running_loop()
            self._answer = self._loop.create_future()
            self.workers = None
            self._is_wanted = True
            self._wake()
        return await asyncio.shield(self._answer)

    async def stop(self) -> None:
        """Ends the thread without waiting for a database that hangs."""
        if self._is_started:
            await self._poller.stop()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Seen("this worker leaves"))

    def _wake(self) -> None:
        if self._is_started:
            self._poller.wake()
        else:
            self._is_started = True
            self._poller.start()

    def _tell(self, seen: Seen, workers: list[dict[str, Any]] | None) -> None:
        """On the event loop."""
        self.workers = workers
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(seen)

    # From here on: the poller's own thread.

    def _look(self) -> None:
        if not self._is_wanted:
            return
        self._is_wanted = False
        try:
            with self._poller.asking():
                began = monotonic()
                newest = Revision.objects.order_by("-number").values_list("number", flat=True).first()
                seen = Seen(latency_s=monotonic() - began)
                workers = _workers(newest)
        except Exception:
            self._call(Seen("cannot be reached"), None)
            raise
        self._call(seen, workers)

    def _call(self, seen: Seen, workers: list[dict[str, Any]] | None) -> None:
        if not self._poller.stopped:
            self._loop.call_soon_threadsafe(self._tell, seen, workers)


def _workers(newest: int | None) -> list[dict[str, Any]]:
    """Those that report; what is wrong with a revision is for admin to tell."""
    now = timezone.now()
    found = []
    for row in Node.objects.order_by("name").only(*_COLUMNS)[:MOST_WORKERS]:
        silence_s = (now - row.heartbeat).total_seconds()
        state = standing(revision=row.revision, newest=newest, error=row.error, silence_s=silence_s)
        found.append(
            {
                "name": row.name,
                "role": row.role,
                "revision": row.revision,
                "since": row.since.strftime("%Y-%m-%dT%H:%M:%SZ") if row.since else None,
                "state": state.value,
                "reported_s_ago": round(max(silence_s, 0.0), 1),
            }
        )
    return found
