"""I: uvicorn's server with our connections, our way to leave, and no timer of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from gateway_project.server.context import ServerContext
from gateway_project.server.draining import DrainState
from gateway_project.server.handshakes import GatewayWebSocket
from gateway_project.server.limits import ServerLimits
from gateway_project.server.protocol import GatewayProtocol
from gateway_project.server.spec import LeavingTimes

logger = logging.getLogger(__name__)

__all__ = ["GatewayServer", "LeavingTimes", "StartupFailed", "running", "server_config"]

_POLL_S = 0.02  # while draining: uvicorn's WebSocket connections do not say when they are gone


_SPREAD_S = 5.0  # over which WebSocket connections are asked to leave


class StartupFailed(RuntimeError):  # noqa: N818 - as people say it
    """The application's lifespan said no."""


class ProtocolFactory:
    """Stands in for a protocol class in uvicorn's configuration: gives every connection the shared context."""

    def __init__(self, limits: ServerLimits, drain: DrainState) -> None:
        self._limits = limits
        self._drain = drain
        self._context: ServerContext | None = None

    def __call__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> GatewayProtocol:
        context = self._context
        if context is None:
            loop = _loop or asyncio.get_running_loop()
            context = self._context = ServerContext(self._limits, self._drain, loop)
        return GatewayProtocol(config, server_state, app_state, _loop, context=context)


def server_config(app: Any, *, limits: ServerLimits, drain: DrainState) -> uvicorn.Config:
    """`app` is an ASGI application or where to import it from."""
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", ProtocolFactory(limits, drain)),
        ws=GatewayWebSocket,
        ws_max_size=limits.max_websocket_message_bytes,
        loop="uvloop",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=2048,
    )


class GatewayServer(uvicorn.Server):
    """Serves until `stop` is called (or SIGTERM comes), then leaves as `LeavingTimes` says."""

    def __init__(
        self,
        config: uvicorn.Config,
        drain: DrainState,
        *,
        times: LeavingTimes,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._times = times
        self._on_ready = on_ready
        self.ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._grace_s = times.grace_s
        self._starting: asyncio.Task[Any] | None = None

    def stop(self, *, grace: bool = True) -> None:
        """`grace=False`: others already accept in our place, so nothing to wait for. Gives up a startup under way."""
        if not grace:
            self._grace_s = 0.0
        self._drain.begin()
        self._stop.set()
        if self._starting is not None:
            self._starting.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._starting = asyncio.current_task()
        await self.lifespan.startup()
        self._starting = None
        if self.lifespan.should_exit:
            raise StartupFailed("the application did not start")
        loop = asyncio.get_running_loop()

        def connection() -> asyncio.Protocol:
            factory = cast("ProtocolFactory", self.config.http_protocol_class)
            return factory(self.config, self.server_state, self.lifespan.state, loop)

        self.servers = [
            await loop.create_server(connection, sock=sock, backlog=self.config.backlog)
            for sock in sockets or ()
        ]
        self.started = True
        self.ready.set()
        if self._on_ready is not None:
            self._on_ready()

    async def main_loop(self) -> None:
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Grace, then no new connections, then as long as requests need within the drain timeout."""
        if self._grace_s:
            await asyncio.sleep(self._grace_s)
        for server in self.servers:
            server.close()
        try:
            async with asyncio.timeout(self._times.drain_timeout_s):
                await self._until_quiet()
        except TimeoutError:
            await self._cut_off()
        await self.lifespan.shutdown()

    async def _until_quiet(self) -> None:
        """Tells each connection once; WebSockets spread over time, as their clients come back at once, elsewhere."""
        told: set[Any] = set()
        connections: set[Any] = self.server_state.connections
        while connections or self.server_state.tasks:
            for connection in connections - told:
                self._tell(connection)
            told = set(connections)
            await asyncio.sleep(_POLL_S)

    def _tell(self, connection: Any) -> None:
        if isinstance(connection, GatewayProtocol):
            connection.shutdown()
            return
        spread_s = min(_SPREAD_S, self._times.drain_timeout_s / 2)
        wait_s = random.random() * spread_s  # noqa: S311 - when, not secrets
        asyncio.get_running_loop().call_later(wait_s, self._tell_later, connection)

    def _tell_later(self, connection: Any) -> None:
        if connection in self.server_state.connections:
            connection.shutdown()

    async def _cut_off(self) -> None:
        tasks = list(self.server_state.tasks)
        logger.warning("Cutting off %d requests that did not finish in time", len(tasks))
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


@contextlib.asynccontextmanager
async def running(server: GatewayServer, sockets: list[socket.socket]) -> AsyncIterator[GatewayServer]:
    """Serves on bound sockets within the caller's event loop, which need not be uvloop's."""
    serving = asyncio.create_task(server.serve(sockets))
    starting = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait((serving, starting), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        yield server
    finally:
        starting.cancel()
        server.stop(grace=False)
        await serving
