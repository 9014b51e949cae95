"""I: The stream in Redis through which events reach all workers in one order.

One connection reads (a blocking XREAD, from the last entry that was read), the link writes. Neither knows of the
other's troubles: while only the reader is cut off, events wait in the stream.

    link away       events reach this worker's subscribers alone; when it is back, the worker confesses of which topics,
                    and the others tell their subscribers of a gap
    reader returns  its last entry is still there: it reads on, nothing was lost. It is not (trimmed meanwhile, or the
                    server began empty): a gap for all topics. Entries go on with higher ids in either case
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from realtime.hub import entries
from realtime.hub.entries import Confession, Draft, Entry
from realtime.hub.ids import NOTHING, EventId, parse_id
from realtime.hub.window import MOST_BYTES, MOST_EVENTS, OLDEST_S
from resilience.stores.address import Address, address_of
from resilience.stores.clients import Client, client_of
from resilience.stores.connection import Away, RedisLink

if TYPE_CHECKING:
    from realtime.hub.hub import Hub

LOG = logging.getLogger(__name__)
ADD_S: Final = 0.2
TRIES: Final = 3
AT_ONCE: Final = 32
"""Events that are being added."""
MOST_LOST: Final = 1000
"""Topics of a confession: with more it is of any."""
BLOCK_S: Final = 1.0
SLACK_S: Final = 1.0
JOIN_S: Final = 5.0
READ_AT_ONCE: Final = 200
TAKEN_AT_ONCE: Final = 10
LOADED_AT_ONCE: Final = 500
TRIM_S: Final = 10.0
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
START_S: Final = 1.0
"""How long a start waits for what can be replayed."""
_ERRORS: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""How a connection fails. uvloop's transports say RuntimeError once they are closed."""


