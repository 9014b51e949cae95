"""What dashboards and objectives ask."""

import pytest

from observability.rollups.minutes import ROUTE, SERVICE, Subject
from observability.rollups.reading import (
    EVERYTHING,
    connects,
    consumers,
    ranking,
    series,
    totals,
    totals_of,
)
from observability.rollups.tiers import MINUTE
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def test_series_have_a_point_for_each_step() -> None:
    worker = Worker()
    worker.serve(3)
    worker.now += 2 * MINUTE
    worker.serve(4, status=500)
    worker.write()
    points = series(EVERYTHING, AT - 60, AT + 240)
    assert [(each.at - AT, each.figures.count, each.figures.errors) for each in points] == [
        (-60, 0, 0),
        (0, 3, 0),
        (60, 0, 0),
        (120, 4, 4),
        (180, 0, 0),
    ]
    assert [each.figures.count for each in series(EVERYTHING, AT - 120, AT + 240, 120)] == [0, 3, 4]


def test_connections_of_a_service_and_of_all() -> None:
    """By several workers, in steps; what a service was asked is told apart, and a route has none."""
    for name in ("w1", "w2"):
        worker = Worker(name)
        worker.serve(5, connects=(2, 0.01))
        worker.serve(5, service="mail", connects=(1, 0.5))
        worker.now += 2 * MINUTE
        worker.serve(7, connects=(1, 0.04))
        worker.write()
    points = connects(Subject(SERVICE, "shop"), AT, AT + 180)
    assert [(each.at - AT, each.figures.count) for each in points] == [(0, 4), (60, 0), (120, 2)]
    assert points[0].figures.quantile_s(0.99) == pytest.approx(0.01, rel=0.05)
    assert points[2].figures.mean_s == pytest.approx(0.04)
    assert [each.figures.count for each in connects(EVERYTHING, AT, AT + 180)] == [6, 0, 2]
    assert connects(Subject(ROUTE, "orders"), AT, AT + 180) == []
    assert totals(Subject(SERVICE, "shop"), AT, AT + 180).count == 24


def test_objectives_of_a_route() -> None:
    """What was good, by availability and by a bound of latency."""
    worker = Worker()
    worker.serve(90, seconds=0.01)
    worker.serve(6, status=503, code="CIRCUIT_OPEN", seconds=0.001)
    worker.serve(4, status=499, seconds=2.0)
    worker.serve(50, route="other")
    worker.write()
    (point,) = series(Subject(ROUTE, "orders"), AT, AT + MINUTE)
    assert (point.figures.valid, point.figures.errors, point.figures.within(0.5)) == (96, 6, 96)


def test_rankings() -> None:
    one, two = Worker("w1"), Worker("w2")
    for worker in (one, two):
        worker.serve(5, route="a", service="s1", seconds=0.5)
        worker.serve(3, route="b", service="s2", status=500)
        worker.serve(2, route="c", service="s2", status=429, code="RATE_LIMIT")
        worker.write()
    found = ranking(ROUTE, AT, AT + MINUTE)
    assert [(each.name, each.service, each.figures.count) for each in found] == [
        ("a", "s1", 10),
        ("b", "s2", 6),
        ("c", "s2", 4),
    ]
    assert found[0].figures.seconds == pytest.approx(5.0)
    assert [each.name for each in ranking(ROUTE, AT, AT + MINUTE, by="errors")] == ["b"]
    assert [each.name for each in ranking(ROUTE, AT, AT + MINUTE, by="refused")] == ["c"]
    assert [each.name for each in ranking(ROUTE, AT, AT + MINUTE, service="s2", limit=1)] == ["b"]
    assert [each.name for each in ranking(SERVICE, AT, AT + MINUTE)] == ["s1", "s2"]
    found_of = totals_of(ROUTE, ["a", "b", "nothing"], AT, AT + MINUTE)
    assert {name: figures.count for name, figures in found_of.items()} == {"a": 10, "b": 6}


def test_consumers_of_all_routes_and_of_one() -> None:
    worker = Worker()
    worker.serve(3, route="a", consumer="ann")
    worker.serve(2, route="b", consumer="ann", status=500)
    worker.serve(4, route="b", consumer="bob", status=429, code="RATE_LIMIT")
    worker.write()
    found = consumers(AT, AT + MINUTE)
    assert [(each.consumer, each.count, each.errors, each.refused) for each in found] == [
        ("ann", 5, 2, 0),
        ("bob", 4, 0, 4),
    ]
    assert [each.count for each in consumers(AT, AT + MINUTE, route="b", limit=1)] == [4]


def test_nothing_was_asked() -> None:
    assert totals(EVERYTHING, AT, AT + 3600).count == 0
    assert ranking(ROUTE, AT, AT + 3600) == []
    worker = Worker()
    worker.serve()
    worker.write()
    assert totals(Subject(ROUTE, "other"), AT, AT + 3600).count == 0
