"""I: How services did in the last minute, in this worker: how many requests, how many failed, how long they took.

Six slots of ten seconds: the oldest goes as a new one begins.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from observability.traffic.histogram import merge, quantile
from observability.traffic.recorder import Batch
from resilience.clock import monotonic

SLOT_S: Final = 10.0
SLOTS: Final = 6
_SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    errors: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, other: "_Sum") -> None:
        self.requests += other.requests
        self.errors += other.errors
        merge(self.buckets, other.buckets)


class Recent:
    """A sink of the recorder. Bounded by how many services there are."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._slots: deque[tuple[int, dict[str, _Sum]]] = deque(maxlen=SLOTS)

    def take(self, batch: Batch) -> None:
        """Adds what came of a batch."""
        sums = self._slot()
        for key, cell in batch.folded.cells.items():
            if key.service:
                found = sums.setdefault(key.service, _Sum())
                found.requests += cell.count
                found.errors += cell.count if key.status >= 500 else 0
        for service, wait in batch.folded.waits.items():
            merge(sums.setdefault(service, _Sum()).buckets, wait.buckets)

    def shown(self) -> dict[str, dict[str, Any]]:
        """By service. Response times in milliseconds, to the head of the answer; None for what nobody asked for."""
        total: dict[str, _Sum] = {}
        oldest = self._number() - SLOTS
        for number, sums in self._slots:
            if number > oldest:
                for service, each in sums.items():
                    total.setdefault(service, _Sum()).add(each)
        seconds = max(1.0, min(SLOT_S * SLOTS, self._clock() - self._began))
        return {service: _shown(each, seconds) for service, each in total.items()}

    def _number(self) -> int:
        return int(self._clock() // SLOT_S)

    def _slot(self) -> dict[str, _Sum]:
        number = self._number()
        if not self._slots or self._slots[-1][0] != number:
            self._slots.append((number, {}))
        return self._slots[-1][1]


def _shown(found: _Sum, seconds: float) -> dict[str, Any]:
    times = None
    if found.buckets:
        times = {name: round(quantile(found.buckets, share) * 1000, 3) for name, share in _SHARES.items()}
    return {
        "requests": found.requests,
        "requests_per_s": round(found.requests / seconds, 3),
        "error_rate": round(found.errors / found.requests, 4) if found.requests else None,
        "response_ms": times,
    }


NOTHING: Final = _shown(_Sum(), 1.0)
"""Of a service that nobody asked for anything."""
