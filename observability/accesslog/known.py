"""P: Texts that lines of the access log are put together from, each remembered: clients and durations come again."""

from collections.abc import Callable
from typing import Final, TypeVar

import orjson

K = TypeVar("K", str, int)
MOST_KNOWN: Final = 1024
"""Texts of one kind. When there are more, it begins anew: to free so many takes less than a tenth of a millisecond."""
LONGEST_KNOWN: Final = 256
"""Bytes; what is longer is made each time."""
LONGEST_US: Final = 8192.0
"""Durations that are remembered are shorter: so many different ones there are at most."""
ROUND: Final = 1.5 * 2**52
"""Added to a float, it leaves no digits behind the point, and costs a quarter of what `round` does."""
_json: Final = orjson.dumps


class Known(dict[K, bytes]):
    """What `make` gives for each key."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[K], bytes]) -> None:
        super().__init__()
        self._make: Callable[[K], bytes] = make

    def __missing__(self, key: K) -> bytes:
        made = self._make(key)
        if len(made) <= LONGEST_KNOWN:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[key] = made
        return made


class Milliseconds(dict[float, bytes]):
    """Durations with what stands before them, in milliseconds and to the microsecond. Keys are microseconds + ROUND."""

    __slots__ = ("_before",)

    def __init__(self, before: bytes) -> None:
        super().__init__()
        self._before = before

    def __missing__(self, key: float) -> bytes:
        us = key - ROUND
        made = self._before + _json(us / 1000)
        if 0 <= us < LONGEST_US:
            self[key] = made
        return made
