"""I: Stored answers in Redis, which all workers and replicas share. Nobody waits longer than the link allows.

Each URL has a token (an epoch), which changes when the URL is invalidated; an answer that was stored under another one
is none. Keys of one URL are in one slot of a Cluster. Who asks in one turn of the event loop goes in one call.
What was invalidated is also told to the other workers, in a stream that each of them reads a few times a second.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any, Final

import orjson

from authproxy.caching.entry import Entry, Varying
from authproxy.caching.keys import URL, Key, Values, key_digest, url_digest
from authproxy.caching.packing import packed, packed_names, unpacked
from resilience.stores.connection import Away, RedisLink

MOST_TOGETHER: Final = 32
MOST_WRITES: Final = 64
LONGEST_KEPT_S: Final = 86_400.0
EPOCH_MS: Final = 90_000_000
"""Longer than any answer is kept."""
NEWS_KEPT: Final = 10_000
NEWS_READ: Final = 500
MOST_PENDING: Final = 10_000
_TOKEN: Final = 8


@dataclass(slots=True)
class Tally:
    """Since the start."""

    asked: int = 0
    found: int = 0
    written: int = 0
    dropped: int = 0
    """Not written: too many writes were under way, or Redis was nearly full."""
    lost: int = 0
    """Invalidations that could not be kept until Redis came back."""


class Sighting:
    """What Redis has for a request: answers by the keys that were asked for, and the URL's token."""

    __slots__ = ("epoch", "found")

    def __init__(self, epoch: bytes, found: Sequence[Entry | Varying | None]) -> None:
        self.epoch = epoch
        self.found = found


_Asking = tuple[list[str], "asyncio.Future[Sighting | None]"]
"""The keys of one request, and who waits for what is there."""


