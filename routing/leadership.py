"""D: A lease in the database: a row that its holder renews. For installations without Redis.

A thread asks, so that no request waits for the database; the database's clock decides.
"""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Q
from django.db.models.functions import Now

from resilience.models import LeaderLease
from routing.polling import Poller

_IDLE_S: Final = 60.0
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


class _Question(NamedTuple):
    """Who wants the lease, and for how long; None: who gives it back."""

    holder: str
    ttl_s: float | None
    answer: "asyncio.Future[bool | None]"


class DatabaseLease:
    """`name` is what is led. One per worker and name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: list[_Question] = []
        self._poller = Poller(
            f"lease-{name}", self._look, complaint=f"nobody can say who leads {name}", poll_s=_IDLE_S
        )

    def start(self) -> None:
        """On the running event loop, before the first question."""
        self._loop = asyncio.get_running_loop()
        self._poller.start()

    async def stop(self) -> None:
        """Answers nobody any more."""
        await self._poller.stop()

    async def take(self, holder: str, ttl_s: float) -> bool | None:
        """Takes or renews it; None: the database did not answer. It may take longer than callers wait."""
        return await self._ask(holder, ttl_s)

    async def release(self, holder: str) -> None:
        """Gives it back."""
        await self._ask(holder, None)

    async def _ask(self, holder: str, ttl_s: float | None) -> bool | None:
        question = _Question(holder, ttl_s, self._loop.create_future())
        with self._lock:
            self._waiting = [each for each in self._waiting if not each.answer.done()]
            self._waiting.append(question)
        self._poller.wake()
        return await question.answer

    # From here on: the poller's own thread.

    def _look(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        found: list[bool | None] = [None] * len(waiting)
        try:
            with self._poller.asking():
                for place, question in enumerate(waiting):
                    found[place] = hold(self._name, question.holder, question.ttl_s)
        finally:
            for question, held in zip(waiting, found, strict=True):
                if not self._poller.stopped:
                    self._loop.call_soon_threadsafe(_tell, question.answer, held)


def _tell(answer: "asyncio.Future[bool | None]", held: bool | None) -> None:
    if not answer.done():  # who no longer waits has cancelled it
        answer.set_result(held)


def hold(name: str, holder: str, ttl_s: float | None) -> bool:
    """From whichever thread: takes, renews or (None) gives back; whether it is held now.

    One statement decides, so that of several who ask at the same time one gets it.
    """
    rows = LeaderLease.objects.filter(name=name)
    if ttl_s is None:
        return bool(rows.filter(holder=holder).update(until=_LONG_AGO))
    until: Any = Now() + timedelta(seconds=ttl_s)
    mine_or_over = rows.filter(Q(holder=holder) | Q(until__lte=Now()))
    if mine_or_over.update(holder=holder, until=until):
        return True
    LeaderLease.objects.bulk_create(
        [LeaderLease(name=name, holder=holder, until=_LONG_AGO)], ignore_conflicts=True
    )
    return bool(mine_or_over.update(holder=holder, until=until))
