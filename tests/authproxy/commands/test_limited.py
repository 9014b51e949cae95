"""`gateway limited`: whom quotas refused, for people and for programs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authproxy.models import LimitedCaller
from authproxy.moments import rfc3339
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def rows() -> tuple[LimitedCaller, LimitedCaller]:
    now = timezone.now()
    shared = {"route": "orders", "first_at": now, "limit": 10, "period": "minute"}
    return (
        LimitedCaller.objects.create(
            digest="a", quota="free", caller="consumer:ada", last_at=now, refused=3, retry_after_s=60.0,
            request_ids="r2 r1", **shared,
        ),
        LimitedCaller.objects.create(
            digest="b", quota="strict", caller="global", last_at=now - timedelta(hours=2), would_refuse=2,
            retry_after_s=1.0, is_enforced=False, **shared,
        ),
    )  # fmt: skip


def test_people_get_a_line_each(rows: tuple[LimitedCaller, LimitedCaller]) -> None:
    """The latest first, with when there is room again."""
    first, second = gateway("limited").out.splitlines()
    for part in ("consumer ada", "quota free: 10 per minute", "route orders", "3 refused", "room again"):
        assert part in first
    assert "2 would be refused" in second
    assert "room again" not in second


def test_programs_get_json(rows: tuple[LimitedCaller, LimitedCaller]) -> None:
    """Also of those that are only counted."""
    first, second = gateway("limited", "--json").data
    assert first == {
        "quota": "free",
        "caller": "consumer:ada",
        "route": "orders",
        "mode": "enforce",
        "limited": True,
        "limit": 10,
        "per": "minute",
        "refused": 3,
        "would_refuse": 0,
        "first_at": rfc3339(rows[0].first_at),
        "last_at": rfc3339(rows[0].last_at),
        "room_at": rfc3339(rows[0].room_at),
        "request_ids": ["r2", "r1"],
    }
    assert (second["mode"], second["limited"], second["room_at"]) == ("log", False, None)


@pytest.mark.parametrize(
    ("options", "quotas"),
    [(("--quota", "strict"), ["strict"]), (("--request", "r1"), ["free"]), (("--request", "r3"), [])],
)
def test_some_of_them(options: tuple[str, ...], quotas: list[str]) -> None:
    """By a quota, or by the id of a request that was refused."""
    assert [each["quota"] for each in gateway("limited", *options, "--json").data] == quotas
