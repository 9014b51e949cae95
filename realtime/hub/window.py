"""P: The events that a worker can still replay, and what it knows of those that it cannot any more.

Bounded by number, by bytes and by age. Of each topic the newest event that was dropped is remembered, so that who
comes back to a quiet topic is not told of a gap that there is none; how many are remembered is bounded, too.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from operator import attrgetter
from typing import Final, NamedTuple

from realtime.events import Event
from realtime.hub.ids import EventId

MOST_EVENTS: Final = 10_000
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of JSON; in memory an event takes about three times as much."""
OLDEST_S: Final = 600.0
MOST_TOPICS: Final = 20_000
_ordinal: Final = attrgetter("ordinal")
_id: Final = attrgetter("id")


class Kept(NamedTuple):
    """An event and where it stands. `ordinal` counts all events of this worker, in the order of delivery."""

    ordinal: int
    id: EventId
    event: Event
    at: float
    """On the monotonic clock of this worker."""


class Window:
    """Ids rise. Times are seconds of a monotonic clock."""

    __slots__ = (
        "_by_topic",
        "_bytes",
        "_dropped",
        "_kept",
        "_most_bytes",
        "_most_events",
        "_most_topics",
        "_oldest_s",
        "dropped",
        "floor",
        "last",
        "lost",
        "ordinal",
    )

    def __init__(
        self,
        *,
        floor: EventId,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_BYTES,
        oldest_s: float = OLDEST_S,
        most_topics: int = MOST_TOPICS,
    ) -> None:
        """Nothing is known of events up to `floor`."""
        self._kept: deque[Kept] = deque()
        self._by_topic: dict[str, deque[Kept]] = {}
        self._dropped: OrderedDict[str, EventId] = OrderedDict()
        self._bytes = 0
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._oldest_s = oldest_s
        self._most_topics = most_topics
        self.lost = floor
        """Up to here something of any topic may be missing."""
        self.floor = floor
        """The same, of topics of which nothing is remembered."""
        self.last = floor
        """The newest id."""
        self.ordinal = 0
        """How many events there were."""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes of JSON."""
        return self._bytes

    @property
    def is_full(self) -> bool:
        """Whether there is hardly room for more bytes."""
        return self._bytes > 0.9 * self._most_bytes

    @property
    def first(self) -> EventId | None:
        """The oldest id that is kept."""
        return self._kept[0].id if self._kept else None

    def append(self, id: EventId, event: Event, at: float) -> Kept:  # noqa: A002 - the field's name
        """Takes in the newest event."""
        self.ordinal += 1
        kept = Kept(self.ordinal, id, event, at)
        self._kept.append(kept)
        self._by_topic.setdefault(event.topic, deque()).append(kept)
        self._bytes += len(event.encoded)
        self.last = max(self.last, id)
        while len(self._kept) > self._most_events or self._bytes > self._most_bytes:
            self._drop()
        return kept

    def age(self, now: float) -> None:
        """Drops what is too old."""
        while self._kept and now - self._kept[0].at > self._oldest_s:
            self._drop()

    def lose(self) -> None:
        """Something may have been lost of any topic, just now: who comes back to what came before is told."""
        self.lost = self.floor = self.last.next
        self._dropped.clear()

    def lose_of(self, topic: str) -> None:
        """The same, of one topic."""
        self._note_loss(topic, self.last)

    def missing(self, topic: str) -> EventId:
        """The newest id of the topic that is lost, or may be: of what came after it everything is here."""
        return max(self.lost, self._dropped.get(topic, self.floor))

    def after(self, topic: str, ordinal: int, most: int) -> list[Kept]:
        """At most so many events of the topic behind that ordinal, oldest first."""
        events = self._by_topic.get(topic)
        if not events or events[-1].ordinal <= ordinal:
            return []
        start = bisect_right(events, ordinal, key=_ordinal)
        return [events[index] for index in range(start, min(start + most, len(events)))]

    def place(self, topic: str, after: EventId) -> int:
        """The ordinal behind which events of the topic are newer than `after`."""
        events = self._by_topic.get(topic)
        if not events:
            return self.ordinal
        older = bisect_right(events, after, key=_id)
        return events[older - 1].ordinal if older else events[0].ordinal - 1

    def _drop(self) -> None:
        kept = self._kept.popleft()
        topic = kept.event.topic
        events = self._by_topic[topic]
        events.popleft()
        if not events:
            del self._by_topic[topic]
        self._bytes -= len(kept.event.encoded)
        self.dropped += 1
        self._note_loss(topic, kept.id)

    def _note_loss(self, topic: str, id: EventId) -> None:  # noqa: A002 - the field's name
        self._dropped[topic] = max(id, self._dropped.get(topic, self.floor))
        self._dropped.move_to_end(topic)
        if len(self._dropped) > self._most_topics:
            self.floor = max(self.floor, self._dropped.popitem(last=False)[1])
