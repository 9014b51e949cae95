"""P: How coarse figures are kept for how long, and which rows cover a range of time.

Minutes are added up into blocks of five, those into hours, and those into days. A tier is whole up to its frontier:
before it everything finer has been added up. A range is covered by the coarsest blocks that lie in it and before their
frontier, and by finer ones at its ends.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

MINUTE: Final = 60
BLOCK: Final = 300
HOUR: Final = 3600
DAY: Final = 86_400
SPANS: Final = (MINUTE, BLOCK, HOUR, DAY)
"""In seconds; each is a multiple of the one before."""
GRACE_S: Final = 20
"""How long after its end a span is added up: workers write every ten seconds. What comes later is added up anew."""


class Segment(NamedTuple):
    """Rows of `span` from `start` until before `end`, epoch seconds."""

    span: int
    start: int
    end: int


def down(at: float, span: int) -> int:
    """The start of the span that `at` is in."""
    return int(at // span) * span


def up(at: float, span: int) -> int:
    """The first start of a span that is not before `at`."""
    return -down(-at, span)


def cover(start: int, end: int, frontiers: Mapping[int, int], *, coarsest: int = DAY) -> list[Segment]:
    """In order, without gap or overlap; `start` and `end` are whole minutes. Blocks are at most `coarsest`."""
    spans = tuple(span for span in reversed(SPANS) if span <= coarsest)
    return _cover(start, end, frontiers, spans)


def _cover(start: int, end: int, frontiers: Mapping[int, int], spans: tuple[int, ...]) -> list[Segment]:
    if start >= end:
        return []
    span, finer = spans[0], spans[1:]
    if not finer:
        return [Segment(span, start, end)]
    first, last = up(start, span), min(down(end, span), frontiers.get(span, 0))
    if first >= last:
        return _cover(start, end, frontiers, finer)
    head, tail = _cover(start, first, frontiers, finer), _cover(last, end, frontiers, finer)
    return [*head, Segment(span, first, last), *tail]


class Range(NamedTuple):
    """What a chart shows: so many seconds back from now, in steps."""

    name: str
    title: str
    length: int
    step: int

    def until(self, now: float) -> tuple[int, int]:
        """Start and end in epoch seconds, whole steps; the step that is now is in it."""
        end = down(now, self.step) + self.step
        return end - self.length, end


RANGES: Final = {
    each.name: each
    for each in (
        Range("15m", "15 min", 15 * MINUTE, MINUTE),
        Range("1h", "1 h", HOUR, MINUTE),
        Range("6h", "6 h", 6 * HOUR, BLOCK),
        Range("24h", "24 h", DAY, 3 * BLOCK),
        Range("7d", "7 d", 7 * DAY, 2 * HOUR),
        Range("30d", "30 d", 30 * DAY, 12 * HOUR),
    )
}


def coarsest_for(step: int) -> int:
    """The coarsest span that steps are made of whole ones of."""
    return max(span for span in SPANS if step % span == 0)
