"""A dashboard's numbers are what was sent."""

import pytest

from observability.rollups.boards import board
from observability.rollups.minutes import ROUTE, SERVICE, Subject
from observability.rollups.reading import EVERYTHING
from observability.rollups.tiers import RANGES
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOW = AT + 600.0


def served() -> None:
    for name in ("w1", "w2"):
        worker = Worker(name, AT + 310)
        worker.serve(80, route="a", service="s1", seconds=0.01, consumer="ann")
        worker.serve(10, route="b", service="s1", status=502, seconds=1.0, consumer="bob")
        worker.serve(10, route="c", service="s2", status=429, code="RATE_LIMIT", consumer="bob")
        worker.write()


@pytest.mark.parametrize("name", list(RANGES))
def test_totals_are_those_of_every_range(name: str) -> None:
    served()
    found = board(EVERYTHING, RANGES[name], NOW)
    assert found["totals"]["requests"] == sum(point["requests"] for point in found["series"]) == 200
    assert found["totals"]["classes"] == {"2xx": 160, "5xx": 20, "4xx": 20}
    assert found["totals"]["error_share"] == 0.1
    assert found["totals"]["p50_ms"] == pytest.approx(10, rel=0.05)
    assert found["totals"]["p99_ms"] == pytest.approx(1000, rel=0.05)
    assert found["codes"] == [{"code": "RATE_LIMIT", "count": 20}]
    assert found["statuses"][0] == {"status": "200", "count": 160}
    assert [(row["name"], row["requests"], row["errors"]) for row in found["top"]["routes"]] == [
        ("a", 160, 0),
        ("b", 20, 20),
        ("c", 20, 0),
    ]
    assert [row["name"] for row in found["top"]["services"]] == ["s1", "s2"]
    assert [(row["name"], row["refused"]) for row in found["top"]["consumers"]] == [("ann", 0), ("bob", 20)]
    assert len(found["series"]) == RANGES[name].length // RANGES[name].step


def test_of_one_service_and_one_route() -> None:
    served()
    service = board(Subject(SERVICE, "s1"), RANGES["1h"], NOW)
    assert service["totals"]["requests"] == 180
    assert [row["name"] for row in service["top"]["routes"]] == ["a", "b"]
    assert set(service["top"]) == {"routes"}
    route = board(Subject(ROUTE, "b"), RANGES["15m"], NOW)
    assert route["totals"]["errors"] == 20
    assert [row["name"] for row in route["top"]["consumers"]] == ["bob"]
    assert set(route["top"]) == {"consumers"}


@pytest.mark.parametrize("name", list(RANGES))
def test_connections_of_every_range(name: str) -> None:
    """Of a service and of everything; of a route there is no figure, and not a figure of none."""
    for number in (1, 2):
        worker = Worker(f"w{number}", AT + 310)
        worker.serve(80, route="a", service="s1", connects=(3, 0.02))
        worker.serve(5, route="b", service="s2", connects=(1, 0.8))
        worker.write()
    found = board(Subject(SERVICE, "s1"), RANGES[name], NOW)
    opened = found["totals"]["connects"]
    assert (opened["requests"], opened["mean_ms"]) == (6, 20.0)
    assert opened["p50_ms"] == opened["p99_ms"] == pytest.approx(20, rel=0.05)
    steps = [point["connects"]["requests"] for point in found["series"]]
    assert (sum(steps), max(steps), len(steps)) == (6, 6, len(found["series"]))
    everything = board(EVERYTHING, RANGES[name], NOW)["totals"]["connects"]
    assert everything["requests"] == 8
    assert everything["p95_ms"] == pytest.approx(800, rel=0.05)
    of_route = board(Subject(ROUTE, "a"), RANGES[name], NOW)
    assert not [each for each in (of_route["totals"], *of_route["series"]) if "connects" in each]


def test_rates_are_of_the_time_that_has_passed() -> None:
    worker = Worker(now=AT + 600)
    worker.serve(100)
    worker.write()
    (now,) = [point for point in board(EVERYTHING, RANGES["15m"], AT + 610)["series"] if point["requests"]]
    assert now["rate"] == 10.0


def test_nothing() -> None:
    found = board(EVERYTHING, RANGES["1h"], NOW)
    assert found["totals"]["requests"] == found["totals"]["p99_ms"] == 0
    assert found["totals"]["connects"]["requests"] == found["totals"]["connects"]["p99_ms"] == 0
    assert found["top"] == {"routes": [], "services": [], "consumers": []}
