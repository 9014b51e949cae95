"""I: One of all workers and replicas leads: does what should be done once. It moves when whoever holds it dies.

A lease says who: in Redis (`stores/leases.py`), in the database, or in no store at all, where everybody is alone. It
is renewed three times in its life. Whoever cannot renew it stops leading before it ends for the others: its own clock
counts from before the lease was asked for. A store that fails over may give a lease twice for a moment, so what a
leader does must bear to be done twice.
"""

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from resilience.clock import monotonic

LOG = logging.getLogger(__name__)
TTL_S: Final = 6.0
RENEWALS: Final = 3


class Lease(Protocol):
    """What one worker at a time holds."""

    async def take(self, holder: str, ttl_s: float) -> bool | None:
        """Takes or renews it; False: somebody else holds it; None: there is nobody to ask."""

    async def release(self, holder: str) -> None:
        """Gives it back, if `holder` has it."""


class Alone:
    """The lease where there is no store: everybody holds one."""

    async def take(self, holder: str, ttl_s: float) -> bool | None:
        """Always."""
        return True

    async def release(self, holder: str) -> None:
        """Nothing to do."""


class Leader:
    """One worker's claim to lead; `holder` is a name that no other worker has, now or after a restart.

    `leads_alone`: while the lease's store is away everybody leads; else nobody does.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        holder: str,
        rng: Random,
        ttl_s: float = TTL_S,
        leads_alone: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._lease = lease
        self._holder = holder
        self._rng = rng
        self._ttl_s = ttl_s
        self._leads_alone = leads_alone
        self._clock = clock
        self._until = 0.0
        self._is_alone = False
        self._was_leading = False
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[bool], None]] = []

    @property
    def leads(self) -> bool:
        """Now. Ask again whenever it matters: it ends by itself."""
        return self._is_alone or self._clock() < self._until

    def on_change(self, listener: Callable[[bool], None]) -> None:
        """`listener` hears when this worker begins or ceases to lead, on the event loop; at most a renewal late."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Asks for the lease once, and goes on asking."""
        await self._ask()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Leads no more; another may at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._until, self._is_alone = 0.0, False
        self._tell()
        try:
            async with asyncio.timeout(self._ttl_s / RENEWALS):
                await self._lease.release(self._holder)
        except Exception as error:
            LOG.info("a lease was not given back: %s", error)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._ttl_s / RENEWALS * self._rng.uniform(0.8, 1.0))
            await self._ask()

    async def _ask(self) -> None:
        began = self._clock()
        held: bool | None = None
        try:
            async with asyncio.timeout(self._ttl_s / RENEWALS):
                held = await self._lease.take(self._holder, self._ttl_s)
        except Exception as error:
            LOG.info("nobody says who leads: %s", error)
        self._is_alone = held is None and self._leads_alone
        if held:
            self._until = began + self._ttl_s
        elif held is False:
            self._until = 0.0
        self._tell()

    def _tell(self) -> None:
        leads = self.leads
        if leads is not self._was_leading:
            self._was_leading = leads
            for listener in self._listeners:
                listener(leads)
