"""I: The keys that an identity provider publishes at one address, fetched aside and kept.

Theory of operation. A set is fetched when its provider appears, and again before it is too old, so that requests
find it ready. Only a token that names an unknown key makes somebody wait: for the next fetch that begins after the
token came. All who wait share it, and fetches keep a distance, so that made-up names cost the provider nothing.
While a provider cannot be reached, its keys serve on for a while, and unknown ones are "unavailable" at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from authproxy.jwks import BadDocument, PublishedKeys, lifetime_s, parse_discovery, parse_keys
from authproxy.signatures import Key

logger = logging.getLogger("torana.keys")


class Fetched(NamedTuple):
    """A document as it came, with the fields that say for how long it counts."""

    body: bytes
    cache_control: str = ""
    age: str = ""


class FetchFailed(Exception):  # noqa: N818 - what happened
    """The document could not be had; the message says why."""


Fetch = Callable[[str], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations in seconds."""

    default_ttl: float = 600.0
    least_ttl: float = 60.0
    most_ttl: float = 86_400.0
    refresh_at: float = 0.8  # of its lifetime a set has when it is fetched anew
    stale: float = 86_400.0  # for which keys serve on while the provider cannot be reached
    floor: float = 5.0  # between the beginnings of two fetches
    retry: float = 2.0  # after a failure; twice as long after each further one
    longest_retry: float = 60.0
    wait: float = 12.0  # for which a request waits at most
    waiting: int = 256  # requests at once; more are told to come again


class KeySet:
    """The keys at one address."""

    def __init__(
        self,
        url: str,
        *,
        is_discovery: bool,
        fetch: Fetch,
        limits: Limits,
        clock: Callable[[], float],
        withdrawn: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = url
        self.issuer: str | None = None
        """Who the discovery document says it is of; None before it was read, and without one."""
        self.fetches = 0
        self.failures = 0
        """How many fetches have failed in a row."""
        self._is_discovery = is_discovery
        self._fetch = fetch
        self._limits = limits
        self._clock = clock
        self._withdrawn = withdrawn
        self._keys = PublishedKeys()
        self._fresh_until = self._usable_until = self._retry_at = float("-inf")
        self._began_at = float("-inf")
        self._waiting = 0
        self._running: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def find(self, algorithm: str, kid: str | None) -> tuple[Key, ...] | None:
        """The keys that may have signed a token; None where a fetch might bring the right one."""
        now = self._clock()
        if now >= self._fresh_until and not (self.failures and now < self._usable_until):
            return None
        return self._keys.find(algorithm, kid)

    async def refreshed(self) -> bool:
        """Wait for a fetch that begins from now on; False if there was none, or it brought nothing."""
        if self._waiting >= self._limits.waiting:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.wait):
                return await self._next_fetch(since=self._clock())
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1

    def prefetch(self) -> None:
        """Begin to fetch the keys unless they are there or on their way. Needs a running loop."""
        if self._clock() >= self._fresh_until and not self.failures:
            self._begin()

    def close(self) -> None:
        """Nothing is fetched any more; who waits is told that there is nothing."""
        for each in (self._timer, self._running):
            if each is not None:
                each.cancel()

    async def _next_fetch(self, *, since: float) -> bool:
        """A fetch that was under way already may have been answered before the provider knew the key."""
        while True:
            if self.failures and self._clock() < self._retry_at:
                return False
            await asyncio.wait({task := self._begin()})
            if task.cancelled() or self.failures:
                return False
            if self._began_at >= since:
                return True

    def _begin(self) -> asyncio.Task[None]:
        if self._running is None or self._running.done():
            if self._timer is not None:
                self._timer.cancel()
            self._running = asyncio.get_running_loop().create_task(self._update())
        return self._running

    async def _update(self) -> None:
        await asyncio.sleep(max(0.0, self._began_at + self._limits.floor - self._clock()))
        self._began_at = self._clock()
        self.fetches += 1
        try:
            await self._load()
        except (FetchFailed, BadDocument) as error:
            self._failed(str(error))
        except Exception as error:
            # Whatever it was: the old keys stay, and the next fetch is due as after any failure.
            self._failed(type(error).__name__)
        else:
            if self.failures:
                logger.warning("The keys at %s can be had again.", _shown(self.url))
            self.failures = 0
        until = self._retry_at if self.failures else self._refresh_at()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, until - self._clock()), self._begin)

    async def _load(self) -> None:
        url, issuer = self.url, None
        if self._is_discovery:
            issuer, url = parse_discovery((await self._fetch(url)).body, url=url)
        answer = await self._fetch(url)
        keys = parse_keys(answer.body)
        limits = self._limits
        lifetime = lifetime_s(
            answer.cache_control,
            answer.age,
            default=limits.default_ttl,
            least=limits.least_ttl,
            most=limits.most_ttl,
        )
        has_withdrawn = bool(self._keys - keys) or self.issuer not in (None, issuer)
        self._keys, self.issuer = keys, issuer
        self._fresh_until = self._began_at + lifetime
        self._usable_until = self._fresh_until + limits.stale
        if has_withdrawn:
            self._withdrawn()

    def _refresh_at(self) -> float:
        return self._began_at + (self._fresh_until - self._began_at) * self._limits.refresh_at

    def _failed(self, why: str) -> None:
        self.failures += 1
        pause = min(self._limits.retry * 2 ** min(self.failures - 1, 16), self._limits.longest_retry)
        self._retry_at = self._clock() + pause
        if self.failures == 1:
            logger.warning("The keys at %s cannot be had: %s", _shown(self.url), why)


def _shown(url: str) -> str:
    """Without what may be a secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
