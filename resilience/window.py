"""P: How many requests there were lately, and how many of them failed, in bounded memory and without timers.

Times are of any clock that goes on; what happened is put into buckets of a twentieth of the window. A bucket leaves
as a whole: nothing older than the window is ever counted, and nothing younger than nineteen twentieths is left out.
"""

from collections import deque
from math import inf
from typing import Final, NamedTuple

BUCKETS: Final = 20


class Count(NamedTuple):
    """Requests, and failures among them, since `begin`."""

    begin: float
    requests: int
    failures: int


class Bucket:
    """What happened from `begin` until `end`, and how much of it was handed out by `Window.untold`."""

    __slots__ = ("begin", "end", "failures", "requests", "told_failures", "told_requests")

    def __init__(self, begin: float, end: float) -> None:
        self.begin = begin
        self.end = end
        self.requests = 0
        self.failures = 0
        self.told_requests = 0
        self.told_failures = 0


class Window:
    """The last `length_s` seconds. A success may be added to `newest.requests` as long as `newest.end` is ahead."""

    __slots__ = ("_length_s", "_older", "newest")

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self._older: deque[Bucket] = deque()
        self.newest = Bucket(-inf, -inf)

    def resize(self, length_s: float) -> None:
        """From now on another length; what was counted stays."""
        self._length_s = length_s

    def clear(self) -> None:
        """Forgets everything."""
        self._older.clear()
        self.newest = Bucket(-inf, -inf)

    def note(self, failed: bool, now: float) -> None:
        """Counts one request."""
        self._turn(now)
        self.newest.requests += 1
        self.newest.failures += failed

    def total(self, now: float) -> Count:
        """What the window holds."""
        self._turn(now)
        buckets = (*self._older, self.newest)
        return Count(
            buckets[0].begin,
            sum(bucket.requests for bucket in buckets),
            sum(bucket.failures for bucket in buckets),
        )

    def untold(self, now: float) -> list[Count]:
        """What was counted and never handed out by this before."""
        self._turn(now)
        found = []
        for bucket in (*self._older, self.newest):
            count = Count(
                bucket.begin, bucket.requests - bucket.told_requests, bucket.failures - bucket.told_failures
            )
            if count.requests:
                found.append(count)
                bucket.told_requests, bucket.told_failures = bucket.requests, bucket.failures
        return found

    def _turn(self, now: float) -> None:
        """Begins another bucket when it is time, and drops what is too old."""
        if now < self.newest.begin:
            self.clear()  # the clock went back: nobody can say how old these are
        if now >= self.newest.end:
            if self.newest.requests:
                self._older.append(self.newest)
            width_s = self._length_s / BUCKETS
            self.newest = Bucket(now, now + width_s)
        while self._older and self._older[0].begin <= now - self._length_s:
            self._older.popleft()
