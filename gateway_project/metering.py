"""D: Where the metrics of one worker come from, and who may read them: `/metrics`.

Recorder ──▶ Counting ─┐
limits, breakers, cache, identities, events, connections, queues, process ──▶ Metering ──▶ Metrics
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway_project.config import GatewayConfig
from gateway_project.identities import Identities
from gateway_project.messagehub import MessageHub
from gateway_project.realtime import Realtime
from gateway_project.server.context import REFUSAL_LISTENERS
from gateway_project.server.refusals import Refusal
from gateway_project.traffic import Traffic
from observability.metrics import catalogue as names
from observability.metrics.endpoint import Metrics
from observability.metrics.metering import Metering, Source
from observability.metrics.readings import process_reader, snapshot_reader
from observability.metrics.samples import Samples
from observability.traffic.recent import Recent
from observability.traffic.recorder import Recorder
from realtime.tunnel.sockets import Sockets
from resilience.breakers import BreakerEvent
from routing.registry import Registry

_EVENTS: Final = ("published", "alone", "refused", "taken", "duplicates", "delivered", "replayed", "gaps")
_CLIENTS: Final = ("opened", "refused_messages", "turned_away", "slow_readers")
_REDIS: Final = ("failed", "refused", "dropped")


class Meters:
    """One worker's. `start` and `stop` frame its life; `queues` says what was dropped, by the queue's name."""

    def __init__(
        self,
        config: GatewayConfig,
        *,
        version: str,
        registry: Registry,
        recorder: Recorder,
        traffic: Traffic,
        identities: Identities,
        realtime: Realtime,
        sockets: Sockets,
        hub: MessageHub,
        in_flight: Callable[[], int],
        more: tuple[Source, ...] = (),
    ) -> None:
        self._refused: Counter[tuple[str, str]] = Counter()
        self._breakers: Counter[tuple[str, str]] = Counter()
        traffic.breakers.on_transition(self._changed)
        self.queues: dict[str, Callable[[], int]] = {
            "requests": lambda: recorder.dropped,
            "own_events": lambda: realtime.own.dropped,
            **traffic.queues,
            **identities.queues,
        }
        if hub.link is not None:
            counts = hub.link.counts
            self.queues["bus"] = lambda: counts.dropped

        def own(into: Samples) -> None:
            into.put(names.BUILD, 1, version)
            into.put(names.IN_FLIGHT, in_flight())
            _put_all(into, names.MALFORMED, self._refused)
            _put_all(into, names.BREAKER_CHANGES, self._breakers)
            for queue, dropped in list(self.queues.items()):
                into.put(names.DROPPED, dropped(), queue)

        sources: tuple[Source, ...] = (
            own,
            snapshot_reader(lambda: registry.current),
            _registry_reader(registry),
            _traffic_reader(traffic),
            _callers_reader(identities, sockets, realtime),
            _events_reader(realtime, hub),
            process_reader(),
            *more,
        )
        self.metering = Metering(config.var_dir, sources)
        self.recent = Recent()
        recorder.subscribe(self.metering.counting)
        recorder.subscribe(self.recent)
        self.application = Metrics(
            self.metering.gather,
            token=config.metrics_token,
            access=config.ops_access,
            realm=config.service_name,
            drain=recorder.drain,
        )

    async def start(self) -> None:
        """Requests that the server refuses are counted from now on, too."""
        REFUSAL_LISTENERS.append(self._refuse)
        await self.metering.start()

    async def stop(self) -> None:
        """Writes what was counted last."""
        if self._refuse in REFUSAL_LISTENERS:
            REFUSAL_LISTENERS.remove(self._refuse)
        await self.metering.stop()

    def dropped(self) -> dict[str, int]:
        """How much each queue of this worker has let go, of those that did."""
        return {queue: number for queue, count in self.queues.items() if (number := count())}

    def _refuse(self, refusal: Refusal, _client: str, _request_id: str) -> None:
        self._refused[str(refusal.status), refusal.code] += 1

    def _changed(self, event: BreakerEvent) -> None:
        self._breakers[event.service, event.after.value] += 1


def _put_all(into: Samples, name: str, counts: Mapping[Any, int]) -> None:
    for key, number in dict(counts).items():
        into.put(name, number, *((key,) if isinstance(key, str) else key))


def _registry_reader(registry: Registry) -> Source:
    def read(into: Samples) -> None:
        into.put(names.REFUSED_REVISION, int(bool(registry.error)))
        if registry.since_s is not None:
            into.put(names.REVISION_SINCE, registry.since_s)

    return read


def _traffic_reader(traffic: Traffic) -> Source:
    def read(into: Samples) -> None:
        _put_all(into, names.DECISIONS, traffic.limiter.decisions)
        into.put(names.ALONE, traffic.decided_alone)
        link = traffic.redis
        if link is not None:
            into.put(names.REDIS_UP, int(link.is_up))
            into.put(names.REDIS_CALLS, link.counts.calls, "sent")
            for what in _REDIS:
                into.put(names.REDIS_CALLS, getattr(link.counts, what), what)

    return read


def _callers_reader(identities: Identities, sockets: Sockets, realtime: Realtime) -> Source:
    def read(into: Samples) -> None:
        _put_all(into, names.AUTH_FAILURES, identities.gatekeeper.refusals)
        _put_all(into, names.WEBSOCKETS, sockets.by_route)
        into.put(names.WEBSOCKETS, len(realtime.sessions), "")

    return read


def _events_reader(realtime: Realtime, hub: MessageHub) -> Source:
    def read(into: Samples) -> None:
        for what in _EVENTS:
            into.put(names.EVENTS, getattr(realtime.hub.tally, what), what)
        into.put(names.SUBSCRIPTIONS, realtime.hub.subscriptions)
        stats = realtime.stats
        for what in _CLIENTS:
            into.put(names.EVENT_CLIENTS, stats[what], what)
        _put_all(into, names.BUS, hub.counts)
        if hub.outbox is not None and hub.outbox.waiting is not None:
            into.put(names.BUS_WAITING, hub.outbox.waiting)

    return read
