"""I: One worker's hub: who subscribes to which topic, the events that can be replayed, and publishing.

With a `Stream` (`realtime.hub.stream`) every event goes through it and comes back to all workers in one order. While
it is away, and where there is none, the worker's own subscribers get events at once.

Deliveries happen one event after the other, under one lock that is given in the order of asking. Whoever subscribes
takes what the window holds behind its place and joins the live ones in the same turn of the event loop: nothing can
come in between, so there is neither hole nor duplicate. A delivery is given to whom the event came after joining.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import orjson

from authproxy.bus import Unpublished
from realtime.events import LARGEST_DATA, Event, encode
from realtime.hub.entries import Confession, Draft, Entry
from realtime.hub.ids import NOTHING, EventId, parse_id
from realtime.hub.sinks import Sink
from realtime.hub.window import Window
from resilience.clock import monotonic, wall_clock

LOG: Final = logging.getLogger(__name__)
SLICE: Final = 500
"""Deliveries in one turn of the event loop."""
REPLAYED_AT_ONCE: Final = 100
MOST_KEYS: Final = 10_000
MOST_AHEAD_S: Final = 60.0
"""How far another worker may be, by the clocks: an id of later than that is made up."""


class Stream(Protocol):
    """What all workers read in one order."""

    async def add(self, draft: Draft) -> EventId | None:
        """Where it stands; None if the stream is away. Bounded in time."""

    async def start(self, hub: "Hub") -> None:
        """Begins to read: hands what comes to `hub.take`, and tells it what was lost."""

    async def stop(self) -> None:
        """Ends reading."""


@dataclass(slots=True)
class Tally:
    """Since the start."""

    published: int = 0
    alone: int = 0
    """Of those: delivered to this worker's subscribers only."""
    refused: int = 0
    taken: int = 0
    duplicates: int = 0
    delivered: int = 0
    replayed: int = 0
    gaps: int = 0


