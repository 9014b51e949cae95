"""Tallies of blocks, hours and days: rankings are the same with them as without, whatever comes when."""

import random
from collections import Counter
from typing import Any, Final
from unittest.mock import ANY

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observability.models import TrafficRow
from observability.rollups import reading, summing, tallies
from observability.rollups.figures import Figures
from observability.rollups.minutes import ROUTE, Subject
from observability.rollups.reading import ranking
from observability.rollups.tiers import BLOCK, DAY, HOUR, MINUTE
from observability.rollups.writing import traffic_row, write_traffic
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NOTHING: Final[dict[str, Any]] = {
    name: 0 for name in ("count", "errors", "refused", "seconds", "upstream_s", "received", "sent")
}
Served = Counter[tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_SUMS", tallies.Sums())


def sum_up(now: float) -> None:
    while summing.step(now):
        pass


def serve(served: Served, worker: Worker, count: int, route: str, service: str) -> None:
    worker.serve(count, route=route, service=service)
    served[int(worker.now) // MINUTE * MINUTE, route, service] += count


def the_slow_way(served: Served, start: int, end: int, service: str | None = None) -> list[tuple[str, int]]:
    sums: Counter[str] = Counter()
    for (at, route, of), count in served.items():
        if start <= at < end and service in (None, of):
            sums[route] += count
    return sorted(sums.items(), key=lambda each: (-each[1], each[0]))


def ranked(start: int, end: int, service: str | None = None) -> list[tuple[str, int]]:
    return [(each.name, each.figures.count) for each in ranking(ROUTE, start, end, service=service, limit=99)]


def test_rankings_are_as_the_slow_way_has_them() -> None:
    """Of two workers, with late rows of hours that have a tally, and tallies that are missing."""
    rng, served = random.Random(7), Served()
    workers = Worker("w1"), Worker("w2")
    for number in range(60):
        for worker in workers:
            worker.now = AT + number * 35 * MINUTE
            for _ in range(3):
                route = rng.randrange(12)
                serve(served, worker, rng.randrange(1, 50), f"r{route:02}", f"s{route % 3}")
            worker.write()
        if number % 7 == 0:
            sum_up(AT + number * 35 * MINUTE)
        if number % 20 == 10:
            late = Worker(f"late{number}", AT + rng.randrange(number * 35) * MINUTE)
            serve(served, late, 500, "r03", "s0")
            late.write()
        if number % 20 == 15:
            some = TrafficRow.objects.filter(scope=tallies.SCOPE).order_by("at")[1:3]
            TrafficRow.objects.filter(pk__in=list(some.values_list("pk", flat=True))).delete()
        now = AT + (number + 1) * 35 * MINUTE
        for start, end in ((AT, now), (AT + 95 * MINUTE, now), (AT + 2 * HOUR, AT + 26 * HOUR)):
            assert ranked(start, end) == the_slow_way(served, start, end)
        for service in ("s0", "s2"):
            assert ranked(AT, now, service) == the_slow_way(served, AT, now, service)
    assert tallies.rows(HOUR).count() > 20
    assert tallies.rows(DAY).count() == 1


def test_what_is_late_is_told_at_once_by_a_worker_that_kept_the_sums() -> None:
    """Another worker writes it and adds it up: the tally is another one then."""
    worker, served = Worker(), Served()
    serve(served, worker, 5, "a", "s")
    worker.write()
    sum_up(AT + 2 * HOUR)
    assert ranked(AT, AT + HOUR) == [("a", 5)]
    assert tallies.rows(HOUR).count() == 1
    serve(served, late := Worker("w2"), 7, "b", "s")
    late.write()
    assert ranked(AT, AT + HOUR) == [("b", 7), ("a", 5)]
    sum_up(AT + 2 * HOUR)
    assert tallies.rows(HOUR).count() == 1
    assert ranked(AT, AT + HOUR) == [("b", 7), ("a", 5)]


def test_whole_days_are_read_from_tallies_and_then_from_memory() -> None:
    worker = Worker()
    for number in range(30):
        worker.now = AT + number * HOUR
        worker.serve(3, route=f"r{number % 4}", service="s")
        worker.write()
    sum_up(AT + 31 * HOUR)
    TrafficRow.objects.filter(scope=ROUTE, span__lt=HOUR).delete()
    for read in (4, 0):  # the tallies and the roster, of a day and of hours; then nothing but which there are
        with CaptureQueriesContext(connection) as found:
            ranked(AT, AT + 30 * HOUR)
        about = [each["sql"] for each in found if "'counts'" in each["sql"]]
        assert len(about) == 2
        texts = [each["sql"].partition("FROM")[0] for each in found]
        assert sum('."buckets"' in text and '."count"' not in text for text in texts) == read
        assert not any("GROUP BY" in each["sql"] for each in found)


def test_no_more_is_kept_than_is_said() -> None:
    worker, sums = Worker(), tallies.Sums(kept=2)
    for number in range(5):
        worker.now = AT + number * HOUR
        worker.serve(number + 1, route="r", service="s")
        worker.write()
    sum_up(AT + 6 * HOUR)
    for _ in range(2):
        for number in range(5):
            assert sums.of(HOUR, AT + number * HOUR, AT + (number + 1) * HOUR) == (
                {"s": {"r": number + 1}},
                [],
            )
    assert len(sums._sums) == 2


def test_old_ones_go_and_are_not_made_again() -> None:
    worker = Worker()
    worker.serve(1)
    worker.write()
    sum_up(AT + DAY + HOUR)
    assert tallies.rows(HOUR).count() == tallies.rows(DAY).count() == 1
    TrafficRow.objects.filter(scope=tallies.SCOPE).delete()
    assert tallies.due(HOUR, AT + DAY, AT + tallies.KEPT_S[HOUR]) == AT
    assert tallies.due(HOUR, AT + DAY, AT + tallies.KEPT_S[HOUR] + 1) is None
    assert tallies.due(HOUR, AT, AT + DAY) is None
    tallies.make(HOUR, AT)
    summing.prune(AT + summing.KEPT_S[HOUR] + BLOCK)
    assert not tallies.rows(HOUR).exists()


def tallied(counts: dict[str, int], at: int, span: int = HOUR) -> None:
    """A span that is over, and its tally."""
    rows = [("all", "", sum(counts.values())), *(("route", name, count) for name, count in counts.items())]
    for scope, name, count in rows:
        write_traffic(
            [traffic_row(span, at, "", Subject(scope, name), Figures(count), service="s", last=True)]
        )
    tallies.make(span, at)


def rosters() -> int:
    return int(TrafficRow.objects.filter(scope=tallies.ROSTER).count())


def test_tallies_share_a_roster_until_a_route_is_new() -> None:
    """They are added up all the same; a roster that no tally goes by is deleted when the next one is made."""
    tallied({"a": 1, "b": 2}, AT)
    tallied({"b": 4}, AT + HOUR)
    assert rosters() == 1
    tallied({"b": 8, "c": 16}, AT + 2 * HOUR)
    assert rosters() == 2
    counts, missing = tallies.Sums().of(HOUR, AT, AT + 3 * HOUR)
    assert (counts, missing) == ({"s": {"a": 1, "b": 14, "c": 16}}, [])
    tallies.forget(HOUR, AT)
    tallies.forget(HOUR, AT + HOUR)
    tallied({"d": 1}, AT + 3 * HOUR)
    assert rosters() == 2


def test_a_day_leaves_routes_out_of_the_roster_of_which_most_are_gone() -> None:
    tallied({f"r{number}": 1 for number in range(9)}, AT)
    tallied({"r1": 1, "r2": 1, "r3": 1, "r4": 1, "r5": 1}, AT, DAY)
    assert rosters() == 1
    tallied({"r1": 1, "r2": 1}, AT + DAY, DAY)
    tallied({"r1": 3}, AT + DAY)
    newest = TrafficRow.objects.filter(scope=tallies.ROSTER).order_by("-pk")[0]
    assert orjson.loads(newest.buckets) == {"s": ["r1", "r2"]}
    assert tallies.Sums().of(DAY, AT, AT + 2 * DAY)[0]["s"]["r1"] == 2


def test_a_tally_that_an_older_version_left_is_not_believed() -> None:
    """It knows another scope, and forgets only that: rows that come late make the tally one that says too little."""
    tallied({"a": 1}, AT)
    tallied({"a": 2}, AT + HOUR)
    TrafficRow.objects.filter(at=AT, scope="all").update(count=3)
    assert tallies.Sums().of(HOUR, AT, AT + 2 * HOUR) == ({"s": {"a": 2}}, [AT])


def test_a_roster_that_is_gone_leaves_it_to_the_rows() -> None:
    tallied({"a": 1}, AT)
    TrafficRow.objects.filter(scope=tallies.ROSTER).delete()
    assert tallies.Sums().of(HOUR, AT, AT + HOUR) == ({}, [AT])
    assert ranked(AT, AT + HOUR) == [("a", 1)]


def test_those_of_earlier_versions_go_when_they_are_made_anew() -> None:
    write_traffic([TrafficRow(span=HOUR, at=AT, scope=tallies.BEFORE, buckets='{"s":{"a":1}}', **NOTHING)])
    tallied({"a": 1}, AT)
    assert not TrafficRow.objects.filter(scope=tallies.BEFORE).exists()


def test_those_of_earlier_versions_go_when_they_are_too_old() -> None:
    """Whether or not they were made anew: those of days may be older than any that is."""
    write_traffic([TrafficRow(span=DAY, at=AT, scope=tallies.BEFORE, buckets="{}", **NOTHING)])
    summing.prune(AT + 401 * DAY)
    assert not TrafficRow.objects.exists()


@given(hours=st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 99)), max_size=6))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tallies_come_to_what_rows_come_to(hours: list[dict[str, int]]) -> None:
    """Whichever routes were asked in which hour."""
    TrafficRow.objects.all().delete()
    for number, counts in enumerate(hours):
        tallied(counts, AT + number * HOUR)
    wanted = sum(map(Counter, hours), Counter())
    assert tallies.Sums().of(HOUR, AT, AT + len(hours) * HOUR) == ({"s": wanted} if wanted else ANY, [])
