"""P: Which target takes the next attempt. One policy per algorithm, found by name in one registry.

A policy sees how many targets there are, the service's state and which targets this request has tried already;
it returns an index. It never sees a socket, a clock or a URL.
"""

from collections.abc import Callable, Collection
from typing import Final

from resilience.state import ServiceState

Pick = Callable[[ServiceState, int, Collection[int]], int | None]
"""(state, number of targets, indices already tried) -> index of the target, or None when all were tried."""


def round_robin(state: ServiceState, count: int, tried: Collection[int]) -> int | None:
    """Each target in turn; those already tried by this request are passed over."""
    for _ in range(count):
        index = state.cursor + 1
        if index >= count:
            index = 0
        state.cursor = index
        if index not in tried:
            return index
    return None


POLICIES: Final[dict[str, Pick]] = {"round_robin": round_robin}
