"""D: A thread of each worker that looks every second what is scheduled, and does it; who comes late finds it done."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from routing.locking import StoreUnavailable
from routing.polling import Poller
from routing.scheduling import LOG, run_due

EVERY_S: Final = 1.0


class ScheduleWatch:
    """One per worker that has a database."""

    def __init__(self, *, every_s: float = EVERY_S, wall_clock: Callable[[], float] = time.time) -> None:
        self._now = wall_clock
        self._poller = Poller(
            "schedule-watch", self._look, complaint="scheduled changes wait", poll_s=every_s
        )

    def start(self) -> None:
        """On the running event loop."""
        self._poller.start()

    async def stop(self) -> None:
        """A step under way is finished, or not begun."""
        await self._poller.stop()

    # From here on: the poller's own thread.

    def _look(self) -> None:
        with self._poller.asking():
            try:
                run_due(datetime.fromtimestamp(self._now(), UTC))
            except StoreUnavailable as error:
                LOG.info("scheduled changes are tried again: %s", error)
