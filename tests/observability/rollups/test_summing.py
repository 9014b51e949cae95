"""Minutes become longer spans: nothing is lost or doubled, whatever comes when; what is old goes."""

import threading

import pytest
from django.db import connections

from observability.models import CallerRow, TrafficRow
from observability.rollups import summing
from observability.rollups.minutes import ALL, CONNECTS, ROUTE, SERVICE, Subject
from observability.rollups.reading import EVERYTHING, connects, consumers, totals
from observability.rollups.tiers import BLOCK, DAY, HOUR, MINUTE
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
ORDERS, SHOP = Subject(ROUTE, "orders"), Subject(SERVICE, "shop")


def sum_up(now: float) -> None:
    while summing.step(now):
        pass


def counts(span: int, scope: str = "all") -> dict[int, int]:
    rows = TrafficRow.objects.filter(span=span, scope=scope).order_by("at")
    return dict(rows.values_list("at", "count"))


def serve_minutes(worker: Worker, number: int, **what: object) -> None:
    for _ in range(number):
        worker.serve(**what)  # type: ignore[arg-type]
        worker.write()
        worker.now += MINUTE


def test_each_tier_is_made_of_the_one_before() -> None:
    one, two = Worker("w1"), Worker("w2")
    serve_minutes(one, 65, consumer="ann", seconds=0.01)
    serve_minutes(two, 65, consumer="bob", seconds=1.0)
    sum_up(AT + 65 * MINUTE)
    assert counts(BLOCK) == {AT + BLOCK * number: 10 for number in range(12)}
    assert counts(HOUR) == {AT: 120}
    sum_up(AT + DAY + HOUR)
    assert counts(DAY) == {AT: 130}
    assert counts(DAY, "route") == {AT: 130}
    row = TrafficRow.objects.get(span=DAY, scope="route")
    assert (row.name, row.service, row.worker, row.sent) == ("orders", "shop", "", 13_000)
    figures = totals(ORDERS, AT, AT + DAY)
    assert figures.quantile_s(0.25) == pytest.approx(0.01, rel=0.05)
    assert figures.quantile_s(0.75) == pytest.approx(1.0, rel=0.05)
    assert [(each.consumer, each.count) for each in consumers(AT, AT + DAY)] == [("ann", 65), ("bob", 65)]


def test_connections_are_summed_up_and_pruned_as_requests_are() -> None:
    """Of all workers; and read right however far that has come."""
    one, two = Worker("w1"), Worker("w2")
    serve_minutes(one, 65, connects=(1, 0.01))
    serve_minutes(two, 65, service="mail", connects=(2, 1.0))
    while True:
        (point,) = connects(EVERYTHING, AT, AT + DAY, DAY)
        assert point.figures.count == 3 * 65
        if not summing.step(AT + DAY + HOUR):
            break
    assert counts(BLOCK, CONNECTS).keys() == {AT + BLOCK * number for number in range(13)}
    assert TrafficRow.objects.filter(span=DAY, scope=CONNECTS).count() == 3
    (of_shop,) = connects(SHOP, AT, AT + DAY, DAY)
    assert (of_shop.figures.count, of_shop.figures.seconds) == (65, pytest.approx(0.65))
    assert point.figures.quantile_s(0.25) == pytest.approx(0.01, rel=0.05)
    assert point.figures.quantile_s(0.75) == pytest.approx(1.0, rel=0.05)
    summing.prune(AT + 91 * DAY)
    assert counts(MINUTE, CONNECTS) == counts(BLOCK, CONNECTS) == counts(HOUR, CONNECTS) == {}
    (point,) = connects(EVERYTHING, AT, AT + DAY, DAY)
    assert point.figures.count == 3 * 65
    summing.prune(AT + 402 * DAY)
    assert not TrafficRow.objects.filter(scope=CONNECTS).exists()


