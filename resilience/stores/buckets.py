"""P: The states of buckets in one process, as many as fit.

Names stand in rows by the second in which their state says no more than none. What is over goes first; where there
is still no room, the one that is over soonest: it knows least, so a flood of new callers pushes out its own.
Each insertion looks at a few names only. A state that was used meanwhile is found in too early a row, and moved.
"""

from heapq import heappop, heappush
from typing import Final

from resilience.limiter import SECOND_US, State, forgotten_at

MOST_KEPT: Final = 131_072
_LOOKS: Final = 2
_MOST_LOOKS: Final = 16


class Buckets:
    """Bounded by number. `find` is a dictionary's. Times are µs of the clock that the states know."""

    __slots__ = ("_most", "_order", "_rows", "_states", "dropped", "find")

    def __init__(self, *, most: int = MOST_KEPT) -> None:
        self._states: dict[str, State] = {}
        self._rows: dict[int, list[str]] = {}
        self._order: list[int] = []
        self._most = most
        self.find = self._states.get
        self.dropped = 0
        """How many went that still meant something."""

    def __len__(self) -> int:
        return len(self._states)

    def put(self, name: str, state: State, now: int) -> None:
        """Keeps it; others may go for it."""
        if name not in self._states:
            self._make_room(now)
            self._enter(name, state)
        self._states[name] = state

    def _make_room(self, now: int) -> None:
        for look in range(1, _MOST_LOOKS + 1):
            is_full = len(self._states) >= self._most
            if not is_full and (look > _LOOKS or not self._is_due(now)):
                return
            self._look(now, drop=is_full and look == _MOST_LOOKS)

    def _is_due(self, now: int) -> bool:
        return bool(self._order) and (self._order[0] + 1) * SECOND_US <= now

    def _look(self, now: int, *, drop: bool) -> None:
        """Takes one name out of the first row: it goes if it is over, or must; else it is moved."""
        row = self._order[0]
        names = self._rows[row]
        name = names.pop()
        if not names:
            heappop(self._order)
            del self._rows[row]
        state = self._states[name]
        over = forgotten_at(state)
        if over <= now:
            del self._states[name]
        elif drop or over // SECOND_US <= row:
            del self._states[name]
            self.dropped += 1
        else:
            self._enter(name, state)

    def _enter(self, name: str, state: State) -> None:
        row = forgotten_at(state) // SECOND_US
        names = self._rows.get(row)
        if names is None:
            self._rows[row] = [name]
            heappush(self._order, row)
        else:
            names.append(name)
