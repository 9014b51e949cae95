"""P: Texts that lines of the access log are put together from, each remembered: clients and consumers come again."""

from collections.abc import Callable
from typing import Final

MOST_KNOWN: Final = 1024
"""Texts of one kind. When there are more, it begins anew: to free so many takes less than a tenth of a millisecond."""
LONGEST_KNOWN: Final = 256
"""Bytes; what is longer is made each time."""


class Known(dict[str, bytes]):
    """What `make` gives for each key."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str], bytes]) -> None:
        super().__init__()
        self._make: Callable[[str], bytes] = make

    def __missing__(self, key: str) -> bytes:
        made = self._make(key)
        if len(made) <= LONGEST_KNOWN:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[key] = made
        return made
