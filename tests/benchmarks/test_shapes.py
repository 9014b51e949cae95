"""Rows of what reading and changing answers costs."""

from benchmarks import shapes
from benchmarks.shapes import BARE, ROWS, Row
from benchmarks.summary import Sample


def samples(**cpu_us: float) -> dict[Row, list[Sample]]:
    """By the first word of a row's title; else as much as the bare route."""
    return {row: [Sample(cpu_us.get(row.title.split()[0], 40.0), 1.0, 1.0, 1.0, 0)] * 3 for row in ROWS}


def test_each_goal_is_judged() -> None:
    """Some beside the bare route, some alone."""
    text = shapes.rendered(samples(response=46.0, cache=30.0, aggregate=132.0))
    assert text.count("- ok: ") == 5
    text = shapes.rendered(samples(response=47.0, cache=46.0, aggregate=133.0))
    assert [line for line in text.splitlines() if line.startswith("- ")] == [
        "- MISSED: response headers and envelope: 1.18 × the bare route (goal: at most 1.15)",
        "- MISSED: cache hit, process LRU: 46.0 µs (goal: at most 30)",
        "- MISSED: cache hit, Redis: 46.0 µs (goal: at most 45)",
        "- MISSED: aggregate of three: 3.33 × the bare route (goal: at most 3.3)",
        "- ok: aggregate of three that take 50 ms: p99 1.0 ms, so p95 is less (goal: p95 at most 60)",
    ]


def test_nothing_measured_is_no_goal_met() -> None:
    """No answer at all is not free."""
    nothing = {row: [Sample(float("nan"), 0.0, 0.0, 0.0, 1)] for row in ROWS}

    assert "ok" not in shapes.rendered(nothing)
    assert BARE.times_goal is None
