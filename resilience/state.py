"""P: What is remembered of services and targets between requests and across snapshots, keyed by name and by URL.

A snapshot is replaced at every publish; this is not. Knows services and targets only as opaque names. Times are those
of the monotonic clock.
"""

from collections.abc import Collection, Iterable
from math import inf


class TargetState:
    """The moving parts of one target. Mutable, owned by one event loop, never shared between processes."""

    __slots__ = (
        "available_since",
        "consecutive_errors",
        "current",
        "drain",
        "ejected_until",
        "ejections",
        "healthy",
        "in_flight",
        "is_ejected",
        "name",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.in_flight = 0
        self.healthy: bool | None = None
        """What checks say; None: nobody checks, or not long enough yet."""
        self.drain = False
        self.is_ejected = False
        """It was ejected, and nobody has noticed yet that it is back; `ejected_until` is what holds."""
        self.ejected_until = -inf
        self.consecutive_errors = 0
        self.ejections = 0
        """How often of late: each makes the next one longer."""
        self.available_since: float | None = None
        """Since when it is there and not unhealthy; None: no pool has seen it yet."""
        self.current = 0.0
        """Its place in the smooth weighted order."""

    def is_available(self, now: float) -> bool:
        """Neither unhealthy nor ejected."""
        return self.healthy is not False and self.ejected_until <= now

    def __repr__(self) -> str:
        return f"<TargetState {self.name} healthy={self.healthy} in_flight={self.in_flight}>"


class ServiceState:
    """The moving parts of one service. Mutable, owned by one event loop, never shared between processes."""

    __slots__ = ("cursor", "in_flight", "name", "targets", "version")

    def __init__(self, name: str, *, cursor: int = 0) -> None:
        self.name = name
        self.cursor = cursor
        """Round robin's position; starts at random so that workers do not move in step."""
        self.in_flight = 0
        self.targets: dict[str, TargetState] = {}
        self.version = 0
        """Goes up whenever another target may be available than before: pools look again."""

    def target(self, name: str) -> TargetState:
        """The state of one target, made on first sight."""
        state = self.targets.get(name)
        if state is None:
            state = self.targets[name] = TargetState(name)
        return state

    def settle(self, names: Collection[str], draining: Collection[str] = ()) -> None:
        """These are its targets now; every other one is forgotten. Pools of older snapshots keep what they use."""
        for name in self.targets.keys() - set(names):
            del self.targets[name]
        for name in names:
            self.target(name).drain = name in draining

    def changed(self) -> None:
        """Makes pools look again."""
        self.version += 1

    def __repr__(self) -> str:
        return f"<ServiceState {self.name} cursor={self.cursor} in_flight={self.in_flight}>"


class StateTable:
    """All service states of this process. Bounded by the number of configured services: `keep` forgets the rest."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: dict[str, ServiceState] = {}

    def get(self, name: str, *, cursor: int = 0) -> ServiceState:
        """The state of `name`, made on first sight with `cursor` as its starting point."""
        state = self._states.get(name)
        if state is None:
            state = self._states[name] = ServiceState(name, cursor=cursor)
        return state

    def peek(self, name: str) -> ServiceState | None:
        """The state of `name`, if there is one; any thread may ask."""
        return self._states.get(name)

    def keep(self, names: Iterable[str]) -> None:
        """Forget every service that is not among `names`."""
        wanted = set(names)
        for name in self._states.keys() - wanted:
            del self._states[name]

    def __len__(self) -> int:
        return len(self._states)
