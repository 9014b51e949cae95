"""I: The connections to one target: idle ones taken last in, first out, a bound, and a queue when all are busy.

A slot is a connection that is open or being opened; there are `max_connections`. Whoever finds none waits in a bounded
first-in, first-out queue and is handed a connection, or a free slot, directly: nobody can overtake. Therefore while
somebody waits, nothing is idle.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from authproxy.upstream.base import PoolStats
from authproxy.upstream.connection import NEVER, Connection
from authproxy.upstream.dialling import Dialler
from authproxy.upstream.errors import NOTHING_SENT, DeadlineExceeded, with_progress
from authproxy.upstream.idle import IdleLimit
from authproxy.upstream.resolver import Address, Addresses
from authproxy.upstream.waiting import Patience, Waiter, WaitingLine
from resilience.clock import monotonic

_PROBE_AFTER_S: Final = 0.002
"""The loop has surely polled a connection that was idle for less; asking the kernel costs 1 µs."""

_CLOSED: Final = "the transport was closed"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    max_connections: int = 512
    max_idle: int = 512
    max_waiting: int = 1024
    max_age_s: float | None = None
    idle_s: float = 4.0


class Pool:
    """See the module docstring. All methods belong to the event loop's thread."""

    def __init__(self, dialler: Dialler, limits: PoolLimits, wake_sweeper: Callable[[], None]) -> None:
        self._dialler = dialler
        self._limits = limits
        self._wake_sweeper = wake_sweeper
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        self._connecting = 0
        self._waiting = WaitingLine(limits.max_waiting)
        self._idle_limit = IdleLimit(limits.idle_s)
        self._addresses: Addresses | None = None
        self.retired = False
        """Nothing is kept for later any more."""
        self._aborted = False

    def __repr__(self) -> str:
        return f"<Pool of {self._dialler.origin}: {self.stats()}>"

    def stats(self) -> PoolStats:
        return PoolStats(len(self._open), len(self._idle), self._connecting, len(self._waiting))

    @property
    def empty(self) -> bool:
        return not (self._open or self._connecting or self._waiting)

    # Taking

    def take_idle(self, now: float) -> Connection | None:
        """The connection used last, if one is idle and fit for use."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            idle_s = now - connection.idle_since
            if not connection.transport.is_closing() and (
                idle_s < _PROBE_AFTER_S or (idle_s < self._idle_limit.limit_s and connection.looks_alive())
            ):
                return connection
            self._discard(connection)
        return None

    async def acquire(self, patience: Patience, *, fresh: bool) -> Connection:
        """A connection, waiting for it or opening one; `fresh`: one that has not been used before.

        Raises PoolTimeout, ConnectTimeout, ConnectError or DeadlineExceeded: nothing has been sent.
        """
        loop = asyncio.get_running_loop()
        if not fresh:
            connection = self.take_idle(loop.time())
            if connection is not None:
                return connection
        if len(self._open) + self._connecting < self._limits.max_connections:
            self._connecting += 1
        elif self._idle:  # only if a fresh one is wanted
            self._forget(self._idle.pop(0))
            self._connecting += 1
        else:
            connection = await self._wait(loop, patience, fresh)
            if connection is not None:
                if not connection.closed and not fresh:
                    return connection
                self._forget(connection)
                self._connecting += 1
        return await self._dial(loop, patience)

    async def _wait(
        self, loop: asyncio.AbstractEventLoop, patience: Patience, fresh: bool
    ) -> Connection | None:
        """Queue up. A connection, or None: the caller now holds a slot, counted in `_connecting`."""
        waiter = self._waiting.join(loop, patience, fresh=fresh)
        self._wake_sweeper()
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            self._pass_on(waiter)
            raise

    def _pass_on(self, waiter: Waiter) -> None:
        """A request was given up while it waited, or in the very moment in which it got its turn."""
        turn = waiter.turn
        if turn.cancelled():
            self._waiting.leave(waiter)
        elif turn.exception() is None:
            connection = turn.result()
            if connection is None:
                self._lose_slot()
            else:
                self._give(connection)

    async def _dial(self, loop: asyncio.AbstractEventLoop, patience: Patience) -> Connection:
        began = monotonic()  # the loop's time is of its last turn: a near service would take none
        until = min(loop.time() + patience.connect_s, patience.deadline)
        try:
            async with asyncio.timeout_at(None if until == NEVER else until):
                connection = await self._dialler.dial(self._make)
        except TimeoutError as failure:
            self._lose_slot()
            raise with_progress(self._too_slow(until, patience), NOTHING_SENT) from failure
        except BaseException as failure:
            self._lose_slot()
            if isinstance(failure, httpx.TransportError):
                with_progress(failure, NOTHING_SENT)
            raise
        finally:
            patience.connecting_s = monotonic() - began
        self._connecting -= 1
        if self._aborted:
            connection.close()
            raise with_progress(httpx.ConnectError(_CLOSED), NOTHING_SENT)
        self._open.add(connection)
        self._wake_sweeper()
        return connection

    def _make(self, sock: socket.socket, address: Address | None) -> Connection:
        connection = Connection(self, asyncio.get_running_loop(), sock, address)
        if self._limits.max_age_s is not None:
            connection.retire_at = connection.born + self._limits.max_age_s
        return connection

    def _too_slow(self, until: float, patience: Patience) -> httpx.TransportError:
        if until == patience.deadline:
            return DeadlineExceeded(f"{self._dialler.origin}: no connection by the request's deadline")
        return httpx.ConnectTimeout(f"{self._dialler.origin}: no connection in {patience.connect_s:g} s")

    # Giving back

    def release(self, connection: Connection) -> None:
        """A request is over: keep the connection if it is clean, else close it."""
        clean = connection.settle(connection.loop.time())
        keep_alive = connection.reader.keep_alive
        if keep_alive is not None:
            self._idle_limit.announced(keep_alive)
        if not clean:
            self._discard(connection)
        elif self._waiting:
            self._give(connection)
        else:
            self._keep(connection)

    def let_go(self, connection: Connection) -> tuple[asyncio.Transport, bytes]:
        """The connection speaks another protocol now: it is none of ours any more, and its place is free."""
        rest = connection.reader.rest or b""
        connection.in_use, connection.closed = False, True
        connection.reader.close()
        self._open.discard(connection)
        self._free_slot()
        return connection.transport, rest

    def lost_idle(self, connection: Connection) -> None:
        """The upstream ended a connection while no request was on it."""
        try:
            self._idle.remove(connection)
        except ValueError:
            return  # handed to a waiter, who will see that it is closed
        now = connection.loop.time()
        oldest_s = now - self._idle[0].idle_since if self._idle else 0.0
        idle_s = now - connection.idle_since
        if oldest_s <= idle_s * 1.5:  # else it is no timeout: an older one lives
            self._idle_limit.closed_by_upstream(idle_s, now)
        self._forget(connection)
        self._free_slot()

    def met_stale(self, connection: Connection, taken_at: float) -> None:
        """A request met a connection that the upstream had closed: it waits for less long than we thought."""
        self._idle_limit.closed_by_upstream(taken_at - connection.idle_since, taken_at)

    def _give(self, connection: Connection) -> None:
        waiter = self._waiting.next()
        if waiter is not None:
            if waiter.fresh or connection.closed:
                self._forget(connection)
                self._connecting += 1
                waiter.turn.set_result(None)
            else:
                waiter.turn.set_result(connection)
        elif connection.closed:
            self._discard(connection)
        else:
            self._keep(connection)

    def _keep(self, connection: Connection) -> None:
        if self.retired or len(self._idle) >= self._limits.max_idle:
            self._discard(connection)
        else:
            self._idle.append(connection)

    def _discard(self, connection: Connection) -> None:
        self._forget(connection)
        self._free_slot()

    def _forget(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)

    def _lose_slot(self) -> None:
        self._connecting -= 1
        self._free_slot()

    def _free_slot(self) -> None:
        """A slot has come free: it goes to whoever waits longest."""
        waiter = self._waiting.next()
        if waiter is not None:
            self._connecting += 1
            waiter.turn.set_result(None)

    # Time

    def sweep(self, now: float) -> None:
        """Enforce what has run out: requests' deadlines, places in the queue, idle connections, old addresses."""
        for connection in list(self._open):
            connection.check(now)
        self._waiting.expire(now)
        self._idle_limit.recover(now)
        oldest = now - self._idle_limit.limit_s
        while self._idle and self._idle[0].idle_since <= oldest:
            self._discard(self._idle.pop(0))
        self._drop_gone_addresses()

    def _drop_gone_addresses(self) -> None:
        known = self._dialler.known_addresses() if self._open else None
        if not known or known is self._addresses:
            return
        self._addresses = known
        for connection in list(self._open):
            if connection.address not in known:
                connection.retire_at = 0.0
                if not connection.in_use:
                    self._retire_idle(connection)

    def _retire_idle(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            self._discard(connection)

    # The end

    def retire(self) -> None:
        """Close what is idle now and the rest when its request is over."""
        self.retired = True
        while self._idle:
            self._discard(self._idle.pop())

    def abort(self) -> None:
        """Close everything; requests under way fail."""
        self.retire()
        self._aborted = True
        self._waiting.dismiss(lambda: httpx.PoolTimeout(_CLOSED))
        for connection in list(self._open):
            if connection.in_use:
                connection.fail(httpx.ReadError(_CLOSED))
            else:
                self._forget(connection)
