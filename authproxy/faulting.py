"""I: The step of a route that has faults on purpose: some requests wait, some are refused, most go on.

The service never hears of a request that is refused here, and its breaker never counts one. A client that leaves
while it waits is no longer waited for: the server cancels its request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from authproxy import problems
from authproxy.exchange import Exchange
from authproxy.rejections import Rejection
from resilience import faults
from resilience.clock import wall_clock
from resilience.policies import FaultPolicy


class Faulting:
    """One route's."""

    __slots__ = ("_policy", "_roll", "_wall_clock", "aborted", "delayed")

    def __init__(self, policy: FaultPolicy, *, rng: Random, clock: Callable[[], float] = wall_clock) -> None:
        self._policy = policy
        self._roll = rng.random
        self._wall_clock = clock
        self.delayed = 0
        self.aborted = 0

    def step(self, exchange: Exchange) -> Rejection | Awaitable[Rejection | None] | None:
        fault = faults.decide(self._policy, self._wall_clock(), self._roll())
        if fault is None:
            return None
        if fault.delay_s:
            self.delayed += 1
            return self._later(fault)
        return self._end(fault)

    async def _later(self, fault: faults.Fault) -> Rejection | None:
        await asyncio.sleep(fault.delay_s)
        return self._end(fault)

    def _end(self, fault: faults.Fault) -> Rejection | None:
        if not fault.abort:
            return None
        self.aborted += 1
        return problems.injected(fault.abort)
