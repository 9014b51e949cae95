"""Tables, verdicts, and the sections of the results."""

import math

from benchmarks import report
from benchmarks.cells import Cell, Measured
from benchmarks.summary import Sample


def measured(**cpu_us: float) -> Measured:
    names = {"torana": "Torana", "caddy": "Caddy", "fastapi": "FastAPI + httpx"}
    samples = {names[key]: [Sample(value, 12345.6, 1.0, 2.0, 0)] for key, value in cpu_us.items()}
    return Measured(Cell("200 B", 32, rounds=1, duration_s=2), samples)


def test_table_is_aligned_markdown() -> None:
    """All lines are equally long; the first column is to the left."""
    lines = report.table(("peer", "µs"), [("a", "1.0"), ("longer", "1,234.0")]).splitlines()
    assert lines == [
        "| peer   |      µs |",
        "| :----- | ------: |",
        "| a      |     1.0 |",
        "| longer | 1,234.0 |",
    ]


def test_cell_table_has_ratios_to_both_yardsticks() -> None:
    """Every peer has a row with its CPU, its ratios and its rate."""
    rows = report.cell_table(measured(torana=40, caddy=50, fastapi=1000)).splitlines()
    cells = [cell.strip() for cell in rows[2].split("|")]
    assert cells[1:7] == ["Torana", "40.0", "40.0–40.0", "0.80", "0.040", "12,346"]


def test_missing_yardstick_leaves_a_dash() -> None:
    """Without Caddy there is no ratio to it."""
    assert "| – |" in " ".join(report.cell_table(measured(torana=40)).split())
    assert report.number(math.nan) == "–"


def test_verdicts_name_goal_and_failure() -> None:
    """Both goals are judged, and a missed one is plain to see."""
    kept, missed = report.verdicts([measured(torana=50, caddy=50, fastapi=1000)]).splitlines()
    assert kept == "- ok: 200 B, 32 connections: 1.00 of Caddy's CPU (goal: at most 1.1)"
    assert missed == "- MISSED: 200 B, 32 connections: 1/20.0 of FastAPI + httpx's CPU (goal: at most 1/25)"


def test_verdicts_without_torana_are_empty() -> None:
    """Nothing is claimed about what did not run."""
    assert report.verdicts([measured(caddy=50, fastapi=1000)]) == ""


def test_section_is_added_then_replaced_in_place() -> None:
    """Writing one section again leaves the others as they are."""
    document = report.with_section("# Results\n", "One", "first")
    document = report.with_section(document, "Two", "second")
    document = report.with_section(document, "One", "changed \\1")
    assert document == "# Results\n\n## One\n\nchanged \\1\n\n## Two\n\nsecond\n"
    assert report.with_section(document, "Two", "second") == document
