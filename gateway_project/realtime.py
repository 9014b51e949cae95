"""D: Events and those who subscribe to them, put together for one worker.

Redis ──▶ RedisStream ──▶ Hub ──▶ Sessions ◀── `{API_PREFIX}/ws`
"""

from collections.abc import Callable
from random import Random
from secrets import token_hex

from authproxy.exchange import ASGIApp
from gateway_project.config import GatewayConfig
from gateway_project.identities import Identities
from gateway_project.server.draining import DrainState
from realtime.consumers import Endpoint
from realtime.hub import current
from realtime.hub.hub import Hub
from realtime.hub.stream import RedisStream
from realtime.routing import application, endpoints
from realtime.sessions.sessions import Sessions
from routing.snapshot import Snapshot


class Realtime:
    """One worker's. Answers from the start; `start` and `stop` frame what it shares with other workers."""

    def __init__(
        self,
        config: GatewayConfig,
        redis_url: str | None,
        snapshot: Callable[[], Snapshot],
        identities: Identities,
        drain: DrainState,
    ) -> None:
        rng = Random()  # noqa: S311 - when, not secrets
        stream = None
        if redis_url is not None:
            stream = RedisStream(redis_url, key=f"{{{config.service_name}:events}}", rng=rng)
        self.hub = Hub(node=token_hex(4), stream=stream)
        self.sessions = Sessions(
            self.hub,
            snapshot=snapshot,
            authenticator=identities.gatekeeper.authenticator,
            changes=identities.changes,
            key=config.credential_pepper.encode(),
            rng=rng,
            is_open=not config.enable_authentication,
        )
        endpoint = Endpoint(self.sessions, realm=config.service_name)
        self.application: ASGIApp = application(endpoints(config.api_prefix, endpoint))
        """Answers the handshakes of built-in endpoints."""
        drain.on_begin(self.sessions.leave)

    async def start(self) -> None:
        """Redis may be there or not, now and later."""
        await self.hub.start()
        current.bind(self.hub)

    async def stop(self) -> None:
        """Closes what is left."""
        current.unbind(self.hub)
        self.sessions.stop()
        await self.hub.stop()