class RedisStream:
    """One worker's. `key` names the stream; installations that share a Redis have each their own."""

    def __init__(
        self,
        url: str,
        *,
        key: str,
        rng: Random,
        link: RedisLink | None = None,
        connect: Callable[[Address], Client] = client_of,
    ) -> None:
        so = "events reach only the subscribers of the worker that takes them"
        self.link = RedisLink(url, rng=rng, timeout_s=ADD_S, so=so) if link is None else link
        self._address = address_of(url)
        self._connect = connect
        self._key = key
        self._node = ""
        self._rng = rng
        self._places = asyncio.Semaphore(AT_ONCE)
        self._lost: dict[str, None] = {}
        self._has_lost = self._has_lost_any = False
        self._last: EventId | None = None
        self._trimmed_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self.unreadable = 0
        self.joins = 0

    @property
    def is_following(self) -> bool:
        """Whether events of other workers come now."""
        return self._joined.is_set()

    async def start(self, hub: "Hub") -> None:
        """Returns when what can be replayed is there, or soon, if Redis does not answer."""
        await self.link.start()
        self._node = hub.node
        self._task = asyncio.get_running_loop().create_task(self._run(hub))
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await self._joined.wait()

    async def stop(self) -> None:
        """Ends both connections, without waiting for a server that hangs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=SLACK_S)
        await self.link.stop()

    async def add(self, draft: Draft) -> EventId | None:
        """Where it stands now; None: Redis is away, and this worker has to confess.

        What was added though no answer came is added again: whoever reads takes one of a key.
        """
        async with self._places:
            if self._has_lost:
                await self._confess()
            for _ in range(TRIES):
                if not self.link.is_up:
                    break
                place = await self._add("*", entries.of_draft(draft))
                if place is not None:
                    return place
        self._has_lost = True
        if len(self._lost) < MOST_LOST:
            self._lost[draft.topic] = None
        else:
            self._has_lost_any = True
        return None

    async def _add(self, place: str, fields: Iterable[Any]) -> EventId | None:
        answer = await self.link.call("XADD", self._key, "MAXLEN", "~", MOST_EVENTS, place, *fields)
        return None if isinstance(answer, Away) else parse_id(answer.decode())

    async def _run(self, hub: "Hub") -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            client: Client | None = None
            try:
                client = self._connect(self._address)
                async with asyncio.timeout(JOIN_S):
                    await self._join(client, hub)
                pause_s = FIRST_PAUSE_S
                await self._follow(client, hub)
            except _ERRORS as error:
                if self.is_following:
                    LOG.warning("events of other workers do not come: %s", type(error).__name__)
            except Exception:
                LOG.exception("events of other workers do not come")
            finally:
                self._joined.clear()
                await _closed(client)
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _follow(self, client: Client, hub: "Hub") -> None:
        """Until Redis goes away."""
        read: tuple[Any, ...] = ("XREAD", "COUNT", READ_AT_ONCE, "BLOCK", int(BLOCK_S * 1000), "STREAMS")
        while True:
            async with asyncio.timeout(BLOCK_S + SLACK_S):
                answer = await client.execute_command(*read, self._key, str(self._last))
            for _, listed in answer or ():
                for number, (id, fields) in enumerate(listed):  # noqa: A001 - the field's name
                    await self._take(hub, id, fields)
                    if number % TAKEN_AT_ONCE == TAKEN_AT_ONCE - 1:
                        await asyncio.sleep(0)  # what was written leaves before there is more
            hub.age()
            await self._confess()
            async with asyncio.timeout(SLACK_S):
                await self._trim(client, hub)

    async def _take(self, hub: "Hub", id: bytes, fields: Any) -> None:  # noqa: A002 - the field's name
        entry = entries.read(id, fields)
        if entry is None:
            self.unreadable += 1
            place = parse_id(id.decode())
            self._last = place or self._last
            return
        what, self._last = entry.what, entry.id
        if isinstance(what, Draft):
            await hub.take(entry.id, what)
        elif isinstance(what, Confession) and what.node != hub.node:
            await hub.lose(what.topics, entry.id)
        else:
            hub.pass_by(entry.id)

    async def _join(self, client: Client, hub: "Hub") -> None:
        """Makes sure from where to read on, and what was lost."""
        top = await self._top(client)
        if self._last is None and not hub.window.ordinal:
            if top is None:
                top = await self._mark(client, "*")
            await self._load(client, hub)
            self._last = top
        elif self._last is None or not await self._has(client, self._last):
            last = hub.window.last.shared
            if top is None or top < last:  # ids must rise, or clients could not go on behind them
                with suppress(RedisError):
                    await self._mark(client, str(last.next))
            await hub.lose()
            self._last = last
        self.joins += 1
        self._joined.set()

    async def _top(self, client: Client) -> EventId | None:
        newest = await client.execute_command("XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return parse_id(newest[0][0].decode()) if newest else None

    async def _has(self, client: Client, place: EventId) -> bool:
        return bool(await client.execute_command("XRANGE", self._key, str(place), str(place)))

    async def _mark(self, client: Client, place: str) -> EventId:
        """An entry that says nothing: the last one is always there to be found again."""
        answer = await client.execute_command("XADD", self._key, place, *entries.MARK)
        return parse_id(answer.decode()) or NOTHING

    async def _load(self, client: Client, hub: "Hub") -> None:
        """What can be replayed, newest first, as much as a window holds."""
        now_ms = await _now_ms(client)
        found: list[Entry] = []
        size, end = 0, "+"
        while len(found) < MOST_EVENTS and size < MOST_BYTES:
            page = await client.execute_command("XREVRANGE", self._key, end, "-", "COUNT", LOADED_AT_ONCE)
            for id, fields in page:  # noqa: A001 - the field's name
                entry = entries.read(id, fields)
                if entry is not None and now_ms - entry.id.ms < OLDEST_S * 1000:
                    found.append(entry)
                    size += sum(map(len, fields.values()))
            if len(page) < LOADED_AT_ONCE or not found or found[-1].id != parse_id(page[-1][0].decode()):
                break
            end = "(" + page[-1][0].decode()
        hub.load(list(reversed(found)), now_ms)

    async def _confess(self) -> None:
        if not (self._has_lost and self.link.is_up):
            return
        lost, any_lost = self._lost, self._has_lost_any
        self._lost, self._has_lost, self._has_lost_any = {}, False, False
        if await self._add("*", entries.of_confession(self._node, None if any_lost else lost)) is None:
            self._has_lost = True
            self._has_lost_any |= any_lost
            self._lost |= lost

    async def _trim(self, client: Client, hub: "Hub") -> None:
        """Lets go in Redis of what no worker replays any more."""
        now = asyncio.get_running_loop().time()
        if now - self._trimmed_at < TRIM_S:
            return
        self._trimmed_at = now
        oldest = EventId(int(await _now_ms(client) - OLDEST_S * 1000), 0)
        first = hub.window.first
        if first is not None and hub.window.is_full:
            oldest = max(oldest, first.shared)
        oldest = min(oldest, self._last or oldest)
        await client.execute_command("XTRIM", self._key, "MINID", "~", str(oldest))


async def _now_ms(client: Client) -> float:
    seconds, micros = await client.execute_command("TIME")
    return int(seconds) * 1000 + int(micros) / 1000


async def _closed(client: Client | None) -> None:
    if client is not None:
        with suppress(Exception):
            async with asyncio.timeout(SLACK_S):
                await client.aclose()
