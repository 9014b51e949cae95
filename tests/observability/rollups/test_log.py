"""Requests become rows: each once, by several workers, whatever the database does."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections

from observability.models import CallerRow, TrafficRow
from observability.rollups import log as module
from observability.rollups import writing
from observability.rollups.reading import EVERYTHING, totals
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def total() -> int:
    return totals(EVERYTHING, AT, AT + 3600).count


def test_a_row_holds_all_of_the_minute_however_often_it_is_written() -> None:
    worker = Worker()
    worker.serve(3, consumer="ann")
    worker.write()
    worker.serve(2, status=502, consumer="ann")
    worker.write()
    worker.write()
    row = TrafficRow.objects.get(scope="route")
    assert (row.at, row.name, row.service, row.count, row.errors, row.sent) == (
        AT,
        "orders",
        "shop",
        5,
        2,
        500,
    )
    assert row.seconds == pytest.approx(0.5)
    assert total() == 5
    caller = CallerRow.objects.get()
    assert (caller.consumer, caller.route, caller.count, caller.errors) == ("ann", "orders", 5, 2)


def test_connections_have_rows_of_their_own() -> None:
    """Of each service and of all of them."""
    worker = Worker()
    worker.serve(3, connects=(2, 0.25))
    worker.write()
    worker.serve(2, service="mail", connects=(1, 0.5))
    worker.write()
    worker.write()
    rows = TrafficRow.objects.filter(scope="connects").order_by("name")
    assert list(rows.values_list("at", "name", "count", "seconds")) == [
        (AT, "", 3, 1.0),
        (AT, "mail", 1, 0.5),
        (AT, "shop", 2, 0.5),
    ]


def test_workers_add_to_each_other_at_the_same_time() -> None:
    """Also one that begins anew."""

    def work(name: str) -> None:
        try:
            worker = Worker(name)
            for _ in range(5):
                for number in range(30):
                    worker.serve(route=f"r{number}", consumer=f"c{number}")
                worker.log._write_last()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker = Worker("w0-anew")
    worker.serve(route="r0")
    worker.write()
    assert total() == 4 * 5 * 30 + 1


def test_what_cannot_be_written_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody knows whether it was written: the whole row is written again."""
    worker = Worker()
    write = writing.write_traffic

    def write_and_fail(rows: Any) -> None:
        write(rows)
        raise OperationalError("the connection was lost")

    worker.serve(3)
    with monkeypatch.context() as broken:
        broken.setattr(module, "_in_one_step", lambda _, rows: write_and_fail(rows))
        with pytest.raises(OperationalError):
            worker.write()
    assert total() == 3
    worker.serve(2)
    worker.write()
    assert total() == 5
    assert worker.log.dropped == 0


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()
    monkeypatch.setattr(module, "MOST_PENDING", 2)
    for _ in range(4):
        worker.serve(5)
    worker.write()
    assert total() == 10
    assert worker.log.dropped == 10


def test_an_outage_of_hours_costs_all_but_the_last_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()

    def away(*_: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(module, "_in_one_step", away)
        for _ in range(40):
            worker.serve(2)
            with pytest.raises(OperationalError):
                worker.write()
            worker.now += 60
    worker.write()
    assert total() == 2 * 15
    assert worker.log.dropped == 2 * 25


def test_few_statements(django_assert_max_num_queries: Any) -> None:
    """None where nothing was asked."""
    worker = Worker()
    for number in range(300):
        worker.serve(route=f"r{number}", service=f"s{number % 10}")
    with django_assert_max_num_queries(12):
        worker.write()
    with django_assert_max_num_queries(0):
        worker.write()


async def test_a_thread_writes_and_writes_the_last_ones() -> None:
    worker = Worker()
    worker.log._poller._poll_s = 0.02
    worker.log.start()
    worker.serve(3)
    async with asyncio.timeout(10):
        while not await TrafficRow.objects.aexists():  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.02)
    worker.log._write_s = 3600.0
    worker.serve(4)
    await worker.log.stop()
    assert (await TrafficRow.objects.aget(scope="all")).count == 7
    await sync_to_async(connections.close_all)()
