"""I: The breakers of all services in one worker: made as services come, steered by operators, shared where it can be.

`of` and everything else is called on the worker's event loop. Nothing here knows the database: `restore` brings what
it had recorded, `apply` what operators want, and `on_record` hears what it should keep.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from math import inf, isfinite
from secrets import token_hex
from typing import NamedTuple

from resilience.breaker import Breaker, Cause, Standing, State, Transition
from resilience.clock import monotonic, wall_clock
from resilience.guard import Guard, Hooks, Record
from resilience.policies import BreakerPolicy
from resilience.stores.breakers import Change, SharedBreakers, Store, Wanted


class Order(NamedTuple):
    """What an operator wants of one breaker. `until` is in epoch seconds; `resets` counts how often it was reset."""

    forced: State | None = None
    until: float = inf
    by: str = ""
    reason: str = ""
    resets: int = 0


class Recorded(NamedTuple):
    """How a breaker was when it was last written down; `since` is in epoch seconds."""

    state: State
    period: int
    since: float


class BreakerEvent(NamedTuple):
    """A breaker of this worker lets through something else than before. `by` and `reason`: an operator's, if any."""

    service: str
    before: State
    after: State
    cause: Cause
    at: float  # epoch seconds
    requests: int
    failures: int
    by: str
    reason: str


_NO_ORDER = Order()


