"""I: One sweep per event loop looks at every connection's deadlines; no timer per request.

`UploadMeter` and `WriteMeter` are pure: they are told how much time has passed.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

_TURN = 250  # members swept in a row: half a millisecond


class Swept(Protocol):
    def on_sweep(self, now_s: float, elapsed_s: float) -> None: ...


class Sweeper:
    """Calls `on_sweep` on every member once per period; `now_s` is the loop's time at the last sweep.

    Members read `now_s` instead of the clock, so what they measure is exact to one period. Without members
    there is no timer. A sweep pauses after every few hundred members: ten thousand in a row would hold up
    everybody's requests for twenty milliseconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, period_s: float) -> None:
        self.now_s = loop.time()
        self.period_s = period_s
        self._loop = loop
        self._members: set[Swept] = set()
        self._waiting: list[Swept] = []  # for their turn in the present sweep
        self._elapsed_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Swept) -> None:
        if self._timer is None:
            self.now_s = self._loop.time()
            self._timer = self._loop.call_later(self.period_s, self._sweep)
        self._members.add(member)

    def discard(self, member: Swept) -> None:
        self._members.discard(member)

    def _sweep(self) -> None:
        # Set first, so that no member's failure ends the sweeping.
        self._timer = self._loop.call_later(self.period_s, self._sweep) if self._members else None
        if not self._waiting:  # else the loop is so busy that the last sweep goes on
            before_s, self.now_s = self.now_s, self._loop.time()
            self._elapsed_s = self.now_s - before_s
            self._waiting = list(self._members)
            self._sweep_some()

    def _sweep_some(self) -> None:
        waiting, members = self._waiting, self._members
        turn, self._waiting = waiting[-_TURN:], waiting[:-_TURN]
        if self._waiting:
            self._loop.call_soon(self._sweep_some)
        for member in turn:
            if member in members:  # it may have left since the sweep began
                member.on_sweep(self.now_s, self._elapsed_s)


class UploadMeter:
    """Whether a client sends its body fast enough.

    A bucket of bytes drains at the minimum rate while we are reading and is filled by what arrives. It starts with
    the grace period's worth, and holds `patience_s` of it at most: no burst buys a later drip more than that.
    """

    __slots__ = ("_cap", "_credit", "_idle_s", "_patience_s", "_rate", "arrived")

    def __init__(self, rate_bytes_per_s: float, *, grace_s: float, patience_s: float) -> None:
        self.arrived = 0
        self._rate = rate_bytes_per_s
        self._credit = rate_bytes_per_s * min(grace_s, patience_s)
        self._cap = rate_bytes_per_s * patience_s
        self._patience_s = patience_s
        self._idle_s = 0.0

    def too_slow(self, elapsed_s: float) -> bool:
        """Accounts for `elapsed_s` seconds in which `arrived` bytes came, and begins anew."""
        self._idle_s = 0.0 if self.arrived else self._idle_s + elapsed_s
        self._credit = min(self._cap, self._credit + self.arrived) - self._rate * elapsed_s
        self.arrived = 0
        return self._credit < 0 or self._idle_s > self._patience_s


class WriteMeter:
    """Whether a client still reads: over each `patience_s` it must take the minimum rate's worth, and some at least."""

    __slots__ = ("_left", "_patience_s", "_rate", "_waited_s")

    def __init__(self, rate_bytes_per_s: float, *, patience_s: float, buffered: int) -> None:
        self._rate = rate_bytes_per_s
        self._patience_s = patience_s
        self._waited_s = 0.0
        self._left = buffered

    def stalled(self, elapsed_s: float, buffered: int) -> bool:
        self._waited_s += elapsed_s
        if self._waited_s <= self._patience_s:
            return False
        taken = self._left - buffered
        slow = taken <= 0 or taken < min(self._rate * self._waited_s, self._left)
        self._waited_s, self._left = 0.0, buffered
        return slow
