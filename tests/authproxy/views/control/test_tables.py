"""Pages of rows by their primary key: each row once, whatever kind of key it is."""

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from rest_framework.request import Request

from authproxy.control.paging import cursor, packed
from authproxy.refusing import Refused
from authproxy.views.control.tables import cut, page, sliced
from resilience.models import QuotaCount
from routing.models import Lease

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def asked(query: str) -> Request:
    return Request(RequestFactory().get(f"/?{query}"))


def test_each_row_comes_once() -> None:
    """In as many pages as it takes."""
    for number in range(5):
        User.objects.create_user(f"u{number}")
    names, query = [], "limit=2"
    while query:
        found = page(User.objects.all(), asked(query), "users", lambda user: {"name": user.username})
        names += [each["name"] for each in found["users"]]
        query = f"limit=2&cursor={found['next']}" if found["next"] else ""
    assert names == [f"u{number}" for number in range(5)]


@pytest.mark.parametrize("by", [("-count", "pk"), ("count", "-bucket"), ("-count", "-ends_s", "-pk")])
def test_rows_of_equal_values_come_once(by: tuple[str, ...]) -> None:
    """Whatever they are ordered by first, and either way."""
    for number, count in enumerate((3, 1, 3, 3, 2, 1)):
        QuotaCount.objects.create(bucket=f"d|q|{number}", count=count, ends_s=1)
    seen, query = [], "limit=2"
    while query:
        found = cut(QuotaCount.objects.all(), asked(query), by)
        seen += [row.pk for row in found.rows]
        query = f"limit=2&cursor={found.next}" if found.next else ""
    assert seen == list(QuotaCount.objects.order_by(*by).values_list("pk", flat=True))


def test_what_is_in_memory_comes_once() -> None:
    """In the order of its keys; what was added meanwhile is in its place."""
    items = [(-2, "b"), (0, "a"), (-2, "a"), (0, "c")]
    first = sliced(items, asked("limit=2"), lambda each: each)
    assert (first.rows, first.total) == ([(-2, "a"), (-2, "b")], 4)
    second = sliced([*items, (-5, "x"), (0, "b")], asked(f"limit=2&cursor={first.next}"), lambda each: each)
    assert second.rows == [(0, "a"), (0, "b")]
    last = sliced(items, asked(f"limit=2&cursor={second.next}"), lambda each: each)
    assert (last.rows, last.next) == ([(0, "c")], None)
    for key in ([1], ["a", 1]):
        with pytest.raises(Refused):
            sliced(items, asked(f"cursor={cursor(packed(key))}"), lambda each: each)


def test_some_are_not_counted() -> None:
    """Where there may be millions."""
    assert page(User.objects.all(), asked(""), "users", str, is_counted=False) == {"users": [], "next": None}


@pytest.mark.parametrize("key", ["x", "9" * 40, "1.5"])
def test_a_cursor_of_another_list_is_refused(key: str) -> None:
    """Neither a number nor a UUID."""
    for rows in (User.objects.all(), Lease.objects.all()):
        if rows.model is User and key.isdecimal():
            assert page(rows, asked(f"cursor={cursor(packed([key]))}"), "rows", str)["rows"] == []
            continue
        with pytest.raises(Refused):
            page(rows, asked(f"cursor={cursor(packed([key]))}"), "rows", str)
