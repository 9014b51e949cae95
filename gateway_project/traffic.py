"""D: Everything that holds traffic in check, put together for one worker.

Redis ──▶ RedisLink ──▶ limits, breakers ─┐
database ──▶ BreakerLog, LeaseWatch ──────┼──▶ Doors, Upstreams ──▶ plans of routes, runtimes of services
this process ──▶ states, crowds, budgets ─┘
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from authproxy.admission import Gatekeeper
from authproxy.bus import Bus
from authproxy.limitedlog import LimitedLog
from authproxy.limiting import Limiter, Limits
from authproxy.plan import Doors, Tunnels
from authproxy.quotalog import QuotaLog, ResetWatch
from authproxy.services import Upstreams
from authproxy.steps import Step
from authproxy.upstream.base import Transport
from gateway_project.answercache import AnswerCache
from gateway_project.checking import Checking
from resilience.breakers import Breakers
from resilience.clock import wall_clock
from resilience.concurrency import LimitTable
from resilience.policies import QuotaPolicy
from resilience.prober import Prober
from resilience.state import StateTable
from resilience.stores.connection import RedisLink
from resilience.stores.memory import MemoryStore
from resilience.stores.news import RedisNews
from resilience.stores.redis import RedisStore
from resilience.stores.seeds import OwnSeeds, SharedSeeds
from routing import livestates
from routing.breakerlog import BreakerLog, Passenger
from routing.canaries import wanted_canaries
from routing.canarylog import CanaryLog
from routing.leasewatch import LeaseWatch
from routing.leasing import Targets
from routing.snapshot import Snapshot
from routing.targetlog import TargetLog
from routing.targets import parse_target

LOG: Final = logging.getLogger("torana.canaries")
_DECIDING_S: Final = 0.2
_ENDPOINT: Final = (QuotaPolicy("health", 600, 60.0),)
"""Of `{API_PREFIX}/health`, where the settings give no default quotas."""


class Traffic:
    """One worker's. Answers from the start; `start` and `stop` frame what it shares with other workers."""

    def __init__(
        self,
        *,
        name: str,
        worker: str,
        redis_url: str | None,
        gatekeeper: Gatekeeper,
        current: Callable[[], Snapshot | None],
        close_later: Callable[[Transport], None],
        database: bool,
        var_dir: Path,
        workers: int = 1,
        tunnel: Tunnels | None = None,
        bus: Bus | None = None,
        passengers: tuple[Passenger, ...] = (),
    ) -> None:
        """`name` is the installation's: those that share a Redis are told apart by it. `workers` share this node.

        `tunnel` makes the way of routes' WebSocket connections; routes publish to `bus`; `passengers` read and
        write rows as well.
        """
        rng = Random()  # noqa: S311 - who is next, not secrets
        self._link = None if redis_url is None else RedisLink(redis_url, rng=rng)
        prefix, own = f"{{{name}:limits}}", MemoryStore(share=1 if self._link is None else workers)
        self._shared = None if self._link is None else RedisStore(self._link, local=own, prefix=prefix)
        self.limiter = Limiter(self._shared or own, wall_clock=wall_clock)
        self._own = own
        self._redis_url = redis_url
        news = None if self._link is None or redis_url is None else RedisNews(self._link, redis_url)
        self.breakers = Breakers(worker=worker, store=news, prefix=f"{name}:")
        self._current = current
        self._passengers = passengers
        self._log = BreakerLog(self.breakers) if database else None
        self._targets = TargetLog(self._readmit, node=worker, wake=self._log.wake) if self._log else None
        self._limited = LimitedLog(self.limiter) if database else None
        link = self._link
        seeding = OwnSeeds(own) if link is None else SharedSeeds(link, own, worker=worker, prefix=prefix)
        self._quotas = QuotaLog(self.limiter, seeding) if database else None
        self._checking = Checking(
            name=name,
            worker=worker,
            link=link,
            redis_url=redis_url,
            current=current,
            rng=rng,
            database=database,
        )
        passes = self._checking.passes
        self._leases = LeaseWatch(self._lease, passes=passes, var_dir=var_dir) if database else None
        self._is_following = False
        self._deciding: asyncio.Task[None] | None = None
        self._close_later = close_later
        self.states = StateTable()
        tell = None if self._targets is None else self._targets.note
        self.upstreams = Upstreams(self.states, rng=rng, breakers=self.breakers, tell=tell)
        self._cache = AnswerCache(name=name, redis_url=redis_url, rng=rng, log=self._log)
        crowds, cache = LimitTable(), self._cache.cache
        self.doors = Doors(gatekeeper, self.limiter, crowds, rng, cache=cache, tunnel=tunnel, bus=bus)

    @property
    def prober(self) -> Prober:
        """What checks targets."""
        return self._checking.prober

    @property
    def decided_alone(self) -> int:
        """Requests whose quotas this worker decided without Redis."""
        return 0 if self._shared is None else self._shared.tally.degraded

    @property
    def queues(self) -> dict[str, Callable[[], int]]:
        """How much was let go for want of room or could not be kept, by what it was. Any thread may ask."""
        found = {"rate_limit_buckets": lambda: self._own.dropped}
        if self._link is not None:
            counts = self._link.counts
            found["redis"] = lambda: counts.dropped
        if (tally := self._cache.tally) is not None:
            found["cache"] = lambda: tally.dropped + tally.lost
        for log in (self._log, self._limited, self._quotas):
            if log is not None:
                found[log.name.replace("-", "_")] = partial(getattr, log, "lost")
        return found

    @property
    def redis(self) -> RedisLink | None:
        """The way to Redis; None where each worker counts for itself."""
        return self._link

    def endpoint_step(self, path: str, quotas: tuple[QuotaPolicy, ...]) -> Step:
        """Counts requests to one built-in endpoint."""
        limits = Limits(path, quotas or _ENDPOINT, self.limiter)
        return lambda exchange: limits.limit(exchange) if exchange.path.match == path else None

    async def start(self) -> None:
        """Redis may be there or not, now and later."""
        if self._link is not None:
            await self._link.start()
        self.breakers.start()
        rows = [each for each in (self._log, self._leases) if each is not None]
        self._is_following = bool(rows)
        for each in rows:
            each.listen(redis_url=self._redis_url)
        if self._log is not None and self._targets is not None and self._quotas is not None:
            self._log.carry(self._targets)
            self._log.carry(ResetWatch(self._quotas.wake))
            for passenger in (CanaryLog(self.doors.canaries), *self._passengers):
                self._log.carry(passenger)
        else:
            self._deciding = asyncio.get_running_loop().create_task(self._decide_alone())
        await self._cache.start()
        livestates.bind(self.states)
        if self._limited is not None:
            self._limited.start()
        starting = [each.start() for each in (*rows, self._quotas) if each is not None]
        await asyncio.gather(self._checking.start(), *starting)

    async def stop(self) -> None:
        """Ends what is shared, and closes every upstream connection."""
        livestates.unbind(self.states)
        if self._is_following:
            rows = (self._log, self._leases, self._limited, self._quotas)
            await asyncio.gather(*(each.stop() for each in rows if each))
        if self._deciding is not None:
            self._deciding.cancel()
        await self._checking.stop()
        await self._cache.stop()
        await self.breakers.stop()
        if self._shared is not None:
            await self._shared.stop()
        if self._link is not None:
            await self._link.stop()
        await self.doors.mirrors.aclose()
        await self.upstreams.aclose()

    def _lease(self, service: str, targets: Targets) -> None:
        found = tuple(replace(parse_target(each.url), weight=each.weight) for each in targets)
        self.upstreams.lease(service, found, self._current())
        for transport in self._checking.lease(service, targets):
            self._close_later(transport)

    def _readmit(self, service: str, target: str) -> None:
        """An operator put it back: it is neither ejected nor unhealthy until something says so anew."""
        self.upstreams.readmit(service, target)
        self._checking.prober.reset(service, target)

    async def _decide_alone(self) -> None:
        """Without a database each worker moves its canaries itself, and begins anew with each start."""
        while True:
            for route, standing in self.doors.canaries.decide_alone(wall_clock()):
                LOG.info("canary of %s: %s (%s)", route, standing.stage, standing.reason)
            await asyncio.sleep(_DECIDING_S)

    def reconcile(self, snapshot: Snapshot) -> None:
        """After a swap: forget what is there no more, and close the connections that nobody uses now."""
        self.upstreams.reconcile(snapshot, self._close_later)
        for transport in self._checking.reconcile():
            self._close_later(transport)
        crowded = [name for name, route in snapshot.routes.items() if route.concurrency is not None]
        self.doors.crowds.keep(crowded)
        self._cache.reconcile(snapshot)
        self.doors.canaries.reconcile(wanted_canaries(snapshot.routes), snapshot.revision)
