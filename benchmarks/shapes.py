"""P: The rows of what reading and changing answers costs, and what their figures say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.report import number, table
from benchmarks.summary import Line, Sample, line, ratio_of


@dataclass(frozen=True, slots=True)
class Row:
    """One route; `times_goal` beside the bare one, `us_goal` alone, `p99_goal_ms` for the time that it takes.

    Of `urls`, more than one go round.
    """

    title: str
    path: str
    urls: int = 1
    times_goal: float | None = None
    us_goal: float | None = None
    p99_goal_ms: float | None = None
    connections: int = 32


BARE: Final = Row("bare route, 200 B JSON", "/bare/x.json")
ROWS: Final = (
    BARE,
    Row("response headers and envelope", "/envelope/x.json", times_goal=1.15),
    Row("transformation by JMESPath", "/transform/x.json"),
    Row("cache hit, process LRU", "/cached/x.json", us_goal=30.0),
    Row("cache hit, Redis", "/cached/%05d.json", urls=40_000, us_goal=45.0),
    Row("aggregate of three", "/aggregate", times_goal=3.3),
    Row("aggregate of three that take 50 ms", "/slow", p99_goal_ms=60.0, connections=4),
)
_METHOD: Final = (
    "CPU is that of the gateway's process tree over a whole run of wrk, divided by wrk's answers: not every request "
    "reaches the upstream here. Redis runs beside it. More URLs than the process remembers are found in Redis."
)


def rendered(samples: Mapping[Row, list[Sample]]) -> str:
    """Each row beside the bare route in the same round; Markdown."""
    rows, verdicts = [], []
    for row, own in samples.items():
        figures, times = line(own), ratio_of(own, samples[BARE])
        shown = "–" if row is BARE else number(times, 2)
        rows.append(
            (row.title, number(figures.cpu_us, 2), shown, number(figures.p99_ms, 2), str(figures.errors))
        )
        verdicts += _verdict(row, figures, times)
    text = table(("row", "CPU µs/request", "× bare", "p99 ms", "errors"), rows)
    return f"{_METHOD}\n\n{text}\n\n" + "\n".join(verdicts)


def _verdict(row: Row, figures: Line, times: float) -> list[str]:
    cpu_us, p99_ms = figures.cpu_us, figures.p99_ms
    if row.p99_goal_ms is not None:
        goal = f"p99 {p99_ms:.1f} ms, so p95 is less (goal: p95 at most {row.p99_goal_ms:g})"
        return [_judged(row, p99_ms if cpu_us > 0 else cpu_us, row.p99_goal_ms, goal)]
    if row.us_goal is not None:
        return [_judged(row, cpu_us, row.us_goal, f"{cpu_us:.1f} µs (goal: at most {row.us_goal:g})")]
    if row.times_goal is not None:
        goal = f"{times:.2f} × the bare route (goal: at most {row.times_goal:g})"
        return [_judged(row, times, row.times_goal, goal)]
    return []


def _judged(row: Row, value: float, goal: float, text: str) -> str:
    return f"- {'ok' if value <= goal else 'MISSED'}: {row.title}: {text}"
