"""I: Answers that are fetched beside the traffic, while a stale one is served (stale-while-revalidate, RFC 5861)."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from authproxy.bodies import Replay
from authproxy.caching.asking import PLAIN, without_conditions
from authproxy.caching.cache import Cache
from authproxy.caching.filling import SCOPE_FILLING, Filling, fill
from authproxy.caching.flights import Landing
from authproxy.caching.validation import conditions
from authproxy.exchange import Exchange, Message, ResponseAborted
from authproxy.headers import RequestHead
from authproxy.steps import Destination, RoutePlan
from authproxy.subrequests import nobody, throw_away, with_plan
from resilience.clock import monotonic
from routing.snapshot import CompiledRoute

LONGEST_S: Final = 300.0
_COPIED: Final = ("path", "origin", "identity", "caller_fields", "auth_failure", "rewritten")
_OF_THE_HEAD: Final = ("host", "request_id", "traceparent", "forwarding", "credentials")


class Refreshing:
    """One route's: the same requests, with nobody who waits for their answers."""

    __slots__ = ("_destination", "_route")

    def __init__(self, route: CompiledRoute, destination: Destination) -> None:
        self._destination = destination
        plan = RoutePlan((), (), nobody, (fill,))
        changes = {"response_headers": None, "quotas": (), "concurrency": None, "fault": None}
        self._route = with_plan(route, plan, **changes)

    def begin(self, cache: Cache, client: Exchange, filling: Filling) -> None:
        """Asks for a client's answer again. Whoever waits on the flight hears how it ended."""
        filling.asked = PLAIN
        filling.head_only = False
        filling.stores = True
        if not cache.beside(self._ask(cache, _copied(client, self._route, filling), filling)):
            cache.close(filling.opened)
            filling.land(Landing.UNSHARED)

    async def _ask(self, cache: Cache, exchange: Exchange, filling: Filling) -> None:
        try:
            with suppress(ResponseAborted, TimeoutError):
                async with asyncio.timeout(LONGEST_S):
                    await self._destination(exchange)
        finally:
            if not filling.begun:
                cache.close(filling.opened)
                filling.land(Landing.UNSHARED)


async def _never() -> Message:
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


def _copied(client: Exchange, route: CompiledRoute, filling: Filling) -> Exchange:
    """The client's request, as the service is to get it; nothing of it is shared but what nobody changes."""
    head = RequestHead()
    for name in _OF_THE_HEAD:
        setattr(head, name, getattr(client.head, name))
    head.passed = without_conditions(client.head.passed)
    if filling.entry is not None:
        head.passed += conditions(filling.entry.etag, filling.entry.last_modified)
    scope: dict[str, Any] = {**client.scope, "method": "GET", "extensions": {}, SCOPE_FILLING: filling}
    exchange = Exchange(
        scope, Replay(b"", _never), throw_away, snapshot=client.snapshot, head=head, started=monotonic()
    )
    for name in _COPIED:
        if hasattr(client, name):
            setattr(exchange, name, getattr(client, name))
    exchange.route = route
    return exchange
