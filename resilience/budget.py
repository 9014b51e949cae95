"""P: How many retries a service may get: a share of the requests of the last ten seconds, so that they cannot add up.

Without a budget, a service that fails under load gets several times that load. Requests and retries are counted by
the second. A quiet service may always have a few. `now` is the monotonic clock's.
"""

from typing import Final

_SECONDS: Final = 10
FLOOR: Final = 3
"""Retries in ten seconds that even a service with hardly any requests may have."""
_PER_MILLE: Final = 1000


class RetryBudget:
    """One service's. Mutable, owned by one event loop."""

    __slots__ = ("_per_mille", "_requests", "_requests_in_all", "_retries", "_retries_in_all", "_second")

    def __init__(self, share: float) -> None:
        self._requests = [0] * _SECONDS
        self._retries = [0] * _SECONDS
        self._requests_in_all = self._retries_in_all = 0
        self._second = 0
        self.adopt(share)

    def adopt(self, share: float) -> None:
        """What a new configuration says; what was counted stays."""
        self._per_mille = round(share * _PER_MILLE)

    def count(self, now: float) -> None:
        """A request has come, whatever becomes of it. Once for each, before its first attempt."""
        second = int(now)
        if second > self._second:
            self._advance(second)
        self._requests[self._second % _SECONDS] += 1
        self._requests_in_all += 1

    def take(self, now: float) -> bool:
        """May there be one more retry? If so, it is counted."""
        second = int(now)
        if second > self._second:
            self._advance(second)
        if self._retries_in_all >= self.allowed:
            return False
        self._retries[self._second % _SECONDS] += 1
        self._retries_in_all += 1
        return True

    @property
    def allowed(self) -> int:
        """Retries that the requests counted last allow in ten seconds."""
        return max(FLOOR, self._requests_in_all * self._per_mille // _PER_MILLE)

    @property
    def used(self) -> int:
        """Retries in the ten seconds that were counted last."""
        return self._retries_in_all

    def _advance(self, second: int) -> None:
        """Forget the seconds that are ten seconds old; what lies between is empty."""
        for passed in range(max(self._second + 1, second - _SECONDS + 1), second + 1):
            slot = passed % _SECONDS
            self._requests_in_all -= self._requests[slot]
            self._retries_in_all -= self._retries[slot]
            self._requests[slot] = self._retries[slot] = 0
        self._second = second
