"""D: Events and those who subscribe to them, put together for one worker.

Redis ──▶ RedisStream ──▶ Hub ──▶ Sessions ◀── `{API_PREFIX}/ws`
                          ├──▶ Streams  ◀── `{API_PREFIX}/events/stream`
                          └◀── Posting  ◀── `{API_PREFIX}/events`
"""

from collections.abc import Callable
from random import Random
from secrets import token_hex

from authproxy import security
from authproxy.exchange import ASGIApp, Receive, Scope, Send
from authproxy.identity import Identity
from gateway_project.config import GatewayConfig
from gateway_project.identities import Identities
from gateway_project.server.draining import DrainState
from realtime.closecodes import TOO_SLOW
from realtime.consumers import Endpoint
from realtime.hub import current
from realtime.hub.hub import Hub
from realtime.hub.names import Names
from realtime.hub.stream import RedisStream
from realtime.ownevents import OwnEvents
from realtime.posting import Posting
from realtime.routing import application, endpoints
from realtime.sessions.sessions import Sessions
from realtime.streams import Streams
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
        stream = names = None
        if redis_url is not None:
            stream = RedisStream(redis_url, key=f"{{{config.service_name}:events}}", rng=rng)
            names = Names(stream.link, prefix=f"{config.service_name}:connection:")
        self.hub = Hub(node=token_hex(4), stream=stream)
        self.own = OwnEvents(self.hub)
        """What hooks of this worker tell, as events for staff."""
        self._unbind: Callable[[], None] | None = None
        self.sessions = Sessions(
            self.hub,
            snapshot=snapshot,
            authenticator=identities.gatekeeper.authenticator,
            changes=identities.changes,
            key=config.credential_pepper.encode(),
            rng=rng,
            names=names,
            is_open=not config.enable_authentication,
        )
        self._snapshot = snapshot
        realm, is_open = config.service_name, not config.enable_authentication
        self._streams = Streams(
            self.hub,
            may=self.sessions.may,
            changes=identities.changes,
            realm=realm,
            rng=rng,
            is_open=is_open,
        )
        self._http: dict[str, ASGIApp] = {
            f"{config.api_prefix}/events": Posting(
                self.hub, may_publish=self._may_publish, realm=realm, is_open=is_open
            ),
            f"{config.api_prefix}/events/stream": self._streams,
        }
        endpoint = Endpoint(self.sessions, realm=realm)
        self.application: ASGIApp = application(endpoints(config.api_prefix, endpoint))
        """Answers the handshakes of built-in endpoints."""
        drain.on_begin(self.sessions.leave)
        drain.on_begin(self._streams.leave)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers requests for what `serves` says."""
        await self._http[scope["path"]](scope, receive, send)

    def serves(self, path: str) -> bool:
        """Whether it is one of the endpoints for events."""
        return path in self._http

    @property
    def stats(self) -> dict[str, int]:
        """Of this worker since its start; `connections`, `streams` and `subscriptions` are those of now."""
        hub, sessions = self.hub.tally, self.sessions.tally
        return {
            "connections": len(self.sessions),
            "streams": len(self._streams),
            "subscriptions": self.hub.subscriptions,
            **{name: getattr(hub, name) for name in hub.__slots__},
            "opened": sessions.opened,
            "refused_messages": sessions.refused,
            "turned_away": sessions.turned_away,
            "slow_readers": self.sessions.closed[TOO_SLOW] + self._streams.cut,
        }

    def reconcile(self, new: Snapshot) -> None:
        """After a swap: rights may have changed."""
        self.sessions.reconcile(new)
        self._streams.reconcile(new)

    def _may_publish(self, identity: Identity, topic: str) -> bool:
        snapshot = self._snapshot()
        return snapshot.topics.may_publish(topic, identity, identity.scopes(snapshot.roles))

    async def start(self) -> None:
        """Redis may be there or not, now and later."""
        await self.hub.start()
        current.bind(self.hub)
        self._unbind = security.bind(self.own.security)
        self.own.start()

    async def stop(self) -> None:
        """Closes what is left."""
        current.unbind(self.hub)
        if self._unbind is not None:
            self._unbind()
        await self.own.stop()
        self.sessions.stop()
        await self.hub.stop()
