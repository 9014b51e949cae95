"""Rows that cover a range: each minute once."""

from hypothesis import given
from hypothesis import strategies as st

from observability.rollups.tiers import (
    BLOCK,
    DAY,
    HOUR,
    MINUTE,
    RANGES,
    SPANS,
    Segment,
    coarsest_for,
    cover,
    down,
    up,
)


@given(
    st.integers(0, 5 * DAY // MINUTE),
    st.integers(0, 5 * DAY // MINUTE),
    st.lists(st.integers(0, 6 * DAY // MINUTE), min_size=3, max_size=3),
    st.sampled_from(SPANS),
)
def test_every_minute_is_covered_once(start: int, length: int, frontiers: list[int], coarsest: int) -> None:
    """By whole blocks, before their frontier, and no coarser than asked for."""
    bounds = {span: down(at * MINUTE, span) for span, at in zip(SPANS[1:], frontiers, strict=True)}
    start, end = start * MINUTE, (start + length) * MINUTE
    at = start
    for segment in cover(start, end, bounds, coarsest=coarsest):
        assert segment.start == at < segment.end
        assert segment.start % segment.span == segment.end % segment.span == 0
        assert segment.span <= coarsest
        assert segment.span == MINUTE or segment.end <= bounds[segment.span]
        at = segment.end
    assert at == end or length == 0


def test_a_long_range_is_few_segments() -> None:
    start, end = DAY + 22 * HOUR + 57 * MINUTE, 4 * DAY + HOUR + 6 * MINUTE
    frontiers = {BLOCK: 4 * DAY + HOUR + BLOCK, HOUR: 4 * DAY + HOUR, DAY: 4 * DAY}
    assert cover(start, end, frontiers) == [
        Segment(MINUTE, start, start + 3 * MINUTE),
        Segment(HOUR, DAY + 23 * HOUR, 2 * DAY),
        Segment(DAY, 2 * DAY, 4 * DAY),
        Segment(HOUR, 4 * DAY, 4 * DAY + HOUR),
        Segment(BLOCK, 4 * DAY + HOUR, 4 * DAY + HOUR + BLOCK),
        Segment(MINUTE, 4 * DAY + HOUR + BLOCK, end),
    ]


def test_rounding() -> None:
    assert (down(119.9, 60), up(60, 60), up(61, 60)) == (60, 60, 120)


def test_ranges_end_with_the_step_that_is_now() -> None:
    for each in RANGES.values():
        start, end = each.until(1_790_000_123.4)
        assert start < 1_790_000_123.4 < end
        assert end - start == each.length
        assert 10 <= each.length // each.step <= 120
        assert each.step % coarsest_for(each.step) == 0
    assert coarsest_for(900) == BLOCK