class Hub:
    """`node` names this worker in ids: lower-case letters and digits, another one at each start."""

    def __init__(
        self,
        *,
        node: str,
        stream: Stream | None = None,
        window: Window | None = None,
        now: Callable[[], float] = monotonic,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self.node = node
        self.tally = Tally()
        self._stream = stream
        self._now = now
        self._wall = wall
        self.window = Window(floor=EventId(int(wall() * 1000), 0)) if window is None else window
        self._sinks: dict[str, dict[Sink, int]] = {}
        self._keys: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._skips: dict[tuple[str, Sink], EventId] = {}
        self._turn = asyncio.Lock()
        self._own = 0
        self._drafts = 0

    async def start(self) -> None:
        """Begins to hear other workers."""
        if self._stream is not None:
            await self._stream.start(self)

    async def stop(self) -> None:
        """Hears nobody any more."""
        if self._stream is not None:
            await self._stream.stop()

    @property
    def subscriptions(self) -> int:
        """How many there are now. Any thread may ask."""
        return sum(map(len, list(self._sinks.values())))

    async def publish(
        self,
        topic: str,
        type: str,  # noqa: A002 - the field's name
        data: Any,
        *,
        id: str = "",  # noqa: A002 - the field's name
    ) -> Event | Unpublished:
        """To all subscribers of the topic, on all workers. Nothing checks here whether the caller may.

        `id` is the publisher's own name of the event: sent again with it, the event is delivered once (while it is
        remembered, see `MOST_KEYS`). Unpublished where its data is too large.
        """
        try:
            encoded = orjson.dumps(data)
        except TypeError:
            self.tally.refused += 1
            return Unpublished("the data of an event is what JSON has, with numbers of 64 bits")
        if len(encoded) > LARGEST_DATA:
            self.tally.refused += 1
            return Unpublished(f"the data of an event may have {LARGEST_DATA} bytes of JSON")
        self._drafts += 1
        key = f"={id}" if id else f"{self.node}.{self._drafts}"
        known = self._keys.get(key)
        if known is not None:
            self.tally.duplicates += 1
            return Event(known[0], topic, type, data, known[1])
        self.tally.published += 1
        draft = Draft(topic, type, encoded, _timestamp(self._wall()), key)
        if self._stream is not None:
            added = await self._stream.add(draft)
            if added is not None:
                return _event(str(added), draft, data)
            self.tally.alone += 1
        return await self._publish_alone(draft, data)

    async def subscribe(self, topic: str, sink: Sink, *, after: str = "") -> None:
        """Replays what came after `after`, then goes on without a hole. Again: the same as to unsubscribe first."""
        self.unsubscribe(topic, sink)
        if after:
            await self._replay(topic, sink, after)
        self.join(topic, sink)

    def join(self, topic: str, sink: Sink) -> None:
        """To get what comes from now on; nothing changes for who is there."""
        self._sinks.setdefault(topic, {}).setdefault(sink, self.window.ordinal)

    def unsubscribe(self, topic: str, sink: Sink) -> None:
        """Nothing of the topic comes any more; nothing if it did not."""
        self._skips.pop((topic, sink), None)
        sinks = self._sinks.get(topic)
        if sinks is not None and sinks.pop(sink, None) is not None and not sinks:
            del self._sinks[topic]

    async def take(self, id: EventId, draft: Draft) -> None:  # noqa: A002 - the field's name
        """What the stream brings, in its order. Of what came before under the same key nothing comes again."""
        if draft.key in self._keys:
            self.tally.duplicates += 1
            self.pass_by(id)
            return
        self.tally.taken += 1
        async with self._turn:
            await self._spread(id, _event(str(id), draft), draft.key)

    def pass_by(self, id: EventId) -> None:  # noqa: A002 - the field's name
        """The stream has gone on, without an event."""
        self.window.last = max(self.window.last, id)

    def load(self, entries: Sequence[Entry], now_ms: float) -> None:
        """What the stream had before, oldest first; in place of an empty window. `now_ms` is by its clock."""
        floor = entries[0].id if entries else EventId(int(now_ms), 0)
        self.window = window = Window(floor=floor)
        for id, what in entries:  # noqa: A001 - the field's name
            if isinstance(what, Draft) and what.key not in self._keys:
                event = _event(str(id), what)
                self._remember(what.key, event)
                window.append(id, event, self._now() - max(0.0, now_ms - id.ms) / 1000)
            window.last = max(window.last, id)
            if isinstance(what, Confession):
                for topic in what.topics or ():
                    window.lose_of(topic)
                if what.topics is None:
                    window.lose()

    async def lose(self, topics: Iterable[str] | None = None, at: EventId | None = None) -> None:
        """Something was lost, of these topics or of any, up to that id: subscribers are told."""
        async with self._turn:
            if at is not None:
                self.window.last = max(self.window.last, at)
            if topics is None:
                self.window.lose()
            else:
                for topic in (topics := list(topics)):
                    self.window.lose_of(topic)
            for topic in list(self._sinks) if topics is None else topics:
                await self._tell_gap(topic)

    def age(self) -> None:
        """Lets go of events that are too old to be replayed."""
        self.window.age(self._now())

    async def _publish_alone(self, draft: Draft, data: Any) -> Event:
        async with self._turn:
            id = self._next_id()  # noqa: A001 - the field's name
            event = _event(str(id), draft, data)
            await self._spread(id, event, draft.key)
        return event

    def _next_id(self) -> EventId:
        last = self.window.last
        if self._stream is None:
            return max(EventId(int(self._wall() * 1000), 0), last.next)
        self._own += 1
        return EventId(last.ms, last.number, self._own, self.node)

    async def _spread(self, id: EventId, event: Event, key: str) -> None:  # noqa: A002 - the field's name
        """Under the lock."""
        self._remember(key, event)
        ordinal = self.window.append(id, event, self._now()).ordinal
        sinks = self._sinks.get(event.topic)
        if not sinks:
            return
        if self._skips:
            self._end_skips(event.topic, id)
        skips, topic = self._skips, event.topic
        for number, sink in enumerate(tuple(sinks)):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if sinks.get(sink, ordinal) < ordinal and not (skips and (topic, sink) in skips):
                try:
                    sink.deliver(event)
                except Exception:
                    LOG.exception("a subscriber could not take an event")
                else:
                    self.tally.delivered += 1

    def _remember(self, key: str, event: Event) -> None:
        self._keys[key] = (event.id, event.timestamp)
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)

    def _end_skips(self, topic: str, id: EventId) -> None:  # noqa: A002 - the field's name
        """Who has seen events before this worker did gets those that are behind them."""
        for known in [known for known, last in self._skips.items() if known[0] == topic and last < id]:
            del self._skips[known]

    async def _tell_gap(self, topic: str) -> None:
        for number, sink in enumerate(tuple(self._sinks.get(topic, ()))):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            sink.gap(topic)
            self.tally.gaps += 1

    async def _replay(self, topic: str, sink: Sink, after: str) -> None:
        window, told = self.window, NOTHING
        last = self._known(after)
        if last is None or (
            last.own and last.node != self.node
        ):  # of nobody, or of what another worker did alone
            self._say_gap(topic, sink)
            last, told = (NOTHING if last is None else last.shared), window.missing(topic)
        if last > window.last:  # this worker is behind the one that the client comes from
            self._skips[topic, sink] = last
        place = window.place(topic, last)
        while True:
            missing = window.missing(topic)
            if last < missing > told:
                self._say_gap(topic, sink)
                told = missing
            events = window.after(topic, place, REPLAYED_AT_ONCE)
            if not events:
                return
            for kept in events:
                sink.deliver(kept.event)
            self.tally.replayed += len(events)
            last, place = events[-1].id, events[-1].ordinal
            await sink.room()

    def _known(self, after: str) -> EventId | None:
        last = parse_id(after)
        if last is None or last <= self.window.last:
            return last
        is_possible = self._stream is not None and last.ms < (self._wall() + MOST_AHEAD_S) * 1000
        return last if is_possible else None

    def _say_gap(self, topic: str, sink: Sink) -> None:
        sink.gap(topic)
        self.tally.gaps += 1


def _event(id: str, draft: Draft, data: Any = None) -> Event:  # noqa: A002 - the field's name
    encoded = encode(id, draft.topic, draft.type, draft.data, draft.timestamp)
    data = orjson.loads(draft.data) if data is None else data
    return Event(id, draft.topic, draft.type, data, draft.timestamp, encoded)


def _timestamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
