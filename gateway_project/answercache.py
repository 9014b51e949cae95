"""D: The response cache of one worker, put together: its memory, its own way to Redis, and operators' purges.

The way is its own because stored answers are long: what limits and breakers say must not wait behind them.
"""

from random import Random

from authproxy.caching.cache import Cache
from authproxy.caching.shared import SharedStore, Tally
from authproxy.purgewatch import PurgeWatch
from resilience.stores.address import address_of
from resilience.stores.connection import RedisLink
from routing.breakerlog import BreakerLog
from routing.snapshot import Snapshot


class AnswerCache:
    """`cache` works from the start; `start` and `stop` frame what it shares with other workers."""

    def __init__(self, *, name: str, redis_url: str | None, rng: Random, log: BreakerLog | None) -> None:
        """`log` carries purges from the database; None where there is none."""
        self._link: RedisLink | None = None
        store: SharedStore | None = None
        if redis_url is not None:
            self._link = RedisLink(redis_url, rng=rng, so="each worker caches answers for itself")
            is_cluster = address_of(redis_url).kind == "cluster"
            store = SharedStore(self._link, prefix=f"{name}:cache", one_slot=is_cluster)
        self.tally: Tally | None = None if store is None else store.tally
        """Of what is shared."""
        self.cache = Cache(store=store, waits_for_purges=log is not None)
        self.cache.is_used = False
        self._log = log

    async def start(self) -> None:
        """Before the log is started."""
        if self._log is not None:
            self._log.carry(PurgeWatch(self.cache))
        if self._link is not None:
            await self._link.start()
        self.cache.start()

    async def stop(self) -> None:
        await self.cache.stop()
        if self._link is not None:
            await self._link.stop()

    def reconcile(self, snapshot: Snapshot) -> None:
        """After a swap: Redis is left alone where no route caches."""
        self.cache.is_used = any(route.shapes.cache is not None for route in snapshot.routes.values())
