"""I: How the parts of a worker stand at the moment of a scrape. Any thread may look; nothing is changed by it."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from authproxy.services import ServiceRuntime
from observability.metrics import catalogue as names
from observability.metrics.catalogue import FAMILIES
from observability.metrics.samples import Samples
from resilience.breaker import State
from resilience.clock import monotonic
from routing.snapshot import Snapshot

_STATES: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


def read_snapshot(snapshot: Snapshot, into: Samples, now: float) -> None:
    """Which revision is served, and how its services stand. `now` is monotonic."""
    into.put(names.REVISION, snapshot.revision)
    into.put(names.OLDEST_REVISION, snapshot.revision)
    into.put(names.ROUTES, len(snapshot.routes))
    for name, service in snapshot.services.items():
        if service.runtime is not None:
            _read_service(name, service.runtime, into, now)


def _read_service(name: str, runtime: ServiceRuntime, into: Samples, now: float) -> None:
    into.put(names.UPSTREAM_IN_FLIGHT, runtime.state.in_flight, name)
    if runtime.breaker is not None:
        into.put(names.BREAKER, _STATES[runtime.breaker.state], name)
    for target in runtime.pool.states:
        into.put(names.TARGET_UP, int(target.healthy is not False), name, target.name)
        into.put(names.TARGET_EJECTED, int(target.ejected_until > now), name, target.name)


def snapshot_reader(
    current: Callable[[], Snapshot | None], clock: Callable[[], float] = monotonic
) -> Callable[[Samples], None]:
    """A source that reads what is served now."""

    def read(into: Samples) -> None:
        snapshot = current()
        if snapshot is not None:
            read_snapshot(snapshot, into, clock())

    return read


def process_reader() -> Callable[[Samples], None]:
    """A source that reads what the process uses, by prometheus_client's collectors."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)

    def read(into: Samples) -> None:
        for metric in registry.collect():
            for sample in metric.samples:
                family = FAMILIES.get(sample.name)
                if family is not None:
                    into.put(sample.name, sample.value, *(sample.labels[label] for label in family.labels))

    return read
