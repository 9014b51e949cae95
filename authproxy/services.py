"""I: What forwarding needs of each service: endpoints parsed once, a transport that outlives snapshots.

The compiler calls `Upstreams.prepare` for every service that it compiles anew; what it returns becomes the compiled
service's `runtime`. A transport is kept as long as the settings of its connections stay the same, so a publish never
closes connections of services that it did not change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

import httpx

from authproxy.exchange import Exchange
from authproxy.hashing import hash_key_of
from authproxy.headers import Pair
from authproxy.upstream.base import Transport
from authproxy.upstream.transport import transport_for
from resilience import ejection
from resilience.balancer import Member, Pool
from resilience.breakers import Breakers
from resilience.budget import RetryBudget
from resilience.clock import monotonic
from resilience.concurrency import ConcurrencyLimit, LimitTable
from resilience.ejection import Ejected, Returned
from resilience.guard import Guard
from resilience.policies import EjectionPolicy, RetryPolicy
from resilience.state import ServiceState, StateTable
from routing.snapshot import CompiledService, CompiledTarget, Snapshot

_MAX_CURSOR: Final = 1 << 16
POOL_TIMEOUT_S: Final = 2.0
"""How long a request may wait for one of `max_connections` to come free."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One target, ready to be sent to."""

    url: httpx.URL
    host: Pair
    base_path: bytes
    name: str


@dataclass(frozen=True, slots=True)
class ServiceRuntime:
    """What a request to a service needs; of what is None, a service has none."""

    state: ServiceState
    transport: Transport
    endpoints: tuple[Endpoint, ...]
    pool: Pool
    timeouts: dict[str, float]
    total_timeout_s: float
    roll: Callable[[], float]
    leased: tuple[CompiledTarget, ...] | None = None
    """The targets among them that registered themselves."""
    hash_key: Callable[[Exchange], bytes] | None = None
    limit: ConcurrencyLimit | None = None
    breaker: Guard | None = None
    retries: RetryPolicy | None = None
    budget: RetryBudget | None = None
    judge: Callable[[int, bool | None], None] | None = None
    """Hears of each attempt at a target whether it failed (None: nobody can say)."""


Tell = Callable[[Ejected | Returned], None]


def _nobody(_event: Ejected | Returned) -> None:
    """Where nothing is recorded."""


