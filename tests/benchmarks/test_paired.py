"""What is concluded from two loads that took turns."""

import math

import pytest

from benchmarks import paired
from benchmarks.paired import Block, Comparison


def compared(*extras_us: float) -> Comparison:
    return Comparison(tuple(Block(100 + extra, 100) for extra in extras_us))


def test_steady_drift_favours_neither() -> None:
    """A machine that becomes slower with every slice leaves the difference of a block as it is."""
    for order in paired.ORDERS:
        turns = [(side, 100 + 7 * at + (3 if side == 0 else 0)) for at, side in enumerate(order)]
        assert paired.block(turns).extra_us == pytest.approx(3)


def test_each_block_is_compared_within_itself() -> None:
    """The median of differences, whatever happened to both in a block; errors of all parts are added up."""
    parts = [Comparison((Block(11, 10), Block(52, 50)), errors=1), Comparison((Block(31, 30),), errors=2)]
    found = paired.joined(parts)
    assert (found.extra_us, found.own_us, found.base_us, found.errors) == (1, 31, 30, 3)


@pytest.mark.parametrize(
    ("size", "rank"),
    [(6, 0), (8, 0), (9, 1), (20, 5), (25, 7), (50, 17)],
)
def test_interval_is_that_of_the_tables_of_order_statistics(size: int, rank: int) -> None:
    """The ranks of the sign test at 95 %, counted from both ends."""
    values = [float(value) for value in range(size)]
    assert paired.interval(values[::-1]) == (rank, size - 1 - rank)


def test_interval_of_too_few_is_everything() -> None:
    """Five blocks lie on one side of the median once in sixteen times."""
    assert paired.interval([1.0, 2.0, 3.0, 4.0, 5.0]) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("extras_us", "word"),
    [([2.0] * 10, "ok"), ([4.0] * 10, "MISSED"), ([2.0] * 5 + [4.0] * 5, "open"), ([2.0] * 5, "open")],
)
def test_verdict_is_said_where_the_whole_interval_agrees(extras_us: list[float], word: str) -> None:
    """What the measurement cannot decide is called open, not ok."""
    said = paired.verdict("JWT", compared(*extras_us), beside="none", goal_us=3, bare_us=42)
    assert said.startswith(f"- {word}: JWT: ")
    assert " over none (goal: at most +3 µs); in proportion to a bare request of 42 µs " in said
    assert f" µs {word}: " in said


@pytest.mark.parametrize(("bare_us", "word", "extra"), [(84, "ok", "+2.50"), (42, "MISSED", "+5.00")])
def test_a_slow_machine_is_judged_in_proportion_too(bare_us: float, word: str, extra: str) -> None:
    """Beside the figure itself, which is never left out."""
    said = paired.verdict("JWT", compared(*[5.0] * 10), beside="none", goal_us=3, bare_us=bare_us)
    assert said.startswith("- MISSED: JWT: +5.00 µs")
    assert said.endswith(f" of 42 µs {word}: {extra} ({extra} to {extra})")
