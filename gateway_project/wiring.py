"""D: The composition root: every part of the gateway is made here, by hand, and handed what it needs.

database, Redis, last good file ──▶ watcher ──▶ registry ──▶ snapshot
                                                   │            ▲ read once per request
                                 upstreams ◀───────┘         pipeline ──▶ routed traffic
                                                                └──────▶ built-in endpoints
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final, Literal

from authproxy import https
from authproxy.exchange import ASGIApp, Receive, Scope, Send
from authproxy.forwarded import ForwardingFields
from authproxy.pipeline import Pipeline
from authproxy.plan import prepare_route
from authproxy.services import Upstreams
from authproxy.upstream.base import Transport
from gateway_project.config import GatewayConfig
from gateway_project.server.draining import DrainState
from observability.health import Health
from resilience.state import StateTable
from routing import notify
from routing.compiler import CompileOptions, compile_snapshot
from routing.lastgood import LastGood, read_revision
from routing.registry import Registry
from routing.snapshot import Snapshot
from routing.watcher import RevisionWatcher

Role = Literal["all", "data", "control"]
VERSION: Final = "0.1.0"
EMPTY_DOCUMENT: Final = {"version": 1}
_SERVED_BY_DATA_NODES: Final = frozenset({"health"})
_LONGEST_REQUEST_S: Final = 24 * 3600.0
_log = logging.getLogger(__name__)


class Gateway:
    """One worker's parts. `application` answers HTTP; `start` and `stop` frame its life."""

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
        self._closing: set[asyncio.Task[None]] = set()
        self._watcher: RevisionWatcher | None = None
        self._upstreams = Upstreams(StateTable(), rng=Random())  # noqa: S311 - starting points, not secrets
        self._options = CompileOptions(
            env=environ,
            api_prefix=config.api_prefix,
            service_timeout_s=config.service_timeout_s,
            prepare_route=prepare_route,
            prepare_service=self._upstreams.prepare,
        )
        self._nothing = compile_snapshot(EMPTY_DOCUMENT, revision=0, options=self._options)
        self._registry = Registry(self._options)
        self._registry.subscribe(self._swapped)
        self._health = Health(version=VERSION, api_prefix=config.api_prefix, unready=self._unready)
        self.application: ASGIApp = Pipeline(
            snapshot=self._snapshot,
            builtin=self._builtin,
            served=_SERVED_BY_DATA_NODES if role == "data" or revision_file is not None else None,
            forwarding=ForwardingFields([str(network) for network in config.trusted_proxies]),
            refuse_http=https.refusal_for(config.enforce_https),
        )

    async def start(self) -> None:
        """Load what is to be served. A revision file that does not compile stops the start."""
        if self._revision_file is not None:
            record = read_revision(self._revision_file)
            if not await self._registry.offer(record):
                raise RuntimeError(self._registry.error)
            return
        notify.bind_redis(self._redis_url())
        watcher = RevisionWatcher(self._registry, last_good=LastGood(self._config.var_dir), role=self._role)
        watcher.listen(redis_url=self._redis_url())
        self._watcher = watcher
        await watcher.start()

    async def stop(self) -> None:
        """Stop watching and close every upstream connection."""
        if self._watcher is not None:
            await self._watcher.stop()
        await self._upstreams.aclose()
        for closing in self._closing:
            closing.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _redis_url(self) -> str | None:
        redis = self._config.redis
        return str(redis.url) if redis.mode == "server" else None

    def _snapshot(self) -> Snapshot:
        if self._role == "control":
            return self._nothing
        return self._registry.current or self._nothing

    def _unready(self) -> str | None:
        if self._drain.draining:
            return "draining"
        if self._registry.current is None:
            return "no configuration has been published yet"
        return None

    async def _builtin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._health.serves(scope["path"]):
            await self._health(scope, receive, send)
        else:
            await self._control(scope, receive, send)

    def _swapped(self, _old: Snapshot | None, new: Snapshot) -> None:
        self._upstreams.reconcile(new, self._close_later)

    def _close_later(self, transport: Transport) -> None:
        """Requests under way end on the connections that they began with, however long they take."""
        task = asyncio.get_running_loop().create_task(transport.aclose(grace_s=_LONGEST_REQUEST_S))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
