"""I: One worker's way to the message hub: keeps a connection, bounds time and numbers, and says what became of events.

    publish ─▶ is there room? ─▶ adapter ─▶ confirmed ─▶ Published("hub")
                                   │ away, late
                                   ▼
                                 outbox ─▶ kept ─▶ Published("outbox")      else Unpublished

A task opens the connection and opens it again, later and later, when it ends; meanwhile nobody waits for it. What a
confirmation did not come for is kept by the outbox under the same id, so it may arrive twice and is not lost.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from secrets import token_hex
from typing import Final, Protocol

from authproxy.bus import Published, Unpublished
from realtime.bus.adapter import Adapter, HubAway, HubRefused, Message
from resilience.clock import wall_clock

LOG: Final = logging.getLogger("torana.bus")
SEND_S: Final = 3.0
OPEN_S: Final = 5.0
PING_S: Final = 5.0
"""Between two looks at a connection that is idle; an answer has as long."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
MOST_AT_A_TIME: Final = 256

AWAY: Final = "The message hub is away."
BUSY: Final = "Too many events are on their way to the message hub."
FULL: Final = "The message hub is away, and no more events can be kept for it."
LATE: Final = "The message hub has not confirmed the event in time."


class Outbox(Protocol):
    """Keeps events for a hub that is away, so that they survive this process."""

    async def put(self, message: Message) -> bool:
        """True once it is kept; False where it is not, or not known to be in time."""


@dataclass(slots=True)
class Counts:
    """Since the start."""

    published: int = 0
    kept: int = 0
    """By the outbox."""
    refused: int = 0
    """Answered 503: neither confirmed nor kept."""
    dropped: int = 0
    """Of those: too many were on their way."""
    rejected: int = 0
    """The hub does not take them."""
    outages: int = 0


class BusLink:
    """`make` makes a new adapter for each connection; `own` says who this is in log lines, without any secret."""

    def __init__(
        self,
        make: Callable[[], Adapter],
        *,
        outbox: Outbox | None = None,
        rng: Random | None = None,
        send_s: float = SEND_S,
        open_s: float = OPEN_S,
        ping_s: float = PING_S,
    ) -> None:
        self._make = make
        self._outbox = outbox
        self._rng = rng or Random()  # noqa: S311 - a pause, not a secret
        self._send_s, self._open_s, self._ping_s = send_s, open_s, ping_s
        self._adapter: Adapter | None = None
        self._broken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._under_way = 0
        self.up = asyncio.Event()
        self.why_away = "is not connected yet"
        self.counts = Counts()

    @property
    def adapter(self) -> Adapter | None:
        """The open connection; None while the hub is away."""
        return self._adapter

    def start(self) -> None:
        """On the running event loop. The hub may be there or not, now and later."""
        self._task = asyncio.get_running_loop().create_task(self._keep_open())

    async def stop(self) -> None:
        """Ends the connection."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._leave()

    async def publish(
        self, topic: str, data: bytes, *, content_type: bytes, headers: dict[str, str]
    ) -> Published | Unpublished:
        """See `authproxy.bus.Bus`."""
        now = wall_clock()
        message = Message(event_id(now), topic, rfc3339(now), data, content_type.decode("latin-1"), headers)
        if self._under_way >= MOST_AT_A_TIME:
            self.counts.dropped += 1
            return self._refused(BUSY)
        self._under_way += 1
        try:
            return await self._published(message)
        finally:
            self._under_way -= 1

    async def send(self, message: Message) -> None:
        """Returns when the hub has confirmed, in bounded time. Raises HubAway and HubRefused."""
        adapter = self._adapter
        if adapter is None:
            raise HubAway(AWAY)
        try:
            async with asyncio.timeout(self._send_s):
                await adapter.send(message)
        except TimeoutError:
            self._break(adapter, "does not answer in time")
            raise HubAway(LATE) from None
        except HubAway as away:
            self._break(adapter, str(away))
            raise
        self.counts.published += 1

    async def _published(self, message: Message) -> Published | Unpublished:
        why = AWAY
        try:
            await self.send(message)
        except HubRefused as refused:
            self.counts.rejected += 1
            return Unpublished(f"The message hub refuses the event: {refused}.", 60.0, refused.too_large)
        except HubAway as away:
            why = LATE if str(away) == LATE else AWAY
        else:
            return Published(message.id)
        if self._outbox is None:
            return self._refused(why)
        if await self._outbox.put(message):
            self.counts.kept += 1
            return Published(message.id, "outbox")
        return self._refused(FULL)

    def _refused(self, why: str) -> Unpublished:
        self.counts.refused += 1
        return Unpublished(why, retry_after_s=2.0)

    def _break(self, adapter: Adapter, why: str) -> None:
        """The connection is of no use any more; a new one is on its way."""
        if adapter is self._adapter:
            self.why_away = why
            self._adapter = None
            self.up.clear()
            self._broken.set()

    async def _keep_open(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            adapter = await self._opened()
            if adapter is None:
                await asyncio.sleep(pause_s * (0.5 + self._rng.random()))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                continue
            pause_s = FIRST_PAUSE_S
            await self._watch(adapter)
            self.counts.outages += 1
            LOG.warning("the message hub is away: %s", self.why_away)
            await _closed(adapter)

    async def _opened(self) -> Adapter | None:
        adapter = self._make()
        try:
            async with asyncio.timeout(self._open_s):
                await adapter.open()
                await adapter.ping()
        except (HubAway, TimeoutError) as error:
            why = str(error) or "does not answer in time"
            if why != self.why_away:
                LOG.warning("the message hub cannot be reached: %s", why)
            self.why_away = why
            await _closed(adapter)
            return None
        except BaseException:
            await _closed(adapter)
            raise
        LOG.info("the message hub answers")
        self._adapter, self.why_away = adapter, ""
        self._broken.clear()
        self.up.set()
        return adapter

    async def _watch(self, adapter: Adapter) -> None:
        """Returns when the connection is of no use any more."""
        while adapter is self._adapter:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ping_s):
                    await self._broken.wait()
                    return
            try:
                async with asyncio.timeout(self._ping_s):
                    await adapter.ping()
            except (HubAway, TimeoutError) as error:
                self._break(adapter, str(error) or "does not answer in time")

    async def _leave(self) -> None:
        adapter, self._adapter = self._adapter, None
        self.up.clear()
        if adapter is not None:
            await _closed(adapter)


async def _closed(adapter: Adapter) -> None:
    """Closed, or left to itself if that takes long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await adapter.close()


def event_id(now: float) -> str:
    """Of 32 hexadecimal digits; those of one process are in the order of time by the millisecond."""
    return f"{int(now * 1000):012x}{token_hex(10)}"


def rfc3339(now: float) -> str:
    """In UTC, with milliseconds."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
