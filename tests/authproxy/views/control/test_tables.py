"""Pages of rows by their primary key: each row once, whatever kind of key it is."""

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from rest_framework.request import Request

from authproxy.control.paging import cursor
from authproxy.refusing import Refused
from authproxy.views.control.tables import page
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


@pytest.mark.parametrize("key", ["x", "9" * 40, "1.5"])
def test_a_cursor_of_another_list_is_refused(key: str) -> None:
    """Neither a number nor a UUID."""
    for rows in (User.objects.all(), Lease.objects.all()):
        if rows.model is User and key.isdecimal():
            assert page(rows, asked(f"cursor={cursor(key)}"), "rows", lambda row: {})["rows"] == []
            continue
        with pytest.raises(Refused):
            page(rows, asked(f"cursor={cursor(key)}"), "rows", lambda row: {})
