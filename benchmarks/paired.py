"""P: What one load costs more than another, from slices in which both took turns.

A block is four slices in the order own, base, base, own (and the other way round in every second block), so that a
machine that steadily becomes slower or faster favours neither. Of the blocks' differences the median counts. Its
interval comes from their order alone and holds for any distribution: the true median lies outside it with a chance
of at most one in twenty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, inf
from statistics import mean, median

from benchmarks.report import number

ORDERS = ((0, 1, 1, 0), (1, 0, 0, 1))
"""The turns of a block, and of the one after it. 0 is the load that is judged, 1 the one beside it."""
_CONFIDENCE = 0.95
BUDGETED_US = 42.0
"""What the budget of the path gives a bare request. Goals in microseconds were set on a machine that took so long."""


@dataclass(frozen=True, slots=True)
class Block:
    """CPU microseconds per request of both loads, each the mean of its slices."""

    own_us: float
    base_us: float

    @property
    def extra_us(self) -> float:
        return self.own_us - self.base_us


@dataclass(frozen=True, slots=True)
class Comparison:
    """All blocks of one load beside another; `errors` is wrk's count for both."""

    blocks: tuple[Block, ...]
    errors: int = 0

    @property
    def own_us(self) -> float:
        return median(block.own_us for block in self.blocks)

    @property
    def base_us(self) -> float:
        return median(block.base_us for block in self.blocks)

    @property
    def extra_us(self) -> float:
        return median(block.extra_us for block in self.blocks)

    @property
    def interval_us(self) -> tuple[float, float]:
        return interval([block.extra_us for block in self.blocks])

    @property
    def shown(self) -> tuple[str, str]:
        """What it costs more, and the interval, as cells of a table."""
        low, high = self.interval_us
        return f"{self.extra_us:+.2f}", f"{low:+.2f} to {high:+.2f}"


def block(turns: Sequence[tuple[int, float]]) -> Block:
    """From what each turn cost: which load it was, and CPU microseconds per request."""
    return Block(*(mean(cpu_us for side, cpu_us in turns if side == wanted) for wanted in (0, 1)))


def joined(parts: Sequence[Comparison]) -> Comparison:
    """As one: the same comparison, made more than once."""
    blocks = tuple(block for part in parts for block in part.blocks)
    return Comparison(blocks, sum(part.errors for part in parts))


def interval(values: Sequence[float], *, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """Of the median, by order statistics: the innermost pair of values that is wide enough; infinite if none is."""
    ordered, size = sorted(values), len(values)
    outside, low, high = 0.0, -inf, inf
    for rank in range(size // 2):
        outside += 2 * comb(size, rank) / 2**size
        if outside > 1 - confidence:
            break
        low, high = ordered[rank], ordered[-1 - rank]
    return low, high


def verdict(title: str, found: Comparison, *, beside: str, goal_us: float, bare_us: float) -> str:
    """One line: `ok` or `MISSED` where the whole interval is, `open` where the goal lies within it.

    `bare_us` is what a bare request took in the same run. The line says, too, what it comes to in proportion where
    that is `BUDGETED_US`: neither a slower machine nor a faster one makes a goal of it.
    """
    scale = BUDGETED_US / bare_us
    low, high = (bound * scale for bound in found.interval_us)
    extra, span = found.shown
    return (
        f"- {_word(found.interval_us, goal_us)}: {title}: {extra} µs ({span}) over {beside} (goal: at most "
        f"+{goal_us:g} µs); in proportion to a bare request of {BUDGETED_US:g} µs {_word((low, high), goal_us)}: "
        f"{found.extra_us * scale:+.2f} ({low:+.2f} to {high:+.2f})"
    )


def _word(span: tuple[float, float], goal: float) -> str:
    low, high = span
    return "ok" if high <= goal else "MISSED" if low > goal else "open"


def method(*, requests: int, blocks: int) -> str:
    """What readers of a table have to know of it."""
    return (
        f"The two loads of a row take turns in slices of {number(requests, 0)} requests, whose connections stay open; "
        f"a slice is over when the gateway is idle again. µs over: the median of {blocks} blocks of four slices (own, "
        "base, base, own), and beside it the interval that holds the true median in 95 of 100 runs."
    )
