"""I: Limits that all workers and replicas share, counted by one Redis, exact, whatever worker a request comes to.

All who ask in one turn of the event loop, and all who ask while a call is under way, go in one call of one script.
The server's clock decides, so that clocks of machines need not agree. Every bucket has a lease: Redis forgets it when
it says no more than none.

All buckets share one hash tag, hence one slot of a Cluster. That is the price of taking a request's charges in one
step and many requests in one call: limits do not spread over a Cluster's nodes, and one of them counts for all
(several 100,000 requests a second). Installations that share a Cluster spread by prefixes of their own.

While Redis is away each quota says what happens: `local`, `allow` or `deny`.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resilience.limiter import Meters
from resilience.stores.base import Charge, Verdict, undecided, verdict
from resilience.stores.batch import PREFIX, Batch, Charges, verdicts
from resilience.stores.connection import Away, RedisLink, Script
from resilience.stores.memory import MemoryStore

SCRIPT: Final = Script.of(Path(__file__).with_name("limits.lua").read_text())
MOST_WAITING: Final = 10_000
MOST_TOGETHER: Final = 256
Waiting = tuple[Charges, "asyncio.Future[Verdict]"]


@dataclass(slots=True)
class Tally:
    """Since the start, in requests where nothing else is said."""

    calls: int = 0
    """Of the script."""
    decided: int = 0
    degraded: int = 0
    """Decided without Redis, the dropped ones among them."""
    dropped: int = 0
    """Too many were waiting."""
    garbled: int = 0
    """Calls whose answer was of another shape."""


class RedisStore:
    """One per worker, on its event loop. The link is started and stopped by whoever made it."""

    def __init__(
        self, link: RedisLink, *, local: MemoryStore | None = None, prefix: str = PREFIX,
        most_waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        self._link = link
        self._local = MemoryStore() if local is None else local
        self._prefix = prefix
        self._most_waiting = most_waiting
        self._meters = Meters()
        self._waiting: list[Waiting] = []
        self._calling: asyncio.Task[None] | None = None
        self.tally = Tally()

    def take(self, charges: Sequence[Charge]) -> Verdict | Awaitable[Verdict]:
        """A verdict at once while Redis is away; else a future of one, within the link's time limit."""
        if not self._link.is_up:
            return self._without(charges)
        if len(self._waiting) >= self._most_waiting:
            self.tally.dropped += 1
            return self._without(charges)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Verdict] = loop.create_future()
        self._waiting.append((charges, answer))
        if self._calling is None:
            self._calling = loop.create_task(self._call())
        return answer

    async def _call(self) -> None:
        """Calls as long as somebody waits. It begins when those of this turn have asked."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                try:
                    found = await self._ask([charges for charges, _ in batch])
                except BaseException:
                    self._give_up(batch)
                    raise
                if found is None:
                    self._give_up(batch)
                else:
                    _tell(batch, found)
        finally:
            self._calling = None

    async def _ask(self, requests: list[Charges]) -> list[Verdict] | None:
        """None: Redis did not decide."""
        batch = Batch(self._meters, prefix=self._prefix)
        for charges in requests:
            batch.add(charges)
        self.tally.calls += 1
        answer = await self._link.run(SCRIPT, batch.keys(), batch.arguments())
        if isinstance(answer, Away):
            return None
        try:
            found = verdicts(requests, answer)
        except (TypeError, ValueError):
            self.tally.garbled += 1
            return None
        self.tally.decided += len(requests)
        return found

    async def stop(self) -> None:
        """Whoever waits is answered without Redis."""
        if self._calling is not None:
            self._calling.cancel()
            await asyncio.gather(self._calling, return_exceptions=True)
            self._calling = None
        self._give_up([])  # a task that is cancelled before its first step answers nobody

    def _give_up(self, batch: list[Waiting]) -> None:
        """Those who came meanwhile have waited as well: nobody waits for a second call."""
        waiting, self._waiting = [*batch, *self._waiting], []
        _tell(waiting, [self._without(charges) for charges, _ in waiting])

    def _without(self, charges: Charges) -> Verdict:
        """As each quota wants it; the worker's own memory decides those that are `local`, together."""
        self.tally.degraded += 1
        own = [charge for charge in charges if charge.policy.on_store_failure == "local"]
        if len(own) == len(charges):
            allowed, decisions, _ = self._local.take(charges)
            return verdict((allowed, decisions, True))
        denied = any(policy.on_store_failure == "deny" and policy.is_enforced for policy, _ in charges)
        local = verdict((False, self._local.look(own), True)) if denied else self._local.take(own)
        decided = iter(local.decisions)
        found = [
            next(decided) if policy.on_store_failure == "local" else undecided(policy)
            for policy, _ in charges
        ]
        return verdict((local.allowed, tuple(found), True))


def _tell(batch: Sequence[Waiting], found: Sequence[Verdict]) -> None:
    for (_, answer), each in zip(batch, found, strict=True):
        if not answer.done():  # who no longer waits has cancelled it
            answer.set_result(each)