class Upstreams:
    """What this process knows of services beyond a snapshot. Only the event loop's thread may call it.

    `tell` hears who is ejected.
    """

    def __init__(
        self, states: StateTable, *, rng: Random, breakers: Breakers | None = None, tell: Tell | None = None
    ) -> None:
        self._states = states
        self._tell = _nobody if tell is None else tell
        self._rng = rng
        self._breakers = breakers
        self._limits = LimitTable()
        self._budgets: dict[str, RetryBudget] = {}
        self._transports: dict[tuple[object, ...], Transport] = {}
        self._leased: dict[str, tuple[CompiledTarget, ...]] = {}

    def prepare(self, service: CompiledService) -> ServiceRuntime:
        """Everything that a request to `service` needs, with the transport reused where it can be.

        The snapshot may yet be refused: what outlives it goes by its policies only after `reconcile`.
        """
        key = _connection_key(service)
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = transport_for(service)
        state = self._states.get(service.name, cursor=self._rng.randrange(_MAX_CURSOR))
        targets = self._targets(service)
        pool = Pool(service.balancing, [_member(each) for each in targets], state, rng=self._rng)
        return ServiceRuntime(
            state=state,
            transport=transport,
            endpoints=tuple(_endpoint(target) for target in targets),
            pool=pool,
            roll=self._rng.random,
            leased=self._leased.get(service.name),
            hash_key=hash_key_of(service.balancing),
            limit=self._limit(service),
            breaker=self._breaker(service),
            retries=service.retries,
            budget=self._budget(service),
            judge=None if service.ejection is None else _Judge(service.ejection, state, pool, self._tell),
            timeouts={
                "connect": service.connect_timeout_s,
                "read": service.read_timeout_s,
                "write": service.read_timeout_s,
                "pool": min(POOL_TIMEOUT_S, service.total_timeout_s),
            },
            total_timeout_s=service.total_timeout_s,
        )

    def lease(self, name: str, targets: tuple[CompiledTarget, ...], snapshot: Snapshot | None) -> None:
        """The targets of a service that registered themselves: they come and go without a revision."""
        self._leased[name] = targets
        if not targets:
            del self._leased[name]
        service = None if snapshot is None else snapshot.services.get(name)
        if service is not None:
            self._prepare_anew(service)

    def readmit(self, name: str, target: str) -> None:
        """An operator's word: a target is not ejected any more. Nothing happens where there is no such target."""
        service = self._states.peek(name)
        state = None if service is None else service.targets.get(target)
        if service is not None and state is not None:
            ejection.readmit(service, state, monotonic())
            self._tell(Returned(name, target))

    def _prepare_anew(self, service: CompiledService) -> None:
        """Requests that come from now on find the other targets; the others go on with what they have."""
        object.__setattr__(service, "runtime", self.prepare(service))
        self._keep_connections(service)

    def _targets(self, service: CompiledService) -> tuple[CompiledTarget, ...]:
        leased = self._leased.get(service.name)
        if leased is None:
            return service.targets
        known = {target.url for target in service.targets}
        return (*service.targets, *(target for target in leased if target.url not in known))

    def _limit(self, service: CompiledService) -> ConcurrencyLimit | None:
        policy = service.concurrency
        return None if policy is None else self._limits.get(service.name, policy)

    def _breaker(self, service: CompiledService) -> Guard | None:
        if service.breaker is None or self._breakers is None:
            return None
        return self._breakers.propose(service.name, service.breaker)

    def _budget(self, service: CompiledService) -> RetryBudget | None:
        if service.retries is None:
            return None
        budget = self._budgets.get(service.name)
        if budget is None:
            budget = self._budgets[service.name] = RetryBudget(service.retries.budget)
        return budget

    def reconcile(self, snapshot: Snapshot, spawn: Callable[[Transport], None]) -> None:
        """After a swap: its policies count, services that are gone are forgotten, and `spawn` closes transports that
        nobody uses now."""
        services = snapshot.services
        self._states.keep(services)
        self._limits.keep(name for name, each in services.items() if each.concurrency is not None)
        self._budgets = {name: each for name, each in self._budgets.items() if name in services}
        if self._breakers is not None:
            self._breakers.keep([name for name, each in services.items() if each.breaker is not None])
        used = {_connection_key(service) for service in services.values()}
        for key in self._transports.keys() - used:
            spawn(self._transports.pop(key))
        for service in services.values():
            self._adopt(service)
            leased = self._leased.get(service.name)
            if service.runtime.leased is not leased:  # they came while it was compiled
                self._prepare_anew(service)
            else:
                self._keep_connections(service)

    def _adopt(self, service: CompiledService) -> None:
        """What is counted stays; what is allowed is this service's word from now on."""
        runtime: ServiceRuntime = service.runtime
        if runtime.limit is not None and service.concurrency is not None:
            runtime.limit.adopt(service.concurrency)
        if self._breakers is not None and runtime.breaker is not None and service.breaker is not None:
            self._breakers.adopt(runtime.breaker, service.breaker)
        if runtime.budget is not None and service.retries is not None:
            runtime.budget.adopt(service.retries.budget)

    def _keep_connections(self, service: CompiledService) -> None:
        runtime: ServiceRuntime = service.runtime
        runtime.transport.keep_only([endpoint.url for endpoint in runtime.endpoints])
        runtime.pool.settle()

    async def aclose(self) -> None:
        """Close every connection: the process is about to end."""
        transports = list(self._transports.values())
        self._transports.clear()
        for transport in transports:
            await transport.aclose()


class _Judge:
    """Leaves out targets whose requests fail, for a while."""

    __slots__ = ("_policy", "_pool", "_state", "_tell")

    def __init__(self, policy: EjectionPolicy, state: ServiceState, pool: Pool, tell: Tell) -> None:
        self._tell = tell
        self._policy = policy
        self._state = state
        self._pool = pool

    def __call__(self, index: int, failed: bool | None) -> None:
        if failed is None:
            return
        event = ejection.record(self._policy, self._state, self._pool.states[index], failed, monotonic())
        if event is not None:
            self._tell(event)


def _member(target: CompiledTarget) -> Member:
    return Member(target.url, target.weight, target.zone, target.backup, target.drain)


def _connection_key(service: CompiledService) -> tuple[object, ...]:
    return (service.name, service.protocol, service.max_connections, service.tls, service.descriptors)


def _endpoint(target: CompiledTarget) -> Endpoint:
    return Endpoint(
        url=_connect_url(target),
        host=(b"host", target.authority),
        base_path=target.base_path,
        name=target.url,
    )


def _connect_url(target: CompiledTarget) -> httpx.URL:
    """Where to connect. A Unix socket's path travels as the percent-encoded host, as in curl's http+unix URLs."""
    if target.socket_path is not None:
        return httpx.URL(scheme="unix", host="localhost", path=target.socket_path)
    return httpx.URL(scheme=target.scheme, host=target.host, port=target.port, path="/")
