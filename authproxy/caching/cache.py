"""I: The response cache of one worker: a small memory, Redis behind it, and what operators have purged.

request ─▶ Memory ─▶ SharedStore ─▶ service
              ▲           ▲
purges ───────┴───────────┘   by number: see `authproxy.caching.purges`
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Final, NamedTuple

from authproxy.caching.entry import Entry, Varying
from authproxy.caching.flights import Flights
from authproxy.caching.keys import EVERYBODY, URL, Key, Values, values_of
from authproxy.caching.memory import Memory, Uncached
from authproxy.caching.purges import Purge, Purges, meant_by
from authproxy.caching.shared import SharedStore
from authproxy.headers import Pairs

LOG: Final = logging.getLogger(__name__)
_new = tuple.__new__
MOST_BESIDE: Final = 64
"""Answers that are fetched beside the traffic at a time."""
HEARING_S: Final = 0.25
WEIGHING: Final = 8
"""Every how many hearings Redis is weighed."""
DEAF_S: Final = 30.0
"""After so long without news, what other workers invalidated may have been missed."""
ENOUGH_S: Final = 0.025
"""A first answer of Redis that took so long is not followed by a second question."""


class Fetched(NamedTuple):
    """What there is, once Redis was asked. `epoch` None: it did not say, and nothing is to be stored there."""

    entry: Entry | Uncached | None
    epoch: bytes | None


Variants = tuple[Values | None, Values | None]
"""Of the request's own answer, and of everybody's; None: they are not distinguished, as far as is known."""


class Open:
    """A request to a service or to Redis whose answer may be kept. `number` is of the newest purge when it was sent."""

    __slots__ = ("barred", "number", "url")

    def __init__(self, url: URL, number: int) -> None:
        self.url = url
        self.number = number
        self.barred = False
        """The URL was invalidated meanwhile: the answer may be from before."""


class Cache:
    """`store` None: nothing is shared. `waits_for_purges`: until they are known, nothing in Redis is trusted."""

    def __init__(
        self,
        memory: Memory | None = None,
        store: SharedStore | None = None,
        *,
        waits_for_purges: bool = False,
    ) -> None:
        self.memory = Memory() if memory is None else memory
        self.flights = Flights()
        self.purges = Purges()
        self._store = store
        self._knows_purges = not waits_for_purges
        self._open: dict[URL, set[Open]] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._hearing: asyncio.Task[None] | None = None
        self.is_used = True
        """Some route has a cache; else Redis is left alone."""

    def find(self, own: Key, *fields: Pairs) -> Entry | Uncached | None:
        """The request's own answer, or everybody's: in this process, as old as it may be."""
        found = self.memory.find(own, *fields)
        if type(found) is Entry:
            return found
        return self.memory.find(public_of(own), *fields) or found

    def variant_of(self, own: Key, *fields: Pairs) -> Variants:
        """What distinguishes this request's answer from others under its keys, as far as that is known."""
        return self._known_values(own, fields), self._known_values(public_of(own), fields)

    @property
    def is_shared(self) -> bool:
        """Whether Redis can be asked now."""
        return self._store is not None and self._store.is_up and self._knows_purges

    async def fetch(self, own: Key, *fields: Pairs) -> Fetched:
        """The same as `find`, once Redis was asked. What it has may be in this process then, unless it was invalidated
        meanwhile."""
        opened = self.open(own.url)
        try:
            return await self._fetched(opened, own, fields)
        finally:
            self.close(opened)

    async def _fetched(self, opened: Open, own: Key, fields: tuple[Pairs, ...]) -> Fetched:
        store, public = self._store, public_of(own)
        assert store is not None
        loop = asyncio.get_running_loop()
        began, kept = loop.time(), (self._known_values(own, fields), self._known_values(public, fields))
        sighting = await store.find(own.url, ((own, kept[0]), (public, kept[1])))
        if sighting is None or opened.barred:
            return Fetched(self.find(own, *fields), None)
        mine, everybodys = sighting.found
        if type(mine) is Entry and kept[0] is None and self._holds(own.url, mine):
            if self.memory.admits(own):
                self.memory.put(own, mine, ())
            return Fetched(mine, sighting.epoch)
        varying = [(key, each) for key, each in ((own, mine), (public, everybodys)) if type(each) is Varying]
        if varying and loop.time() - began < ENOUGH_S:
            second = await store.find(
                own.url, [(key, values_of(each.names, *fields)) for key, each in varying]
            )
            if second is None or second.epoch != sighting.epoch or opened.barred:
                return Fetched(self.find(own, *fields), None)
            for (key, names), each in zip(varying, second.found, strict=True):
                self._take_in(key, each, names.names, fields)
        for key, each in ((own, mine), (public, everybodys)):
            self._take_in(key, each, self.memory.names(key) or (), fields)
        return Fetched(self.find(own, *fields), sighting.epoch)

    def open(self, url: URL) -> Open:
        """Before a request goes to the service; `close` when its answer was kept, or not."""
        opened = Open(url, self.purges.newest)
        self._open.setdefault(url, set()).add(opened)
        return opened

    def close(self, opened: Open) -> None:
        """Twice does no harm."""
        those = self._open.get(opened.url)
        if those is not None:
            those.discard(opened)
            if not those:
                del self._open[opened.url]

    def keep(
        self,
        opened: Open,
        key: Key,
        entry: Entry,
        names: tuple[bytes, ...],
        fields: tuple[Pairs, ...],
        *,
        epoch: bytes | None,
        now: float,
    ) -> None:
        """An answer that came whole, unless what it came from has changed since it was asked for."""
        if opened.barred or not self._holds(key.url, entry):
            return
        values = self.memory.put(key, entry, names, *fields)
        if self._store is not None and epoch is not None and self._knows_purges:
            together = self.memory.names(key) or ()
            self._store.keep(key, values, together, entry, epoch, entry.kept_until - now)

    async def invalidate(self, *urls: URL) -> None:
        """URLs have changed: nothing that is stored of them holds, nor what is on its way."""
        for url in urls:
            self._forget(url)
        if self._store is not None:
            await self._store.invalidate(*urls)

    def purge(self, orders: Sequence[Purge]) -> None:
        """What operators want forgotten; also what was wanted before this worker began."""
        self.purges.add(orders)
        self._knows_purges = True
        is_meant = meant_by(orders)
        self.memory.forget(lambda url, entry: is_meant(url, entry.route, entry.tags))

    def begin_anew(self, number: int) -> None:
        """Orders have other numbers from now on, of which that is the newest: nothing that is stored holds."""
        self.purges = Purges()
        self.purges.forget_before(number)
        self.memory.clear()

    def beside(self, work: Coroutine[Any, Any, None]) -> bool:
        """Has something done that nobody waits for. False: too much is being done."""
        if len(self._beside) >= MOST_BESIDE:
            work.close()
            return False
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._done)
        return True

    def start(self) -> None:
        """Hears from now on what other workers invalidate."""
        if self._store is not None and self._hearing is None:
            self._hearing = asyncio.get_running_loop().create_task(self._hear(self._store))

    async def stop(self) -> None:
        tasks = [*self._beside, *([self._hearing] if self._hearing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._store is not None:
            await self._store.stop()

    def _take_in(self, key: Key, found: object, names: tuple[bytes, ...], fields: tuple[Pairs, ...]) -> None:
        if isinstance(found, Entry) and self._holds(key.url, found):
            self.memory.put(key, found, names, *fields)

    def _known_values(self, key: Key, fields: tuple[Pairs, ...]) -> Values | None:
        names = self.memory.names(key)
        return None if names is None else values_of(names, *fields)

    def _holds(self, url: URL, entry: Entry) -> bool:
        return self.purges.holds(entry.number, route=entry.route, tags=entry.tags, url=url)

    def _forget(self, url: URL) -> None:
        self.memory.forget_url(url)
        for opened in self._open.get(url, ()):
            opened.barred = True

    def _done(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("an answer could not be fetched for the cache", exc_info=error)

    async def _hear(self, store: SharedStore) -> None:
        loop = asyncio.get_running_loop()
        began, heard_at, turn = False, loop.time(), 0
        while True:
            if self.is_used and store.is_up:
                if not began:
                    began = await store.begin()
                    self.memory.clear()
                heard = await store.hear() if began else None
                if heard is not None:
                    if loop.time() - heard_at > DEAF_S:
                        self.memory.clear()
                    heard_at = loop.time()
                    for url in heard:
                        self._forget(url)
                await store.catch_up()
                if turn % WEIGHING == 0:
                    await store.weigh()
                turn += 1
            await asyncio.sleep(HEARING_S)


def public_of(own: Key) -> Key:
    """Where the answers are kept that are everybody's."""
    return _new(Key, (own[0], EVERYBODY, own[2], own[3]))  # the class's own constructor costs twice