def test_a_version_that_knows_no_connections_leaves_them_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keeping house makes nothing of them and takes nothing away; who comes after adds them up."""
    worker = Worker()
    serve_minutes(worker, 60, connects=(1, 0.01))
    with monkeypatch.context() as before:
        before.setattr(summing, "SCOPES", (ALL, SERVICE, ROUTE))
        sum_up(AT + DAY + HOUR)
    assert (counts(DAY), counts(DAY, CONNECTS)) == ({AT: 60}, {})
    (point,) = connects(EVERYTHING, AT, AT + DAY, DAY)
    assert point.figures.count == 60
    sum_up(AT + DAY + HOUR)
    assert set(TrafficRow.objects.filter(span=DAY, scope=CONNECTS).values_list("name", "count")) == {
        ("", 60),
        ("shop", 60),
    }


def test_what_is_read_is_right_at_every_moment() -> None:
    """However much has been summed up so far."""
    worker = Worker()
    serve_minutes(worker, 130)
    now = worker.now
    steps = 0
    while True:
        assert totals(EVERYTHING, AT, AT + DAY).count == 130
        assert totals(ORDERS, AT + 7 * MINUTE, AT + 97 * MINUTE).count == 90
        if not summing.step(now):
            break
        steps += 1
    assert steps > 50
    assert counts(HOUR) == {AT: 60, AT + HOUR: 60}


def test_late_rows_are_added() -> None:
    """A worker whose database was away writes minutes of an hour that is over."""
    early, late = Worker("w1"), Worker("w2")
    serve_minutes(early, 60)
    sum_up(AT + 2 * HOUR)
    late.serve(5)
    late.write()
    assert totals(EVERYTHING, AT, AT + HOUR).count == 65
    sum_up(AT + 2 * HOUR)
    assert counts(HOUR) == {AT: 65}
    late.serve(1)
    late.write()
    sum_up(AT + 2 * HOUR)
    assert counts(HOUR) == {AT: 66}


def test_a_span_that_is_not_over_waits() -> None:
    worker = Worker()
    serve_minutes(worker, 6)
    assert not summing.step(AT + BLOCK + summing.GRACE_S - 1)
    assert summing.step(AT + BLOCK + summing.GRACE_S)


def test_many_routes_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summing, "NAMES_AT_ONCE", 3)
    worker = Worker()
    for number in range(10):
        worker.serve(route=f"r{number}")
    worker.write()
    sum_up(AT + HOUR)
    assert TrafficRow.objects.filter(span=BLOCK, scope="route").count() == 10


def test_workers_do_it_at_the_same_time() -> None:
    worker = Worker()
    for number in range(50):
        worker.serve(route=f"r{number}")
    serve_minutes(worker, 30)
    done = []

    def work() -> None:
        try:
            sum_up(worker.now + 60)
            done.append(True)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sum_up(worker.now + 60)
    assert done == [True] * 3
    assert sum(counts(BLOCK).values()) == 80
    assert totals(EVERYTHING, AT, AT + HOUR).count == 80


def test_small_consumers_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summing, "KEPT_CALLERS", 2)
    worker = Worker()
    for number in range(5):
        worker.serve(10 - number, consumer=f"c{number}")
    worker.write()
    sum_up(AT + HOUR)
    rows = CallerRow.objects.filter(span=BLOCK).values_list("consumer", "count")
    assert dict(rows) == {"c0": 10, "c1": 9, "(other)": 8 + 7 + 6}


def test_old_rows_go_and_their_sums_stay() -> None:
    worker = Worker()
    serve_minutes(worker, 60, consumer="ann")
    now = AT + DAY + 2 * HOUR
    sum_up(now)
    assert not summing.prune(AT + 47 * HOUR)
    assert len(counts(MINUTE)) == 60
    while summing.prune(AT + 50 * HOUR):
        pass
    assert counts(MINUTE) == counts(BLOCK) == {}
    assert totals(EVERYTHING, AT, AT + HOUR).count == 60
    summing.prune(AT + 91 * DAY)
    assert counts(HOUR) == {}
    assert totals(EVERYTHING, AT, AT + DAY).count == 60
    assert consumers(AT, AT + DAY)[0].count == 60


def test_a_round_has_a_budget() -> None:
    worker = Worker()
    serve_minutes(worker, 30)
    moments = iter(range(100))
    assert summing.keep_house(worker.now, clock=lambda: float(next(moments)), pause=lambda _: None)
    assert len(counts(BLOCK)) == 1
    assert not summing.keep_house(worker.now + 60, clock=lambda: 0.0, pause=lambda _: None)
    assert len(counts(BLOCK)) == 6
