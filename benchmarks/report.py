"""P: Tables as aligned Markdown (which also reads well in a terminal), and the sections of RESULTS.md."""

import math
import re
from collections.abc import Sequence

from benchmarks.cells import Measured
from benchmarks.summary import line, ratio

TORANA, CADDY, FASTAPI = "Torana", "Caddy", "FastAPI + httpx"
CADDY_LIMIT = 1.1
FASTAPI_LIMIT = 1 / 25
_COLUMNS = (
    "peer",
    "CPU µs/request",
    "low–high",
    "× Caddy",
    "× FastAPI",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "errors",
)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown with the first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]

    def joined(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    return "\n".join([joined(columns), joined(rule), *(joined(row) for row in rows)])


def number(value: float, digits: int = 1) -> str:
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def cell_table(measured: Measured) -> str:
    """One cell: a row for each peer in the order of the line-up."""
    rows = []
    for name, samples in measured.samples.items():
        figures = line(samples)
        rows.append(
            (
                name,
                number(figures.cpu_us),
                f"{number(figures.cpu_low)}–{number(figures.cpu_high)}",
                number(ratio(measured.samples, name, to=CADDY), 2),
                number(ratio(measured.samples, name, to=FASTAPI), 3),
                number(figures.requests_per_s, 0),
                number(figures.p50_ms, 2),
                number(figures.p99_ms, 2),
                str(figures.errors),
            )
        )
    return table(_COLUMNS, rows)


def verdicts(measured: Sequence[Measured]) -> str:
    """The bare route against its goals, a line for each cell that can be judged."""
    lines = []
    for cell in measured:
        for other, limit, wanted in ((CADDY, CADDY_LIMIT, "1.1"), (FASTAPI, FASTAPI_LIMIT, "1/25")):
            value = ratio(cell.samples, TORANA, to=other)
            if not math.isnan(value):
                word = "ok" if value <= limit else "MISSED"
                shown = f"{value:.2f}" if limit >= 1 else f"1/{1 / value:.1f}"
                lines.append(
                    f"- {word}: {cell.cell.title}: {shown} of {other}'s CPU (goal: at most {wanted})"
                )
    return "\n".join(lines)


def with_section(document: str, title: str, body: str) -> str:
    """The document with this second-level section replaced, or added at the end."""
    section = f"## {title}\n\n{body.strip()}\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(document):
        replaced = pattern.sub(lambda _: section + "\n", document)
        return replaced.rstrip() + "\n"
    return f"{document.rstrip()}\n\n{section}"
