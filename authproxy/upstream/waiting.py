"""I: The queue before a pool: bounded, first in, first out, and nobody stands in it for longer than they want to.

Whoever's turn comes is handed a connection, or None: a free slot to open one. Timeouts are enforced by the sweeper.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from authproxy.upstream.connection import NEVER
from authproxy.upstream.errors import NOTHING_SENT, DeadlineExceeded, with_progress

if TYPE_CHECKING:
    from authproxy.upstream.connection import Connection


@dataclass(slots=True)
class Patience:
    """How long opening or waiting for a connection may take, and the loop time at which the request has to be over."""

    connect_s: float = NEVER
    pool_s: float = NEVER
    deadline: float = NEVER
    connecting_s: float | None = None
    """What opening one took; None: none was opened."""


class Waiter:
    """One request in the queue."""

    __slots__ = ("deadline", "expires", "fresh", "turn")

    def __init__(
        self, turn: "asyncio.Future[Connection | None]", *, fresh: bool, expires: float, deadline: float
    ) -> None:
        self.turn = turn
        self.fresh = fresh
        """It wants a connection that has not been used before."""
        self.expires = expires
        self.deadline = deadline


class WaitingLine:
    """See the module docstring."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    def join(self, loop: asyncio.AbstractEventLoop, patience: Patience, *, fresh: bool) -> Waiter:
        """Queue up at the end. Raises PoolTimeout if the queue is full."""
        if len(self._waiters) >= self._max_waiting:
            raise with_progress(httpx.PoolTimeout("too many requests wait for a connection"), NOTHING_SENT)
        waiter = Waiter(
            loop.create_future(),
            fresh=fresh,
            expires=loop.time() + patience.pool_s,
            deadline=patience.deadline,
        )
        self._waiters.append(waiter)
        return waiter

    def next(self) -> Waiter | None:
        """Whoever waits longest, and leaves the queue now. Those who have gone are passed over."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.turn.done():
                return waiter
        return None

    def leave(self, waiter: Waiter) -> None:
        """Somebody has gone before their turn came."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def expire(self, now: float) -> None:
        """Refuse those whose time has run out."""
        for waiter in list(self._waiters):
            if now >= waiter.deadline:
                self._refuse(waiter, DeadlineExceeded("no connection came free by the request's deadline"))
            elif now >= waiter.expires:
                self._refuse(waiter, httpx.PoolTimeout("no connection came free in time"))

    def dismiss(self, reason: Callable[[], httpx.TransportError]) -> None:
        """Refuse all."""
        for waiter in list(self._waiters):
            self._refuse(waiter, reason())

    def _refuse(self, waiter: Waiter, failure: httpx.TransportError) -> None:
        self._waiters.remove(waiter)
        if not waiter.turn.done():
            waiter.turn.set_exception(with_progress(failure, NOTHING_SENT))
