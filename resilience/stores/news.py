"""I: Redis for what workers tell each other (breakers, verdicts): scripts over the worker's link, and news over a
subscription of its own.

The subscription follows the link: when Redis comes back, it is made anew, and whoever wants to know is told that the
others may have decided something meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import RedisError

from resilience.stores.address import Address, address_of
from resilience.stores.breakers import StoreAway
from resilience.stores.clients import options_of, sentinel_options_of
from resilience.stores.connection import Away, RedisLink, Script

LOG = logging.getLogger(__name__)
SUBSCRIBE_S: Final = 1.0
LOOK_S: Final = 0.5
"""How often a quiet subscription looks whether the link is still the one that it began with."""
PAUSE_S: Final = 0.25
LOST: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""How a connection fails. uvloop's transports say RuntimeError once they are closed."""
_USUAL: Final[dict[str, Any]] = {"protocol": 2, "socket_connect_timeout": SUBSCRIBE_S}


class RedisNews:
    """A `Store`: of a worker's breakers, or of its verdicts. The link is started and stopped by whoever made it."""

    def __init__(self, link: RedisLink, url: str) -> None:
        self._link = link
        self._address = address_of(url)
        self._heard: dict[str, Callable[[bytes], None]] = {}
        self._up: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._attempts = count()
        self._is_stopped = False

    @property
    def is_up(self) -> bool:
        """Whether the link is."""
        return self._link.is_up

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes]) -> Any:
        """A script's answer; raises StoreAway."""
        answer = await self._link.run(script, keys, arguments)
        if isinstance(answer, Away):
            raise StoreAway(answer.why)
        return answer

    def subscribe(self, channel: str, hear: Callable[[bytes], None]) -> None:
        """Before `start`."""
        self._heard[channel] = hear

    def when_up(self, listener: Callable[[], None]) -> None:
        """Before `start`."""
        self._up.append(listener)

    def start(self) -> None:
        """Begins to listen, on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends the subscription, without waiting for a server that hangs."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=SUBSCRIBE_S)

    async def _run(self) -> None:
        while not self._is_stopped:
            if self._link.is_up:
                try:
                    await self._listen()
                except LOST as error:
                    LOG.info("workers do not hear each other: %s", error)
                except Exception:
                    LOG.exception("workers do not hear each other")
            await asyncio.sleep(PAUSE_S)

    async def _listen(self) -> None:
        """Until Redis goes away."""
        outages = self._link.counts.outages
        client = _client_of(self._address, next(self._attempts))
        try:
            async with client.pubsub() as news:
                async with asyncio.timeout(SUBSCRIBE_S):
                    await self._subscribe(news)
                for listener in self._up:
                    listener()
                while not self._is_stopped and self._link.is_up and self._link.counts.outages == outages:
                    message = await news.get_message(ignore_subscribe_messages=True, timeout=LOOK_S)
                    if message is not None:
                        self._heard[message["channel"].decode()](message["data"])
        finally:
            with suppress(*LOST):
                async with asyncio.timeout(SUBSCRIBE_S):
                    await client.aclose()

    async def _subscribe(self, news: PubSub) -> None:
        """Returns when the server has said that nothing will be missed from now on."""
        await news.subscribe(*self._heard)
        missing = len(self._heard)
        while missing:
            message = await news.get_message(timeout=SUBSCRIBE_S)
            missing -= message is not None and message["type"] == "subscribe"


def _client_of(address: Address, attempt: int) -> Redis:
    """Of a Cluster one node after the other: each hears what is published anywhere."""
    if address.kind == "single":
        return Redis.from_url(address.url, **_USUAL)
    usual = {**_USUAL, **options_of(address)}
    if address.kind == "cluster":
        host, port = address.nodes[attempt % len(address.nodes)]
        return Redis(host=host, port=port, **usual)
    sentinel: Any = Sentinel
    watching = {**sentinel_options_of(address), **_USUAL}
    master: Redis = sentinel(address.nodes, sentinel_kwargs=watching).master_for(
        address.service, **{**usual, "db": address.db}
    )
    return master
