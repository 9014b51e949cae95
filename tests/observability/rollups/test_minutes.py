"""What a worker's rows are to be: bounded, and no request twice."""

from typing import Any

import pytest

from observability.rollups import minutes as module
from observability.rollups.minutes import ALL, CONNECTS, EVERYBODY_ELSE, OPEN_S, Minutes, Subject
from observability.traffic.folding import OTHER
from observability.traffic.histogram import bucket_of
from tests.support.traffic_rows import AT, fold


def one(minutes: Minutes) -> Any:
    (found,) = list(minutes)
    return found


def counts(minutes: Minutes) -> dict[Subject, int]:
    return {subject: entry.figures.count for each in minutes for subject, entry in each.entries.items()}


def test_a_request_is_of_its_route_its_service_and_of_all() -> None:
    minutes = Minutes()
    minutes.add(AT + 5, fold(2))
    minutes.add(AT + 59, fold(1, status=503, code="CIRCUIT_OPEN"))
    minutes.add(AT + 60, fold(4, route="other"))
    assert [each.at for each in minutes] == [AT, AT + 60]
    first = next(iter(minutes))
    assert {subject.scope for subject in first.entries} == {"all", "service", "route"}
    assert first.entries[Subject("route", "orders")].figures.statuses == {"200": 2, "503 CIRCUIT_OPEN": 1}
    assert first.entries[Subject("route", "orders")].service == "shop"
    assert first.unwritten == 3


def test_the_gateways_own_endpoints_are_no_traffic() -> None:
    """Its refusals are: a path that no route has is somebody's."""
    minutes = Minutes()
    minutes.add(AT, fold(5, route="", service=""))
    minutes.add(AT, fold(3, route="", service="", status=404, code="ROUTE_NOT_FOUND"))
    assert counts(minutes) == {Subject("all", ""): 3, Subject("route", ""): 3}


def test_connections_are_of_their_service_and_of_all() -> None:
    """Counted by request, apart from the requests themselves; nobody's are of all."""
    minutes = Minutes()
    minutes.add(AT, fold(5, connects=(2, 0.02)))
    minutes.add(AT, fold(3, service="mail", connects=(1, 0.3)))
    minutes.add(AT, fold(4, service="", connects=(1, 0.1)))
    minutes.add(AT, fold(9))
    found = one(minutes).entries
    opened = {each.name: entry.figures.count for each, entry in found.items() if each.scope == CONNECTS}
    assert opened == {"": 4, "shop": 2, "mail": 1}
    shop = found[Subject(CONNECTS, "shop")].figures
    assert (shop.seconds, shop.buckets, shop.statuses) == (pytest.approx(0.04), {bucket_of(0.02): 2}, {})
    assert found[Subject("service", "shop")].figures.count == 14


def test_connections_of_a_minute_that_is_full_are_others() -> None:
    """All of them are in the sum. The row of all is there in any case."""
    minutes = Minutes(most_cells=1)
    for number in range(4):
        minutes.add(AT, fold(service=f"s{number}", connects=(1, 0.1)))
    found = counts(minutes)
    opened = {each.name: count for each, count in found.items() if each.scope == CONNECTS}
    assert opened == {"": 4, "s0": 1, OTHER: 3}


def test_too_many_routes_are_others() -> None:
    """All of them are in the sum."""
    minutes = Minutes(most_cells=5)
    for number in range(10):
        minutes.add(AT, fold(route=f"r{number}", service=""))
    found = counts(minutes)
    assert found[Subject("all", "")] == 10
    assert found[Subject("route", OTHER)] == 6
    assert len(found) == 6


def test_ten_thousand_routes_have_rows_of_their_own() -> None:
    """Each with a service of its own to which connections are opened, while a minute and the next are open."""
    minutes = Minutes()
    for at in (AT, AT + 60):
        for number in range(9_999):
            minutes.add(at, fold(route=f"r{number}", service=f"s{number}", connects=(1, 0.1)))

    assert not [subject for subject in counts(minutes) if subject.name == OTHER]
    assert len(counts(minutes)) == 3 * 9_999 + 2


def test_the_oldest_minute_goes_first() -> None:
    minutes = Minutes(kept=3)
    for number in range(5):
        minutes.add(AT + 60 * number, fold(number + 1))
    assert [each.at for each in minutes] == [AT + 120, AT + 180, AT + 240]
    assert minutes.dropped == 1 + 2


def test_what_was_written_is_not_lost() -> None:
    minutes = Minutes(kept=1)
    minutes.add(AT, fold(5))
    for _, entry in one(minutes).changed():
        entry.written = entry.figures.count
    minutes.add(AT, fold(2))
    minutes.add(AT + 60, fold(9))
    assert minutes.dropped == 2


def test_a_minute_is_closed_once_it_is_over_and_written() -> None:
    minutes = Minutes()
    minutes.add(AT, fold())
    minutes.close(AT + 3600)
    assert list(minutes) != []
    for _, entry in one(minutes).changed():
        entry.written = 1
    minutes.close(AT + 60 + OPEN_S - 1)
    assert list(minutes) != []
    minutes.close(AT + 60 + OPEN_S)
    assert list(minutes) == []
    minutes.add(AT - 3600, fold(7))  # the clock was put back
    assert one(minutes).at == AT + 60
    assert counts(minutes)[Subject(ALL, "")] == 7


def test_consumers_with_most_get_rows_and_keep_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written, its sum is the sum of all."""
    monkeypatch.setattr(module, "WRITTEN_CALLERS", 3)
    monkeypatch.setattr(module, "MOST_CALLERS", 6)
    minutes = Minutes()
    for number in range(9):
        minutes.add(AT, fold(10 - number, consumer=f"c{number}"))
    minute = one(minutes)
    rows = dict(minute.changed_callers())
    assert [key.consumer for key in rows] == ["c0", "c1", "c2", OTHER]
    assert sum(tally.count for tally in rows.values()) == sum(range(2, 11))
    minute.written |= {key: tally.count for key, tally in rows.items()}
    assert minute.changed_callers() == []

    minutes.add(AT, fold(100, consumer="c5"))
    minutes.add(AT, fold(1, consumer="c0"))
    rows = dict(minute.changed_callers())
    assert {key.consumer: tally.count for key, tally in rows.items()} == {
        "c0": 11,
        OTHER: sum(range(2, 8)) + 100,
    }
    assert EVERYBODY_ELSE in rows


def test_names_are_what_a_database_takes() -> None:
    minutes = Minutes()
    minutes.add(AT, fold(route="x" * 300, consumer="a\0" + "y" * 300))
    minute = one(minutes)
    assert {len(subject.name) for subject in minute.entries if subject.scope == "route"} == {100}
    (caller,) = minute.callers
    assert "\0" not in caller.consumer
    assert len(caller.consumer) == 150
