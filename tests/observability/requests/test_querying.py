"""Requests by anything, a page at a time."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.models import KeptRequest
from observability.requests import querying
from observability.requests.querying import Filters, Page, found, newest, next_stretch, page_of, status_fault
from tests.support.kept import AT, kept

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def filled() -> None:
    KeptRequest.objects.bulk_create(
        kept(f"/{at}", after_s=at * 60, status=500 if at % 10 == 0 else 200, request_id=str(at))
        for at in range(100)
    )


def paths(**wanted: Any) -> list[str]:
    return [row.path for row in page_of(Filters(**wanted)).rows]


def test_pages_follow_one_another_without_gap_or_repetition() -> None:
    """The newest first; the last one says that it is the last."""
    filled()
    seen, before = [], None
    while True:
        page = page_of(Filters(), before=before, size=30)
        seen += [row.path for row in page.rows]
        before = page.before
        if before is None:
            break

    assert seen == [f"/{at}" for at in reversed(range(100))]


def test_anything_narrows_them() -> None:
    """Alone and together."""
    filled()
    KeptRequest.objects.create(
        **{
            name: value
            for name, value in vars(
                kept(
                    "/x",
                    after_s=9000,
                    code="FORBIDDEN",
                    status=403,
                    route="r",
                    service="s",
                    consumer="ada",
                    client="::1",
                    method="PUT",
                    would=" ip quotas ",
                    request_id="mine",
                    trace_id="b" * 32,
                )
            ).items()
            if name not in ("_state", "id")
        }
    )
    one = ["/x"]

    assert paths(status="403") == paths(status="4xx") == paths(code="FORBIDDEN") == one
    assert paths(route="r") == paths(service="s") == paths(consumer="ada") == paths(client="::1") == one
    assert paths(method="put") == paths(would="quotas") == paths(path="x", status="4xx") == one
    assert paths(request_id="mine") == paths(request_id="b" * 32) == one
    assert paths(would="quota") == paths(request_id="nobody") == []
    assert len(paths(status="5xx")) == 10
    since, until = AT + timedelta(minutes=10), AT + timedelta(minutes=12)
    assert paths(since=since, until=until) == ["/12", "/11", "/10"]


def test_a_page_that_takes_too_long_says_how_far_it_has_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one goes on from there, until all was looked at."""
    filled()
    monkeypatch.setattr(querying, "_FIRST_STRETCH", 10)
    monkeypatch.setattr(querying, "_LONGEST_STRETCH", 40)

    def asked(before: int | None = None) -> Page:
        ticks = count()
        return page_of(Filters(path="/3"), before=before, clock=lambda: float(next(ticks)), budget_s=0.5)

    page = asked()
    assert page.rows == []
    assert page.looked_until is not None
    pages = [page]
    while pages[-1].before is not None:
        pages.append(asked(pages[-1].before))

    assert [row.path for page in pages for row in page.rows][-1] == "/3"
    assert sum(len(page.rows) for page in pages) == 11


def test_no_more_is_looked_at_than_fits_into_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row takes 10 ms: a page of 0.2 s looks at 20 and at one shortest stretch more, not at 42."""
    filled()
    monkeypatch.setattr(querying, "_FIRST_STRETCH", 2)
    looked = []

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "LIKE" in sql:
            looked.append(abs(params[-2] - params[-1]))
        return execute(sql, params, many, context)

    before, pages = None, []
    with connection.execute_wrapper(counting):
        while not pages or before is not None:
            looked.clear()
            page = page_of(
                Filters(path="/nowhere"), before=before, clock=lambda: sum(looked) * 0.01, budget_s=0.2
            )
            before = page.before
            pages.append(sum(looked))
    assert sum(pages) == 100
    assert all(15 <= each <= 22 for each in pages[:-1])


@pytest.mark.parametrize(
    ("took_s", "left_s", "expected"),
    [(0.0, 0.2, 10_000), (0.01, 0.19, 10_000), (0.1, 0.2, 8_000), (0.2, 0.01, 2000), (0.2, -1, 2000)],
)
def test_stretches_follow_the_clock(took_s: float, left_s: float, expected: int) -> None:
    """Four times as many, or what fits, or the longest; never none."""
    assert next_stretch(4000, took_s, left_s) == expected
    assert next_stretch(2000, 0.01, 0.19) == 8000


def test_the_ends_of_the_table_are_looked_up() -> None:
    """Each alone, which an index answers; SQLite reads every row for both at once."""
    filled()
    with CaptureQueriesContext(connection) as queries:
        page_of(Filters())
    ends = [each["sql"] for each in queries if "MIN(" in each["sql"] or "MAX(" in each["sql"]]
    assert [("MIN(" in sql) + ("MAX(" in sql) for sql in ends] == [1, 1]
    with connection.cursor() as cursor:
        for sql in ends if connection.vendor == "sqlite" else ():
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            assert [row[3].split()[0] for row in cursor.fetchall()] == ["SEARCH"]


def test_the_newest_come_in_their_order() -> None:
    """For whoever follows."""
    filled()
    top = max(KeptRequest.objects.values_list("pk", flat=True))

    assert [row.path for row in newest(Filters(), after=top - 2)] == ["/98", "/99"]


def test_one_is_found_by_its_id_or_its_number() -> None:
    """The id is what a client has."""
    filled()
    row = KeptRequest.objects.get(request_id="7")

    assert found("7") == row
    assert found(str(row.pk + 1000)) is found("no") is found("\0") is None


@pytest.mark.parametrize(
    ("text", "is_right"), [("", True), ("5xx", True), ("404", True), ("6xx", False), ("x", False)]
)
def test_statuses(text: str, is_right: bool) -> None:
    """A number or a class."""
    assert (status_fault(text) == "") is is_right
