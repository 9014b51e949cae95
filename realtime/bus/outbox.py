"""D: The outbox: events for a hub that is away, in the database, so that a 202 outlives this process and this machine.

A thread writes them, many in one transaction; who publishes waits for the commit, no longer than `PUT_S`. One worker of
the installation sends them on, in their order, when the hub is back: the one that holds the lease.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.db import DatabaseError

from realtime.bus import kept
from realtime.bus.adapter import HubAway, HubRefused, Message
from realtime.bus.link import BusLink
from routing.lanes import Lane
from routing.leadership import DatabaseLease
from routing.polling import Poller

LOG: Final = logging.getLogger("torana.bus")
LEASE: Final = "bus-outbox"
LEASE_S: Final = 15.0
ROUND_S: Final = 1.0
PUT_S: Final = 2.0
MOST_WAITING: Final = 500
AT_A_TIME: Final = 100
_IDLE_S: Final = 5.0
"""How old `waiting` may be."""


@dataclass(slots=True)
class Counts:
    """Since the start."""

    kept: int = 0
    refused: int = 0
    """There was no room, or the database did not answer in time."""
    sent: int = 0
    dead: int = 0


class DatabaseOutbox:
    """One per worker. `start` on the event loop, before the first event."""

    def __init__(self, *, holder: str, round_s: float = ROUND_S) -> None:
        self.counts = Counts()
        self.waiting: int | None = None
        """Events in the outbox, of all workers; None: nobody knows yet."""
        self._holder = holder
        self._round_s = round_s
        self._lock = threading.Lock()
        self._puts: deque[tuple[Message, asyncio.Future[bool]]] = deque()
        self._asks: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._poller = Poller(
            "bus-outbox",
            self._look,
            complaint="the outbox cannot be written",
            poll_s=_IDLE_S,
            lane=Lane("outbox", 1),  # requests wait for it
        )
        self._lease = DatabaseLease(LEASE)
        self._task: asyncio.Task[None] | None = None

    def start(self, link: BusLink) -> None:
        """Begins to take events in, and to send them on over this link."""
        self._loop = asyncio.get_running_loop()
        self._poller.start()
        self._lease.start()
        self._task = self._loop.create_task(self._send_on(link))

    async def stop(self) -> None:
        """What waits stays in the database."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._lease.release(self._holder)
        await self._lease.stop()
        await self._poller.stop()

    async def put(self, message: Message) -> bool:
        """True once it is committed."""
        if len(self._puts) >= MOST_WAITING:
            self.counts.refused += 1
            return False
        future: asyncio.Future[bool] = self._loop.create_future()
        with self._lock:
            self._puts.append((message, future))
        self._poller.wake()
        is_kept = False
        with suppress(TimeoutError):
            async with asyncio.timeout(PUT_S):
                is_kept = await future
        self.counts.kept += is_kept
        self.counts.refused += not is_kept
        return is_kept

    async def ask(self, question: Callable[[], Any]) -> Any:
        """What `question` returns, asked in the outbox's own thread; None: the database did not answer."""
        future: asyncio.Future[Any] = self._loop.create_future()
        with self._lock:
            self._asks.append((question, future))
        self._poller.wake()
        return await future

    async def bury(self, message: Message, reason: str, direction: str, key: int | None = None) -> bool:
        """A dead letter; True once it is kept."""
        is_kept = await self.ask(partial(_buried, message, reason, direction, key))
        self.counts.dead += bool(is_kept)
        return bool(is_kept)

    async def _send_on(self, link: BusLink) -> None:
        while True:
            await link.up.wait()
            more = False
            if await self._lease.take(self._holder, LEASE_S):
                more = await self._send_some(link)
            if not more:
                await asyncio.sleep(self._round_s)

    async def _send_some(self, link: BusLink) -> bool:
        """In order, up to the first that is not confirmed; True if there may be more to send at once."""
        batch = await self.ask(lambda: kept.first(AT_A_TIME)) or []
        done: list[int] = []
        for key, message in batch:
            try:
                await link.send(message)
            except HubAway:
                break
            except HubRefused as refused:
                await self.bury(message, str(refused), "out", key)
                continue
            done.append(key)
        if done:
            self.counts.sent += len(done)
            await self.ask(lambda: kept.sent(done))
        return bool(batch) and len(done) == len(batch)

    # From here on: the poller's own thread.

    def _look(self) -> None:
        with self._lock:
            puts, asks = list(self._puts), list(self._asks)
            self._puts.clear()
            self._asks.clear()
        waiting = [each for each in puts if not each[1].done()]
        failure: DatabaseError | None = None
        with self._poller.asking():
            try:
                number = kept.put([message for message, _ in waiting]) if waiting else 0
            except DatabaseError as error:
                failure, number = error, 0
            for place, (_, future) in enumerate(waiting):
                self._tell(future, place < number)
            for question, future in asks:
                answer = None
                try:
                    answer = question() if failure is None else None
                except DatabaseError as error:
                    failure = error
                self._tell(future, answer)
            if failure is None:
                self.waiting = kept.held()[0]
        if failure is not None and "locked" not in str(failure):
            raise failure

    def _tell(self, future: "asyncio.Future[Any]", answer: Any) -> None:
        if not self._poller.stopped:
            self._loop.call_soon_threadsafe(_set, future, answer)


def _buried(message: Message, reason: str, direction: str, key: int | None) -> bool:
    kept.bury(message, reason, direction, key=key)
    return True


def _set(future: "asyncio.Future[Any]", answer: Any) -> None:
    if not future.done():
        future.set_result(answer)