class SharedStore:
    """One per worker. The link is started and stopped by whoever made it."""

    def __init__(
        self,
        link: RedisLink,
        *,
        prefix: str,
        one_slot: bool = False,
        token: Callable[[int], bytes] = token_bytes,
    ) -> None:
        """`one_slot`: keys of several URLs cannot be asked for in one call (a Cluster)."""
        self._link = link
        self._prefix = prefix
        self._together = 1 if one_slot else MOST_TOGETHER
        self._token = token
        self._waiting: list[_Asking] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writes = 0
        self._pending: deque[URL] = deque()
        self._last = ""
        self.is_full = False
        """Redis has little room left, which others need: nothing is stored until it has more."""
        self.tally = Tally()

    @property
    def is_up(self) -> bool:
        return self._link.is_up

    def find(
        self, url: URL, wanted: Sequence[tuple[Key, Values | None]]
    ) -> "asyncio.Future[Sighting | None]":
        """None: Redis did not answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sighting | None] = loop.create_future()
        if not self._link.is_up:
            answer.set_result(None)
            return answer
        slot = self._slot(url)
        if not self._waiting:
            loop.call_soon(self._ask_together)
        self._waiting.append(([slot, *[slot + key_digest(key, values) for key, values in wanted]], answer))
        self.tally.asked += 1
        return answer

    def keep(
        self,
        key: Key,
        values: Values | None,
        names: tuple[bytes, ...],
        entry: Entry,
        epoch: bytes,
        kept_s: float,
    ) -> None:
        """Writes an answer beside the traffic, and what its URL's answers are distinguished by."""
        slot = self._slot(key.url)
        ms = int(min(kept_s, LONGEST_KEPT_S) * 1000)
        if ms <= 0:
            return
        writes = [(slot + key_digest(key, values), _marked(epoch, packed(entry)), ms)]
        if values is not None:
            names_ms = int(LONGEST_KEPT_S * 1000)
            writes.insert(0, (slot + key_digest(key), _marked(epoch, packed_names(Varying(names))), names_ms))
        if self.is_full or not self._link.is_up or self._writes >= MOST_WRITES:
            self.tally.dropped += 1
            return
        self._beside(self._write(writes))

    async def invalidate(self, *urls: URL) -> None:
        """All answers of URLs, here and with the other workers. While Redis is away, it is done later; it is also done
        when nobody waits for it any more."""
        doing = [self._beside(self._invalidated(url)) for url in urls]
        await asyncio.shield(asyncio.gather(*doing))

    async def _invalidated(self, url: URL) -> None:
        done = await self._link.call("SET", self._slot(url), self._token(_TOKEN), "PX", EPOCH_MS)
        if isinstance(done, Away):
            self._put_off(url)
            return
        told = orjson.dumps([url[0], *(part.decode("latin-1") for part in url[1:])])
        news = await self._link.call("XADD", self._stream, "MAXLEN", "~", NEWS_KEPT, "*", "u", told)
        if isinstance(news, Away):
            self._put_off(url)

    async def begin(self) -> bool:
        """What is told from now on is heard. False: Redis is away."""
        newest = await self._link.call("XREVRANGE", self._stream, "+", "-", "COUNT", 1)
        if isinstance(newest, Away):
            return False
        self._last = _text(newest[0][0]) if newest else "0-0"
        return True

    async def hear(self) -> list[URL] | None:
        """Which URLs other workers have invalidated, and this one; None: Redis is away."""
        heard: list[URL] = []
        while True:
            news = await self._link.call("XREAD", "COUNT", NEWS_READ, "STREAMS", self._stream, self._last)
            if isinstance(news, Away):
                return None
            items = _items(news)
            for number, fields in items:
                self._last = _text(number)
                if (url := _url(fields)) is not None:
                    heard.append(url)
            if len(items) < NEWS_READ:
                return heard

    async def catch_up(self) -> None:
        """What could not be said while Redis was away."""
        for _ in range(len(self._pending)):
            if not self._link.is_up:
                return
            await self.invalidate(self._pending.popleft())

    async def weigh(self) -> None:
        """Looks how full Redis is: quotas and revocations live there as well."""
        told = await self._link.call("INFO", "memory")
        if isinstance(told, dict):
            most, used = told.get("maxmemory") or 0, told.get("used_memory") or 0
            self.is_full = bool(most) and used > most // 2

    async def stop(self) -> None:
        """What is being written is given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._answer(self._waiting, None)
        self._waiting = []

    @property
    def _stream(self) -> str:
        return f"{{{self._prefix}}}news"

    def _slot(self, url: URL) -> str:
        return f"{{{self._prefix}:{url_digest(url)}}}"

    def _ask_together(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), self._together):
            self._beside(self._ask(waiting[start : start + self._together]))

    async def _ask(self, asking: "list[_Asking]") -> None:
        got: Any = None
        try:
            got = await self._link.call("MGET", *(key for keys, _ in asking for key in keys))
        finally:
            self._answer(asking, got if isinstance(got, list) else None)

    def _answer(self, asking: "list[_Asking]", got: list[bytes | None] | None) -> None:
        start = 0
        for keys, answer in asking:
            end = start + len(keys)
            if not answer.done():
                answer.set_result(None if got is None else self._seen(got[start:end]))
            start = end

    def _seen(self, got: list[bytes | None]) -> Sighting:
        epoch = got[0] or b""
        found = [None if data is None else _under(epoch, data) for data in got[1:]]
        for each in found:
            if type(each) is Entry:
                self.tally.found += 1
                break
        return Sighting(epoch, found)

    async def _write(self, writes: list[tuple[str, bytes, int]]) -> None:
        self._writes += 1
        try:
            for key, value, ms in writes:
                if isinstance(await self._link.call("SET", key, value, "PX", ms), Away):
                    self.tally.dropped += 1
                    return
            self.tally.written += 1
        finally:
            self._writes -= 1

    def _put_off(self, url: URL) -> None:
        if len(self._pending) >= MOST_PENDING:
            self._pending.popleft()
            self.tally.lost += 1
        self._pending.append(url)

    def _beside(self, work: Any) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _marked(epoch: bytes, data: bytes) -> bytes:
    return bytes([len(epoch)]) + epoch + data


def _under(epoch: bytes, data: Any) -> Entry | Varying | None:
    """What was stored, if it was under this token."""
    if not isinstance(data, bytes) or not data or data[1 : 1 + data[0]] != epoch:
        return None
    return unpacked(data[1 + len(epoch) :])


def _items(news: Any) -> list[tuple[Any, Any]]:
    """The entries of the one stream that was asked for, in either protocol's form."""
    streams = list(news.items()) if isinstance(news, dict) else (news or [])
    return [(item[0], item[1]) for _, items in streams for item in items if len(item) == 2]


def _url(fields: Any) -> URL | None:
    try:
        told = fields[b"u"] if isinstance(fields, dict) else fields[1]
        scheme, host, path, query = orjson.loads(told)
        return scheme, host.encode("latin-1"), path.encode("latin-1"), query.encode("latin-1")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)
