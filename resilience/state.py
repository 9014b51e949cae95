"""P: What is remembered of each service between requests and across snapshots, keyed by the service's name.

A snapshot is replaced at every publish; this is not. Knows services only as opaque names.
"""

from collections.abc import Iterable


class ServiceState:
    """The moving parts of one service. Mutable, owned by one event loop, never shared between processes."""

    __slots__ = ("cursor", "in_flight", "name")

    def __init__(self, name: str, *, cursor: int = 0) -> None:
        self.name = name
        self.cursor = cursor
        """Round robin's position; starts at random so that workers do not move in step."""
        self.in_flight = 0

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

    def keep(self, names: Iterable[str]) -> None:
        """Forget every service that is not among `names`."""
        wanted = set(names)
        for name in self._states.keys() - wanted:
            del self._states[name]

    def __len__(self) -> int:
        return len(self._states)
