"""D: The composition root: every part of the gateway is made here, by hand, and handed what it needs.

database, Redis, last good file ──▶ watcher ──▶ registry ──▶ snapshot
                                                   │            ▲ read once per request
                     upstreams, identities ◀───────┘         pipeline ──▶ routed traffic
                                                                └──────▶ built-in endpoints
"""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Final, Literal

from authproxy import https, proxystatus, servertiming, upstreamdocs
from authproxy.exchange import SCOPE_REQUEST_ID, ASGIApp, Receive, Scope, Send
from authproxy.forwarded import ForwardingFields
from authproxy.lasting import Lasting
from authproxy.pipeline import Pipeline
from authproxy.plan import prepare_route
from authproxy.securityfields import security_fields
from authproxy.upstream.base import Transport
from authproxy.upstreamdocs import UpstreamDocuments
from gateway_project import peeking
from gateway_project.accesslogging import AccessLogging
from gateway_project.alerting import alert_duty, alerts_reader
from gateway_project.config import GatewayConfig
from gateway_project.detailing import Detailing
from gateway_project.identities import Identities
from gateway_project.messagehub import MessageHub
from gateway_project.metering import Meters
from gateway_project.realtime import Realtime
from gateway_project.requestlogging import request_log
from gateway_project.server.draining import DrainState
from gateway_project.server.spec import WORKERS_VARIABLE
from gateway_project.tracing import Tracing
from gateway_project.traffic import Traffic
from gateway_project.version import VERSION
from observability.alerts.certificates import Certificates
from observability.alerts.duty import AlertDuty
from observability.applog import IDS, Ids
from observability.health import Health
from observability.requests.log import RequestLog
from observability.rollups.live import LiveTraffic
from observability.rollups.log import TrafficLog
from observability.status import Status
from observability.traffic.recorder import Recorder
from realtime.socketlog import SocketLog
from realtime.tunnel.opening import tunnel_for
from realtime.tunnel.sockets import Sockets
from resilience.stores.memory import MemoryStore
from routing import notify, served
from routing.compiler import CompileOptions, compile_snapshot
from routing.lastgood import LastGood, read_revision
from routing.options import compile_options
from routing.registry import Registry
from routing.schedulewatch import ScheduleWatch
from routing.snapshot import CompiledService, Snapshot
from routing.watcher import RevisionWatcher

Role = Literal["all", "data", "control"]
EMPTY_DOCUMENT: Final = {"version": 1}
_SERVED_BY_DATA_NODES: Final = frozenset({"events", "health", "metrics", "monitoring", "status", "websocket"})
_LONGEST_REQUEST_S: Final = 24 * 3600.0
_log = logging.getLogger(__name__)


