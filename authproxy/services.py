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

from authproxy.headers import Pair
from authproxy.upstream.base import Transport
from authproxy.upstream.transport import transport_for
from resilience.balancer import POLICIES, Pick
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
    state: ServiceState
    transport: Transport
    endpoints: tuple[Endpoint, ...]
    count: int
    pick: Pick
    timeouts: dict[str, float]
    total_timeout_s: float


class Upstreams:
    """The transports of this process, one per service. Only the event loop's thread may call it."""

    def __init__(self, states: StateTable, *, rng: Random) -> None:
        self._states = states
        self._rng = rng
        self._transports: dict[tuple[object, ...], Transport] = {}

    def prepare(self, service: CompiledService) -> ServiceRuntime:
        """Everything that a request to `service` needs, with the transport reused where it can be."""
        key = _connection_key(service)
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = transport_for(service)
        endpoints = tuple(_endpoint(target) for target in service.targets)
        return ServiceRuntime(
            state=self._states.get(service.name, cursor=self._rng.randrange(_MAX_CURSOR)),
            transport=transport,
            endpoints=endpoints,
            count=len(endpoints),
            pick=POLICIES[service.load_balancing],
            timeouts={
                "connect": service.connect_timeout_s,
                "read": service.read_timeout_s,
                "write": service.read_timeout_s,
                "pool": min(POOL_TIMEOUT_S, service.total_timeout_s),
            },
            total_timeout_s=service.total_timeout_s,
        )

    def reconcile(self, snapshot: Snapshot, spawn: Callable[[Transport], None]) -> None:
        """After a swap: forget services that are gone, and `spawn` the closing of transports nobody uses now."""
        self._states.keep(snapshot.services)
        used = {_connection_key(service) for service in snapshot.services.values()}
        for key in self._transports.keys() - used:
            spawn(self._transports.pop(key))
        for service in snapshot.services.values():
            runtime: ServiceRuntime = service.runtime
            runtime.transport.keep_only([endpoint.url for endpoint in runtime.endpoints])

    async def aclose(self) -> None:
        """Close every connection: the process is about to end."""
        transports = list(self._transports.values())
        self._transports.clear()
        for transport in transports:
            await transport.aclose()


def _connection_key(service: CompiledService) -> tuple[object, ...]:
    return (service.name, service.protocol, service.max_connections, service.tls)


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
