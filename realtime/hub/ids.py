"""P: Ids of events: ordered, and opaque to everybody else.

`<ms>-<n>` is an entry of the stream that all workers read (the form of Redis' own). `<ms>-<n>.<k>.<node>` is the k-th
event that one worker delivered by itself behind that entry, while Redis was away.
"""

import re
from typing import Final, NamedTuple

LONGEST: Final = 80
_ID: Final = re.compile(r"([0-9]{1,17})-([0-9]{1,17})(?:\.([0-9]{1,12})\.([0-9a-z]{1,16}))?").fullmatch


class EventId(NamedTuple):
    """Compares in the order of delivery."""

    ms: int
    number: int
    own: int = 0
    """0: of the shared stream."""
    node: str = ""

    def __str__(self) -> str:
        shared = f"{self.ms}-{self.number}"
        return f"{shared}.{self.own}.{self.node}" if self.own else shared

    @property
    def shared(self) -> "EventId":
        """The entry of the stream behind which it stands; itself, if it is one."""
        return EventId(self.ms, self.number)

    @property
    def next(self) -> "EventId":
        """The smallest of the stream behind it."""
        return EventId(self.ms, self.number + 1)


NOTHING: Final = EventId(0, 0)


def parse_id(text: str) -> EventId | None:
    """None for what is no id."""
    found = _ID(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    ms, number, own, node = found.groups()
    return EventId(int(ms), int(number), int(own or 0), node or "")