class Breakers:
    """One per worker. Without a `store` this worker decides alone. `worker` may be named alike after a restart."""

    def __init__(
        self,
        *,
        worker: str,
        store: Store | None = None,
        prefix: str = "torana:",
        clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = wall_clock,
    ) -> None:
        self._shared = None
        if store is not None:
            self._shared = SharedBreakers(store, worker=f"{worker}-{token_hex(4)}", prefix=prefix)
        self._clock = clock
        self._wall_clock = wall_clock
        self._guards: dict[str, Guard] = {}
        self._orders: Mapping[str, Order] | None = None
        self._resets: dict[str, int] = {}
        self._recorded: Mapping[str, Recorded] = {}
        self._releases: dict[str, asyncio.TimerHandle] = {}
        self._unsynced: dict[str, Guard] = {}
        self._syncing: asyncio.Task[None] | None = None
        self._is_running = False
        self._transition_listeners: list[Callable[[BreakerEvent], None]] = []
        self._record_listeners: list[Callable[[Record], None]] = []
        self._hooks = Hooks(self._tell, self._keep)

    # For the request path

    def propose(self, name: str, policy: BreakerPolicy) -> Guard:
        """The breaker of a service for a configuration that may yet be refused: nothing changes before `adopt`."""
        guard = self._guards.get(name)
        return self._made(name, policy) if guard is None else guard

    def adopt(self, guard: Guard, policy: BreakerPolicy) -> None:
        """The configuration counts: the breaker is known from now on, and goes by this policy."""
        if guard.breaker.policy != policy:
            guard.breaker.policy = policy
        if guard.name not in self._guards:
            self._guards[guard.name] = guard
            self._obey(guard)
            self._remind(guard)
            self._sync_soon(guard)

    def of(self, name: str, policy: BreakerPolicy) -> Guard:
        """The breaker of a service: the same one for as long as the service is there, whatever its policy becomes."""
        guard = self.propose(name, policy)
        self.adopt(guard, policy)
        return guard

    def keep(self, names: Collection[str]) -> None:
        """Forgets the breakers of every other service."""
        for name in self._guards.keys() - set(names):
            del self._guards[name]
            self._resets.pop(name, None)
            if (release := self._releases.pop(name, None)) is not None:
                release.cancel()

    # Its life

    def on_transition(self, listener: Callable[[BreakerEvent], None]) -> None:
        """`listener` hears of every change in this worker, on the event loop: for metrics, logs, events."""
        self._transition_listeners.append(listener)

    def on_record(self, listener: Callable[[Record], None]) -> None:
        """`listener` hears what should be written down: once, whichever worker it came from."""
        self._record_listeners.append(listener)

    def start(self) -> None:
        """Begins to share, on the running event loop. The store may be up or not, now and later."""
        self._is_running = True
        if self._shared is not None:
            self._shared.listen(self._hear, self._sync_all)

    async def stop(self) -> None:
        """Ends what is under way; breakers go on alone."""
        self._is_running = False
        for release in self._releases.values():
            release.cancel()
        if self._syncing is not None:
            self._syncing.cancel()
            await asyncio.gather(self._syncing, return_exceptions=True)
        if self._shared is not None:
            await self._shared.stop()
        for guard in self._guards.values():
            await guard.stop()

    # For operators and records

    @property
    def names(self) -> list[str]:
        """The services that have a breaker; may be asked from any thread."""
        return list(self._guards)

    def apply(self, orders: Mapping[str, Order]) -> None:
        """All that operators want now; a breaker that is not among them is not forced."""
        self._orders = orders
        for guard in self._guards.values():
            self._obey(guard)

    def restore(self, recorded: Mapping[str, Recorded]) -> None:
        """What was written down before this worker started. What the other workers know is later, and wins."""
        self._recorded = recorded
        for guard in self._guards.values():
            self._remind(guard)

    def standings(self) -> dict[str, Standing]:
        """Every breaker as it stands in this worker; `since` is an age in seconds, `forced_until` in epoch seconds."""
        return {name: self._standing(guard.breaker) for name, guard in self._guards.items()}

    # Inside

    def _made(self, name: str, policy: BreakerPolicy) -> Guard:
        guard = Guard(
            name, policy, self._hooks, shared=self._shared, clock=self._clock, wall_clock=self._wall_clock
        )
        guard.breaker.since = self._clock()
        return guard

    def _obey(self, guard: Guard) -> None:
        name, breaker = guard.name, guard.breaker
        if self._orders is None:
            return
        order = self._orders.get(name, _NO_ORDER)
        if order.resets > self._resets.setdefault(name, order.resets):
            self._resets[name] = order.resets
            guard.reset()
        now = self._clock()
        until = now + (order.until - self._wall_clock()) if isfinite(order.until) else inf
        breaker.force(order.forced, until, now)
        if (release := self._releases.pop(name, None)) is not None:
            release.cancel()
        if breaker.forced is not None and isfinite(until):
            loop = asyncio.get_running_loop()
            self._releases[name] = loop.call_later(until - now, self._release, guard)

    def _release(self, guard: Guard) -> None:
        self._releases.pop(guard.name, None)
        self._obey(guard)

    def _remind(self, guard: Guard) -> None:
        if (found := self._recorded.get(guard.name)) is not None and found.period > guard.breaker.period:
            guard.restore(found.state, found.period, max(0.0, self._wall_clock() - found.since))
            self._sync_soon(guard)

    def _hear(self, news: Change | Wanted) -> None:
        guard = self._guards.get(news.service)
        if guard is None:
            return
        if isinstance(news, Change):
            guard.hear(news)
        else:
            guard.sync()

    def _sync_all(self) -> None:
        for guard in self._guards.values():
            self._sync_soon(guard)

    def _sync_soon(self, guard: Guard) -> None:
        """One after the other, so that a thousand services do not crowd the store."""
        if self._shared is None or not self._is_running:
            return
        self._unsynced[guard.name] = guard
        if self._syncing is None:
            self._syncing = asyncio.get_running_loop().create_task(self._sync_each())

    async def _sync_each(self) -> None:
        try:
            while self._unsynced:
                _, guard = self._unsynced.popitem()
                await guard.synced()
        finally:
            self._syncing = None

    def _standing(self, breaker: Breaker) -> Standing:
        now = self._clock()
        found = breaker.standing(now)
        until = found.forced_until
        return found._replace(
            since=now - found.since, forced_until=self._wall_clock() + until - now if isfinite(until) else inf
        )

    def _tell(self, service: str, transition: Transition) -> None:
        order = (self._orders or {}).get(service, _NO_ORDER)
        is_operators = transition.cause in (Cause.FORCED, Cause.RELEASED, Cause.RESET)
        event = BreakerEvent(
            service,
            transition.before,
            transition.after,
            transition.cause,
            self._wall_clock(),
            transition.requests,
            transition.failures,
            order.by if is_operators else "",
            order.reason if is_operators else "",
        )
        for listener in self._transition_listeners:
            listener(event)

    def _keep(self, record: Record) -> None:
        for listener in self._record_listeners:
            listener(record)
