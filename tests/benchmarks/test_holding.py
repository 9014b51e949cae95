"""Rows of what holding traffic in check costs."""

from benchmarks import holding
from benchmarks.holding import BARE, EVERYTHING, FASTAPI, ROWS, THROUGH_REDIS, Row
from benchmarks.summary import Sample


def samples(**cpu_us: float) -> dict[Row, list[Sample]]:
    """Every row takes as long as the bare one, unless its beginning is among the names."""
    given = {"everything": EVERYTHING, "fastapi": FASTAPI, "bare": BARE[THROUGH_REDIS]}
    special = {given[name]: value for name, value in cpu_us.items()}
    return {row: [Sample(special.get(row, 40.0), 1.0, 1.0, 1.0, 0)] * 3 for row in ROWS}


def test_every_gateway_has_a_bare_route_of_its_own() -> None:
    """A row is compared with nothing else."""
    assert {row.gateway for row in ROWS} == {*BARE, FASTAPI.gateway}
    assert len({row.title for row in ROWS}) == len(ROWS)


def test_rows_stand_beside_their_bare_route() -> None:
    """With the difference and the ratio of the same round, and Redis's own time where there is one."""
    text = holding.rendered(samples(everything=60.0, fastapi=1000.0), dict.fromkeys(ROWS, 7.0))
    lines = {
        line.split("|")[1].strip(): line.split("|") for line in text.splitlines() if line.startswith("| ")
    }
    assert [cell.strip() for cell in lines[EVERYTHING.title][2:7]] == ["60.00", "+20.00", "1.50", "7.00", "0"]
    assert [cell.strip() for cell in lines["breaker"][2:7]] == ["40.00", "+0.00", "1.00", "–", "0"]
    assert [cell.strip() for cell in lines[FASTAPI.title][2:7]] == ["1,000.00", "–", "–", "–", "0"]


def test_both_goals_are_judged() -> None:
    """At most 1.6 times the bare route, and under a fifteenth of what one would write by hand."""
    kept = holding.verdicts(samples(everything=64.0, fastapi=961.0))
    assert [line[:5] for line in kept.splitlines()] == ["- ok:", "- ok:"]
    missed = holding.verdicts(samples(everything=65.0, fastapi=975.0))
    assert missed.splitlines() == [
        f"- MISSED: {EVERYTHING.title}: 1.62 × the bare route (goal: at most 1.6)",
        f"- MISSED: {EVERYTHING.title}: 1/15.0 of FastAPI + httpx, nothing on (goal: under 1/15)",
    ]


def test_nothing_is_claimed_of_what_did_not_answer() -> None:
    """A row without requests has no ratio."""
    assert holding.verdicts(samples(everything=float("nan"))) == ""