class Gateway:
    """One worker's parts. `application` answers HTTP; `start` and `stop` frame its life."""

    _schedules: ScheduleWatch | None = None
    _alerts: AlertDuty | None = None

    def __init__(
        self,
        config: GatewayConfig,
        *,
        control: ASGIApp,
        role: Role,
        revision_file: Path | None,
        drain: DrainState,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._config = config
        self._role = role
        self._revision_file = revision_file
        self._drain = drain
        self._control = control
        self._certificates = Certificates()
        self._closing: set[asyncio.Task[None]] = set()
        self._watcher: RevisionWatcher | None = None
        self._identities = Identities(config, has_database=revision_file is None)
        self._sockets = Sockets(changes=self._identities.changes, rng=Random())  # noqa: S311 - when, not secrets
        self._lasting = Lasting(self._identities.changes)
        self._message_hub = MessageHub(
            config.message_hub_url, worker=_worker_name(), has_database=revision_file is None
        )
        self._traffic = self._make_traffic(environ)
        self._realtime = Realtime(config, self._redis_url(), self._snapshot, self._identities, drain)
        subjects = lambda: self._snapshot().topics.bus_subjects  # noqa: E731 - asked for each time
        self._message_hub.feed(self._realtime.hub.publish, subjects, name=config.service_name)
        self._options = self._make_options(environ)
        self._nothing = compile_snapshot(EMPTY_DOCUMENT, revision=0, options=self._options)
        """No routes: what a control node serves, where callers have their rights all the same."""
        self._registry = Registry(self._options)
        self._documents = UpstreamDocuments(self._current)
        self._registry.subscribe(self._swapped)
        self._listen_to_itself()
        self._health = Health(
            version=VERSION,
            api_prefix=config.api_prefix,
            unready=self._unready,
            realm=config.service_name,
        )
        self._status = Status(self._services, name=config.service_name)
        self._recorder, self._logs = _recording(config, has_database=revision_file is None)
        self._access_log = AccessLogging(config, self._recorder)
        self._tracing = Tracing(config, self._recorder, version=VERSION, worker=_worker_name())
        self._live_traffic = LiveTraffic(self._realtime.own.traffic, worker=self._realtime.hub.node)
        self._recorder.subscribe(self._live_traffic)
        pipeline = self._pipeline()
        self._meters = self._make_meters(pipeline)
        self._meters.queues["access_log"] = lambda: self._access_log.dropped
        self._meters.queues["traces"] = lambda: self._tracing.dropped
        for log in self._logs:
            self._meters.queues[log.name.replace("-", "_")] = partial(getattr, log, "dropped")
        self._detailing = self._make_detailing()
        self.application: ASGIApp = pipeline
        self.connect: ASGIApp = pipeline.connect
        """Answers WebSocket handshakes."""

    def _listen_to_itself(self) -> None:
        """What the gateway says of itself becomes events for staff."""
        own = self._realtime.own
        self._registry.subscribe(own.revision)
        self._traffic.breakers.on_record(own.breaker)
        self._traffic.prober.on_verdict(own.target)

    async def start(self) -> None:
        """Load what is to be served. A revision file that does not compile stops the start."""
        self._recorder.start()
        self._access_log.start()
        self._tracing.start()
        self._live_traffic.start()
        await self._meters.start()
        served.bind(self._current, self._options)
        if self._revision_file is not None:
            await self._message_hub.start()
            await asyncio.gather(self._identities.start(), self._traffic.start(), self._realtime.start())
            record = read_revision(self._revision_file)
            if not await self._registry.offer(record):
                raise RuntimeError(self._registry.error)
            return
        for log in self._logs:
            log.start()
        notify.bind_redis(self._redis_url())
        if isinstance(store := self._traffic.limiter.store, MemoryStore) and self._role != "control":
            peeking.bind(store)
        watcher = RevisionWatcher(self._registry, last_good=LastGood(self._config.var_dir), role=self._role)
        watcher.listen(redis_url=self._redis_url())
        self._watcher = watcher
        await asyncio.gather(
            self._identities.start(redis_url=self._redis_url()),
            self._traffic.start(),
            self._realtime.start(),
            self._message_hub.start(),
            watcher.start(),
        )
        if self._role != "data":
            self._schedules = ScheduleWatch()
            self._schedules.start()
            self._alerts = alert_duty(
                self._current,
                self._certificates,
                worker=_worker_name(),
                gateway=self._config.service_name,
            )
            self._alerts.start()
            self._documents.start()
            upstreamdocs.bind(self._documents)

    async def stop(self) -> None:
        """Stop watching and close every upstream connection."""
        if self._watcher is not None:
            await self._watcher.stop()
        if self._schedules is not None:
            await self._schedules.stop()
        if self._alerts is not None:
            await self._alerts.stop()
        served.unbind(self._current)
        peeking.unbind(self._traffic.limiter.store)
        upstreamdocs.unbind(self._documents)
        await self._documents.stop()
        await self._detailing.stop()
        self._recorder.stop()
        self._live_traffic.stop()
        for log in self._logs:
            await log.stop()
        await self._access_log.stop()
        await self._tracing.stop()
        await self._meters.stop()
        await self._message_hub.stop()
        await self._realtime.stop()
        await self._identities.stop()
        await self._traffic.stop()
        for closing in self._closing:
            closing.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _make_traffic(self, environ: Mapping[str, str]) -> Traffic:
        worker = _worker_name()
        return Traffic(
            name=self._config.service_name,
            worker=worker,
            redis_url=self._redis_url(),
            gatekeeper=self._identities.gatekeeper,
            current=lambda: self._registry.current,
            close_later=self._close_later,
            database=self._revision_file is None,
            var_dir=self._config.var_dir,
            workers=int(environ.get(WORKERS_VARIABLE, "1")),
            tunnel=tunnel_for(self._sockets),
            bus=self._message_hub.bus,
            passengers=(SocketLog(self._sockets, node=worker),),
        )

    def _make_options(self, environ: Mapping[str, str]) -> CompileOptions:
        doors = replace(self._traffic.doors, lasting=self._lasting)
        return replace(
            compile_options(self._config, environ),
            prepare_route=partial(prepare_route, doors=doors),
            prepare_service=self._traffic.upstreams.prepare,
        )

    def _make_detailing(self) -> Detailing:
        return Detailing(
            self._config,
            version=VERSION,
            role=self._role,
            has_database=self._revision_file is None,
            redis=self._traffic.redis,
            decided_alone=lambda: self._traffic.decided_alone,
            revision=lambda: None if self._registry.current is None else self._registry.current.revision,
            unready=self._unready,
            services=self._services,
            bus=self._message_hub.check,
            realtime=lambda: self._realtime.stats,
            recent=self._meters.recent.shown,
            dropped=self._meters.dropped,
            traces=self._tracing.counts,
        )

    def _make_meters(self, pipeline: Pipeline) -> Meters:
        return Meters(
            self._config,
            version=VERSION,
            registry=self._registry,
            recorder=self._recorder,
            traffic=self._traffic,
            identities=self._identities,
            realtime=self._realtime,
            sockets=self._sockets,
            hub=self._message_hub,
            in_flight=lambda: pipeline.in_flight,
            more=(self._tracing.read, alerts_reader(lambda: self._alerts, self._certificates)),
        )

    def _pipeline(self) -> Pipeline:
        config, is_bare = self._config, self._role == "data" or self._revision_file is not None
        return Pipeline(
            snapshot=self._snapshot,
            builtin=self._builtin,
            builtin_socket=self._realtime.application,
            recognise=self._identities.gatekeeper.recognise,
            served=_SERVED_BY_DATA_NODES if is_bare else None,
            forwarding=ForwardingFields([str(network) for network in config.trusted_proxies]),
            refuse_http=https.refusal_for(config.enforce_https),
            cors=self._options.traffic.cors,
            safety=security_fields(is_on=config.security_headers, promises_https=config.promises_https),
            limit_builtin=self._traffic.endpoint_step(
                f"{config.api_prefix}/health", self._options.traffic.quotas
            )
            if config.enable_rate_limiting
            else None,
            on_arrival=(
                *((servertiming.tell,) if config.debug else ()),
                *((proxystatus.tell,) if config.proxy_status else ()),
            ),
            spans=self._tracing.spans,
            on_finish=(self._recorder.note,) if config.telemetry else (),
        )

    def _redis_url(self) -> str | None:
        redis = self._config.redis
        return str(redis.url) if redis.mode == "server" else None

    def _snapshot(self) -> Snapshot:
        if self._role == "control":
            return self._nothing
        return self._registry.current or self._nothing

    def _current(self) -> Snapshot | None:
        return self._registry.current

    def _services(self) -> Mapping[str, CompiledService]:
        return {} if self._registry.current is None else self._registry.current.services

    def _unready(self) -> str | None:
        if self._drain.draining:
            return "draining"
        if self._registry.current is None:
            return "no configuration has been published yet"
        return None

    async def _builtin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._health.serves(scope["path"]):
            await self._health(scope, receive, send)
        elif self._status.serves(scope["path"]):
            await self._status(scope, receive, send)
        elif self._realtime.serves(scope["path"]):
            await self._realtime(scope, receive, send)
        elif self._meters.application.serves(scope["path"]):
            await self._meters.application(scope, receive, send)
        elif self._detailing.application.serves(scope["path"]):
            await self._detailing.application(scope, receive, send)
        else:
            traceparent = dict(scope["headers"]).get(b"traceparent", b"")
            request_id = scope.get(SCOPE_REQUEST_ID, b"")
            IDS.set(Ids(request_id.decode("ascii", "replace"), traceparent[3:35].decode("ascii", "replace")))
            await self._control(scope, receive, send)

    def _swapped(self, _old: Snapshot | None, new: Snapshot) -> None:
        self._nothing = replace(
            self._nothing,
            roles=new.roles,
            default_roles=new.default_roles,
            plans=new.plans,
            providers=new.providers,
        )
        self._traffic.reconcile(new)
        self._identities.reconcile(new)
        self._sockets.reconcile(new)
        self._lasting.reconcile(new)
        self._realtime.reconcile(new)
        self._documents.reconcile()

    def _close_later(self, transport: Transport) -> None:
        """Requests under way end on the connections that they began with, however long they take."""
        task = asyncio.get_running_loop().create_task(transport.aclose(grace_s=_LONGEST_REQUEST_S))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _recording(
    config: GatewayConfig, *, has_database: bool
) -> tuple[Recorder, tuple[TrafficLog | RequestLog, ...]]:
    """What is told of finished requests; what keeps their figures, and some of them for staff."""
    recorder = Recorder()
    if not has_database:
        return recorder, ()
    requests = request_log(config, node=_worker_name())
    logs = (TrafficLog(worker=token_hex(6)), *(() if requests is None else (requests,)))
    for log in logs:
        recorder.subscribe(log)
    if requests is not None:
        recorder.watch(requests)
    return recorder, logs
