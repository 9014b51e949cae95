"""I: Places for those who read an answer at their own pace, and who must not keep others waiting."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

MOST: Final = 4
FAIR_S: Final = 5.0
"""How long a reader may read for certain."""
LONGEST_S: Final = 60.0


class Place:
    """One reader's. What counts is how long it reads, and not how long it waits for what there is to read."""

    def __init__(self, allowed_s: float) -> None:
        self._allowed_s = allowed_s
        self._read_s = 0.0
        self._began_s = 0.0
        self._patience: asyncio.Timeout | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Around each time that something is given to the reader. TimeoutError: it must leave."""
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        try:
            async with asyncio.timeout_at(self._deadline_s) as self._patience:
                yield
        finally:
            self._patience = None
            self._read_s += loop.time() - self._began_s

    def allow(self, seconds: float) -> None:
        """From now on so many, those that it has read included."""
        self._allowed_s = seconds
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(self._deadline_s)

    @property
    def _deadline_s(self) -> float:
        return self._began_s + self._allowed_s - self._read_s


class Places:
    """At most `most` at a time. For each who waits one reader must leave after `fair_s`, who came first first."""

    def __init__(self, *, most: int = MOST, fair_s: float = FAIR_S, longest_s: float = LONGEST_S) -> None:
        self._free = asyncio.Semaphore(most)
        self._fair_s = fair_s
        self._longest_s = longest_s
        self._waiting = 0
        self._hurried = 0
        self._unhurried: deque[Place] = deque()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Place]:
        """Within it one has a place."""
        self._waiting += 1
        self._hurry()
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        place = Place(self._longest_s)
        self._unhurried.append(place)
        self._hurry()
        try:
            yield place
        finally:
            self._leave(place)

    def _hurry(self) -> None:
        while self._free.locked() and self._unhurried and self._hurried < self._waiting:
            self._unhurried.popleft().allow(self._fair_s)
            self._hurried += 1

    def _leave(self, place: Place) -> None:
        if place in self._unhurried:
            self._unhurried.remove(place)
        else:
            self._hurried -= 1
        self._free.release()
