"""I: Coalescing: of requests that miss the same answer at a time, one goes to the service, the others wait for it.

leader ──▶ service ──▶ STORED   ──▶ the others are served from the cache
                   └─▶ UNSHARED ──▶ the others go on their own, all at once: the answer was not for them, or failed
leader gone ─────────▶ ABANDONED ─▶ one of the others leads
"""

import asyncio
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Final

MOST: Final = 10_000
PATIENCE_S: Final = 10.0
"""How long the others wait at all: an answer may be one that comes when there is news."""
BODY_S: Final = 5.0
"""How long the others wait for the rest of an answer that has begun."""


class Landing(Enum):
    """How a flight ended."""

    STORED = "stored"
    UNSHARED = "unshared"
    ABANDONED = "abandoned"


class Flight:
    """One request that others wait for."""

    __slots__ = ("_followers", "_hurry", "_landed", "_name", "_rushed", "_table")

    def __init__(self, table: "Flights", name: Hashable) -> None:
        self._table = table
        self._name = name
        self._landed: asyncio.Future[Landing] | None = None
        self._followers = 0
        self._hurry: Callable[[], None] | None = None
        self._rushed = False

    @property
    def has_begun(self) -> bool:
        """Its answer is being stored: whoever does that says how it ends."""
        return self._hurry is not None

    def begun(self, hurry: Callable[[], None]) -> None:
        """The answer is there, and its body is being stored. `hurry` has the rest of it read, whatever the pace of the
        leader's client is."""
        self._hurry = hurry
        if self._followers:
            self._rush()

    def land(self, landing: Landing) -> None:
        """Once is enough; later words do not count."""
        if self._table.forget(self._name, self) and self._landed is not None and not self._landed.done():
            self._landed.set_result(landing)

    async def wait(self) -> Landing:
        """How it ended."""
        if self._landed is None:
            loop = asyncio.get_running_loop()
            self._landed = loop.create_future()
            loop.call_later(PATIENCE_S, self.land, Landing.UNSHARED)
        self._followers += 1
        self._rush()
        try:
            return await asyncio.shield(self._landed)
        finally:
            self._followers -= 1

    def _rush(self) -> None:
        if self._hurry is None or self._rushed:
            return
        self._rushed = True
        self._hurry()
        asyncio.get_running_loop().call_later(BODY_S, self.land, Landing.UNSHARED)


class Flights:
    """One worker's."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, Flight] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def join(self, name: Hashable) -> tuple[Flight | None, bool]:
        """The flight to wait for, or one to lead (True). None: there are too many; go alone."""
        flight = self._under_way.get(name)
        if flight is not None:
            return flight, False
        if len(self._under_way) >= MOST:
            return None, False
        self._under_way[name] = flight = Flight(self, name)
        return flight, True

    def forget(self, name: Hashable, flight: Flight) -> bool:
        """Whether it was still under way."""
        if self._under_way.get(name) is not flight:
            return False
        del self._under_way[name]
        return True
