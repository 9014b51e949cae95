"""P: A concurrency limit that goes down by itself while answers get slower, and comes back: a gradient on latency.

After Netflix's concurrency-limits (`GradientLimit`, `Gradient2Limit`) and Envoy's gradient controller. In each window

    gradient = tolerance * usual latency / latency of the window, from 0.5 to 1
    limit   += smoothing * (limit * gradient + √limit - limit)

√limit is the queue that is allowed to form, and what the limit grows by while answers are as fast as usual. What is
usual is learnt: it goes down quickly and up slowly, and not at all while answers are slow in a crowd, or crowds would
come to be usual. That alone would take a service that has become slower for good as crowded for ever. Therefore, as
Envoy does, latency is measured anew from time to time among fewer requests while the limit is lowered: if it is the
same among a third as many, then the crowd was not the cause.

The limit stays between a tenth of the ceiling, which operators set, and the ceiling, where it begins. It is lowered
only where it matters: while at least half of it is in use. `now` is the monotonic clock's.
"""

from math import sqrt
from typing import Final

WINDOW_S: Final = 0.1
WINDOW_SAMPLES: Final = 20
"""A window lasts until both are reached: it says something of a quiet service, too."""
REMEASURE_S: Final = 10.0
_MEASURED_SHARE: Final = 3
_MEASURED_SAMPLES: Final = 60
_MEASURED_LATENCIES: Final = 4
"""For so many usual latencies is latency measured anew: the first to end are the short ones."""
_TOLERANCE: Final = 1.5
_SMOOTHING: Final = 0.2
_LEAST_GRADIENT: Final = 0.5
_DROPPED: Final = 0.9
"""What is left of the limit after a window in which requests were dropped."""
_DOWN: Final = 0.2
_UP: Final = 0.01
_FLOOR_SHARE: Final = 10


class Gradient:
    """One limit's. Mutable, owned by one event loop."""

    __slots__ = (
        "_began",
        "_count",
        "_dropped",
        "_last_s",
        "_latency_s",
        "_limit",
        "_measure_at",
        "_measured_from",
        "_needed",
        "_needed_s",
        "_peak",
        "_usual_s",
        "ceiling",
        "floor",
    )

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.floor = max(1, ceiling // _FLOOR_SHARE)
        self._limit = float(ceiling)
        self._usual_s = self._last_s = 0.0  # 0.0: not known yet
        self._measure_at = 0.0
        self._measured_from: float | None = None
        self._needed, self._needed_s = WINDOW_SAMPLES, WINDOW_S
        self._began: float | None = None
        self._count = self._dropped = self._peak = 0
        self._latency_s = 0.0

    @property
    def limit(self) -> int:
        """How many may be on their way now: while latency is measured anew, a third of the usual."""
        limit = int(self._limit)
        return limit if self._measured_from is None else max(self.floor, limit // _MEASURED_SHARE)

    def observe(self, latency_s: float, in_flight: int, *, dropped: bool, now: float) -> bool:
        """One request has ended. True: a window did, too, and `limit` may have changed.

        `in_flight` counts the request itself. Dropped is what timed out or was turned away for overload.
        """
        if self._began is None:
            self._began, self._measure_at = now, now + REMEASURE_S
        if self._measured_from is not None and now - latency_s < self._measured_from:
            return False  # it stood in the old crowd
        if in_flight > self._peak:
            self._peak = in_flight
        if dropped:
            self._dropped += 1
        else:
            self._count += 1
            self._latency_s += latency_s
        if now - self._began < self._needed_s:
            return False
        if self._count + self._dropped < self._needed and not self._has_measured_long(now):
            return False
        self._decide(now)
        self._reset(now)
        return True

    def _reset(self, now: float) -> None:
        self._began = now
        self._count = self._dropped = self._peak = 0
        self._latency_s = 0.0

    def _decide(self, now: float) -> None:
        if self._measured_from is not None:
            self._end_measuring(now)
            return
        gradient = self._gradient() if self._count else 1.0
        if self._dropped:
            self._move_to(self._limit * _DROPPED)
        elif gradient == 1.0 or self._peak * 2 >= self._limit:
            wanted = self._limit * gradient + sqrt(self._limit)
            self._move_to(self._limit + _SMOOTHING * (wanted - self._limit))
        if self._limit == self.ceiling:
            self._measure_at = now + REMEASURE_S
        elif now >= self._measure_at:
            self._measured_from = now
            self._needed, self._needed_s = _MEASURED_SAMPLES, _MEASURED_LATENCIES * self._last_s

    def _has_measured_long(self, now: float) -> bool:
        return self._measured_from is not None and now - self._measured_from >= REMEASURE_S

    def _end_measuring(self, now: float) -> None:
        if self._count:
            self._usual_s = self._last_s = self._latency_s / self._count
        self._measured_from, self._measure_at = None, now + REMEASURE_S
        self._needed, self._needed_s = WINDOW_SAMPLES, WINDOW_S

    def _gradient(self) -> float:
        latency_s = self._latency_s / self._count
        if self._last_s:
            latency_s = (latency_s + self._last_s) / 2
        self._last_s = latency_s
        usual_s = self._usual_s or latency_s
        tolerated_s = usual_s * _TOLERANCE
        if latency_s < usual_s:
            usual_s += _DOWN * (latency_s - usual_s)
        elif latency_s <= tolerated_s or self._peak * _MEASURED_SHARE <= self._limit:
            usual_s += _UP * (latency_s - usual_s)
        self._usual_s = usual_s
        if latency_s <= tolerated_s:
            return 1.0
        return max(_LEAST_GRADIENT, tolerated_s / latency_s)

    def _move_to(self, limit: float) -> None:
        self._limit = min(max(limit, float(self.floor)), float(self.ceiling))
