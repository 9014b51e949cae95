"""D: Active checks of targets, put together for one worker: who asks, what is asked, and where the answers go.

services with `health`, and discovered targets ──▶ Prober ──▶ states of targets ──▶ pools
                          RedisLease, or alone ──▶ Leader ┘ └──▶ HealthLog ──▶ rows that admin shows
"""

from collections.abc import Callable, Mapping
from random import Random

from authproxy.probing import Probing
from authproxy.services import ServiceRuntime
from authproxy.upstream.base import Transport
from resilience.leader import Alone, Leader
from resilience.policies import HealthPolicy
from resilience.prober import Prober, Watched
from resilience.state import TargetState
from resilience.stores.connection import RedisLink
from resilience.stores.leases import RedisLease
from resilience.stores.news import RedisNews
from resilience.stores.verdicts import SharedVerdicts
from routing.healthlog import HealthLog
from routing.leasing import Targets
from routing.snapshot import CompiledService, Snapshot


class Checking:
    """One worker's checks."""

    def __init__(
        self,
        *,
        name: str,
        worker: str,
        link: RedisLink | None,
        redis_url: str | None,
        current: Callable[[], Snapshot | None],
        rng: Random,
        database: bool,
    ) -> None:
        self._current = current
        shared = None
        if link is not None and redis_url is not None:
            shared = SharedVerdicts(RedisNews(link, redis_url), prefix=f"{name}:")
        lease = Alone() if link is None else RedisLease(link, "probing", prefix=f"{name}:")
        self._leader = Leader(lease, holder=f"{worker}:{rng.getrandbits(64):x}", rng=rng, leads_alone=True)
        self._probing = Probing(self._services)
        self.prober = Prober(self._probing, node=worker, leader=self._leader, rng=rng, shared=shared)
        self._log = HealthLog(self.prober) if database else None
        self._leased: dict[str, Targets] = {}
        self._states: Mapping[str, TargetState] = {}
        self._is_running = False

    async def start(self) -> None:
        """Begins to ask."""
        self._is_running = True
        await self._leader.start()
        self.prober.start()
        if self._log is not None:
            self._log.start()

    async def stop(self) -> None:
        """Asks no more."""
        if self._is_running:
            await self.prober.stop()
            if self._log is not None:
                await self._log.stop()
            await self._leader.stop()
        await self._probing.aclose()

    def lease(self, service: str, targets: Targets) -> list[Transport]:
        """These targets of a service registered themselves; transports that no check needs now are answered."""
        self._leased[service] = targets
        if not targets:
            del self._leased[service]
        return self.reconcile()

    def reconcile(self) -> list[Transport]:
        """After anything changed: what is asked from now on. Transports that no check needs now are answered."""
        watched = self._probing.watched()
        services, states = self._services(), {}
        for name, targets in self._leased.items():
            service = services.get(name)
            if service is not None:
                runtime: ServiceRuntime = service.runtime
                states.update(runtime.state.targets)
                if name not in watched:
                    watched[name] = _as_leased(targets, runtime)
        self._states = states
        self.prober.watch(watched)
        return self._probing.reconcile()

    def passes(self, url: str) -> bool | None:
        """What checks say of a discovered target; None: nothing is known. May be called from any thread."""
        state = self._states.get(url)
        return None if state is None else state.healthy

    def _services(self) -> Mapping[str, CompiledService]:
        snapshot = self._current()
        return {} if snapshot is None else snapshot.services


def _as_leased(targets: Targets, runtime: ServiceRuntime) -> Watched:
    """Where the service says nothing of checks, its discovered targets are asked as the first of them wants."""
    policy = HealthPolicy(path=targets[0].check_endpoint, interval_s=targets[0].check_interval_s)
    return Watched(policy, tuple(target.url for target in targets), runtime.state)
