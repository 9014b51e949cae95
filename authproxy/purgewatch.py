"""D: Brings operators' purges to one worker's cache. It has no thread: it rides along with the BreakerLog's.

A worker that begins learns of earlier ones as well, since answers in Redis may be older than it is. While the database
is away, nothing can be purged either.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from authproxy.caching.cache import Cache
from authproxy.caching.purges import MOST, Purge
from resilience.models import CachePurge
from routing.breakerlog import Call
from routing.lately import newest_of

KEPT_ROWS: Final = 10_000
PRUNING_S: Final = 3600.0
PRUNED_AT_ONCE: Final = 1000
_COLUMNS: Final = ("pk", "kind", "value")


class PurgeWatch:
    """One per worker; see `routing.breakerlog.Passenger`."""

    def __init__(self, cache: Cache, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._now = wall_clock
        self._newest: int | None = None
        self._prune_at = 0.0

    def look(self, call: Call) -> None:
        """What was purged since the last look; at the first one, what is known."""
        newest = newest_of(CachePurge, seen=self._newest)
        if self._newest is None or newest < self._newest:
            self._begin(call, newest, is_another=self._newest is not None)
        elif newest > self._newest:
            rows = CachePurge.objects.filter(pk__gt=self._newest).order_by("pk").values_list(*_COLUMNS)
            orders = [Purge(*row) for row in rows[:MOST]]
            self._newest = orders[-1].number if orders else newest
            call(partial(self._cache.purge, orders))
        if (now := self._now()) >= self._prune_at:
            self._prune_at = now if prune() else now + PRUNING_S

    def leave(self) -> None:
        """Nothing is left behind."""

    def _begin(self, call: Call, newest: int, *, is_another: bool) -> None:
        """Of another database's numbers nothing is known: what was stored under them is purged."""
        self._newest = newest
        if is_another:
            call(partial(self._cache.begin_anew, newest))
            return
        rows = CachePurge.objects.filter(pk__lte=newest).order_by("-pk").values_list(*_COLUMNS)
        orders = [Purge(*row) for row in rows[:MOST]]
        if len(orders) == MOST:
            orders.append(Purge(orders[-1].number, "all"))
        call(partial(self._cache.purge, orders))


def prune(*, kept: int = KEPT_ROWS) -> bool:
    """Deletes rows that are too many; True: there may be more of them."""
    keys = list(CachePurge.objects.order_by("-pk").values_list("pk", flat=True)[kept : kept + PRUNED_AT_ONCE])
    if keys:
        CachePurge.objects.filter(pk__in=keys).delete()
    return len(keys) >= PRUNED_AT_ONCE
