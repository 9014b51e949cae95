"""P: How many requests are on their way at a time, for a route or a service, and who waits for a turn.

    full = not limit.enter()        # True: go on, and call `release` exactly once
    waiter = limit.join(wake)       # None: the queue is full as well
    limit.leave(waiter)             # whoever gives up; a turn that was granted meanwhile is passed on

Waiting itself is `resilience.waiting`'s. First come, first served: while somebody waits there is no free place, so
nobody can overtake. What is counted is kept across snapshots; `adopt` brings what a new one says.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from resilience.gradient import Gradient
from resilience.policies import ConcurrencyPolicy

RETRY_AFTER_S: Final = 1
"""What those are told who are turned away: places come free all the time."""


class Waiter:
    """One request in the queue."""

    __slots__ = ("granted", "wake")

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        """Called once, when its turn comes."""
        self.granted = False


class ConcurrencyLimit:
    """One route's or service's. Mutable, owned by one event loop, never shared between processes."""

    __slots__ = ("_gradient", "_waiting", "in_flight", "limit", "policy", "refused", "would_refuse")

    def __init__(self, policy: ConcurrencyPolicy) -> None:
        self.in_flight = 0
        self.refused = 0
        self.would_refuse = 0
        """Those whom a limit let pass that is not enforced."""
        self._waiting: OrderedDict[Waiter, None] = OrderedDict()
        self.policy = policy
        self.limit = policy.limit
        self._gradient = Gradient(policy.limit) if policy.adaptive else None

    def __repr__(self) -> str:
        return f"<ConcurrencyLimit {self.in_flight}/{self.limit} waiting={len(self._waiting)}>"

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def retry_after_s(self) -> int:
        return RETRY_AFTER_S

    def adopt(self, policy: ConcurrencyPolicy) -> None:
        """A new configuration's limit, for those who come from now on; whoever has a place keeps it."""
        if policy == self.policy:
            self.policy = policy
            return
        if not (policy.adaptive and self._gradient and policy.limit == self._gradient.ceiling):
            self._gradient = Gradient(policy.limit) if policy.adaptive else None
            self.limit = policy.limit
        self.policy = policy
        self._grant()

    def enter(self) -> bool:
        """Take a place. False: there is none."""
        if self.in_flight < self.limit:
            self.in_flight += 1
            return True
        if self.policy.is_enforced:
            return False
        self.would_refuse += 1
        self.in_flight += 1
        return True

    def release(self) -> None:
        """Give the place back, to whoever waits longest."""
        self.in_flight -= 1
        if self._waiting:
            self._grant()

    def join(self, wake: Callable[[], None]) -> Waiter | None:
        """Wait at the end of the queue, after `enter` has said no. None: it is full, the request is refused."""
        if len(self._waiting) >= self.policy.queue:
            self.refused += 1
            return None
        waiter = Waiter(wake)
        self._waiting[waiter] = None
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Somebody gives up who has a place or waits for one."""
        if waiter.granted:
            self.release()
        else:
            self._waiting.pop(waiter, None)

    def learn(self, latency_s: float, *, dropped: bool, now: float) -> None:
        """Tell an adaptive limit how a request has ended, before its `release`. `now` is the monotonic clock's."""
        gradient = self._gradient
        if gradient is not None and gradient.observe(latency_s, self.in_flight, dropped=dropped, now=now):
            self.limit = gradient.limit
            self._grant()

    def _grant(self) -> None:
        """Places to those who wait, as far as there are any."""
        while self._waiting and (self.in_flight < self.limit or not self.policy.is_enforced):
            waiter, _ = self._waiting.popitem(last=False)
            self.in_flight += 1
            waiter.granted = True
            waiter.wake()


class LimitTable:
    """The limits of this process by name. Bounded by what is configured: `keep` forgets the rest."""

    __slots__ = ("_limits",)

    def __init__(self) -> None:
        self._limits: dict[str, ConcurrencyLimit] = {}

    def get(self, name: str, policy: ConcurrencyPolicy) -> ConcurrencyLimit:
        """The limit of `name`, made on first sight. One that is known keeps its policy until it `adopt`s another."""
        limit = self._limits.get(name)
        if limit is None:
            limit = self._limits[name] = ConcurrencyLimit(policy)
        return limit

    def keep(self, names: Iterable[str]) -> None:
        """Forget every limit that is not among `names`."""
        wanted = set(names)
        for name in self._limits.keys() - wanted:
            del self._limits[name]

    def items(self) -> Iterable[tuple[str, ConcurrencyLimit]]:
        return self._limits.items()

    def __len__(self) -> int:
        return len(self._limits)
