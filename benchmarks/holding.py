"""P: The rows of what holding traffic in check costs, and what their figures say."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Final

from benchmarks.report import number, table
from benchmarks.summary import Sample, difference, line, ratio_of

IN_PROCESS: Final = "in process"
THROUGH_REDIS: Final = "through Redis"
FASTAPI_NAME: Final = "FastAPI + httpx"
GOAL: Final = 1.6
FASTAPI_GOAL: Final = 1 / 15


@dataclass(frozen=True, slots=True)
class Row:
    """One route of one gateway."""

    title: str
    gateway: str
    path: str
    is_known: bool = False
    """A token goes along, which the gateway has seen."""


BARE: Final = {name: Row(f"bare route, {name}", name, "/bare") for name in (IN_PROCESS, THROUGH_REDIS)}
FASTAPI: Final = Row("FastAPI + httpx, nothing on", FASTAPI_NAME, "/bare")
EVERYTHING: Final = Row(f"everything on, {THROUGH_REDIS}", THROUGH_REDIS, "/all", is_known=True)
ROWS: Final = (
    BARE[IN_PROCESS],
    Row(f"one quota, {IN_PROCESS}", IN_PROCESS, "/quota"),
    Row(f"three quotas, {IN_PROCESS}", IN_PROCESS, "/threefold"),
    Row("breaker", IN_PROCESS, "/breaker"),
    Row("retries", IN_PROCESS, "/retries"),
    Row("least connections, two targets", IN_PROCESS, "/least"),
    Row("concurrency of service and route", IN_PROCESS, "/crowd"),
    Row(f"everything on, {IN_PROCESS}", IN_PROCESS, "/all", is_known=True),
    BARE[THROUGH_REDIS],
    Row(f"one quota, {THROUGH_REDIS}", THROUGH_REDIS, "/quota"),
    Row(f"three quotas, {THROUGH_REDIS}", THROUGH_REDIS, "/threefold"),
    EVERYTHING,
    FASTAPI,
)
Samples = Mapping[Row, list[Sample]]
_METHOD: Final = (
    "Everything on: a token that was seen and identity fields, a quota, breaker, retries, least connections, health, "
    "ejection. CPU is that of the gateway's process tree; Redis runs beside it, and its own time is shown apart."
)


def rendered(samples: Mapping[Row, list[Sample]], redis_us: Mapping[Row, float]) -> str:
    """Each row beside the bare route of the same gateway in the same round; Markdown."""
    rows = []
    for row, own in samples.items():
        figures = line(own)
        base = BARE.get(row.gateway)
        is_judged = base is not None and row is not base
        rows.append(
            (
                row.title,
                number(figures.cpu_us, 2),
                f"{difference(own, samples[base]):+.2f}" if base is not None and is_judged else "–",
                number(_ratio(samples, row, base), 2) if base is not None and is_judged else "–",
                number(redis_us[row], 2) if row.gateway == THROUGH_REDIS else "–",
                str(figures.errors),
            )
        )
    columns = ("row", "CPU µs/request", "µs over bare", "× bare", "Redis µs/request", "errors")
    return f"{_METHOD}\n\n{table(columns, rows)}\n\n{verdicts(samples)}"


def verdicts(samples: Mapping[Row, list[Sample]]) -> str:
    """Everything on against its two goals; nothing is said where there is nothing to compare."""
    beside_bare = _ratio(samples, EVERYTHING, BARE[THROUGH_REDIS])
    beside_fastapi = _ratio(samples, EVERYTHING, FASTAPI)
    judged = (
        (beside_bare <= GOAL, beside_bare, f"{beside_bare:.2f} × the bare route (goal: at most {GOAL:g})"),
        (
            beside_fastapi < FASTAPI_GOAL,
            beside_fastapi,
            f"1/{1 / beside_fastapi:.1f} of {FASTAPI.title} (goal: under 1/{1 / FASTAPI_GOAL:.0f})",
        ),
    )
    return "\n".join(
        f"- {'ok' if is_kept else 'MISSED'}: {EVERYTHING.title}: {shown}"
        for is_kept, value, shown in judged
        if not isnan(value)
    )


def _ratio(samples: Mapping[Row, list[Sample]], row: Row, to: Row) -> float:
    return ratio_of(samples.get(row, ()), samples.get(to, ()))
