"""Limited callers by the control API: whom quotas refused, why, and when there is room again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authproxy.models import LimitedCaller
from authproxy.moments import rfc3339
from tests.support.control import Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def viewer() -> Control:
    """Somebody who may look, after two callers were refused and one was counted."""
    now = timezone.now()
    for minutes, (quota, caller, more) in enumerate(
        (
            ("free", "consumer:ada", {"refused": 3, "retry_after_s": 60.0, "request_ids": "r2 r1"}),
            ("free", "ip:1.2.3.4", {"refused": 1, "route": "items"}),
            ("strict", "global", {"would_refuse": 2, "is_enforced": False}),
        )
    ):
        values: dict[str, Any] = {"route": "orders", "retry_after_s": 1.0, "limit": 10, **more}
        at = now - timedelta(minutes=minutes)
        LimitedCaller.objects.create(
            digest=caller, quota=quota, caller=caller, first_at=now, last_at=at, period="minute", **values
        )
    return Control("vera", group="viewer")


def callers(viewer: Control, query: str) -> list[str]:
    return [each["caller"] for each in viewer.call("get", f"limited-callers?{query}").json()["callers"]]


def test_the_latest_is_first_and_says_why(viewer: Control) -> None:
    ada, address, counted = viewer.call("get", "limited-callers").json()["callers"]
    row = LimitedCaller.objects.get(caller="consumer:ada")
    assert ada == {
        "id": row.pk,
        "quota": "free",
        "caller": "consumer:ada",
        "route": "orders",
        "mode": "enforce",
        "limited": True,
        "limit": 10,
        "per": "minute",
        "refused": 3,
        "would_refuse": 0,
        "first_at": rfc3339(row.first_at),
        "last_at": rfc3339(row.last_at),
        "room_at": rfc3339(row.room_at),
        "request_ids": ["r2", "r1"],
        "why": "Quota free allows 10 requests per minute to consumer ada: further ones were refused.",
    }
    assert (address["limited"], counted["mode"], counted["room_at"]) == (False, "log", None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=ADA", ["consumer:ada"]),
        ("search=r1", ["consumer:ada"]),
        ("quota=strict", ["global"]),
        ("route=items", ["ip:1.2.3.4"]),
        ("mode=enforce", ["consumer:ada", "ip:1.2.3.4"]),
        ("mode=log", ["global"]),
        ("quota=free&route=orders&mode=log", []),
    ],
)
def test_filters(viewer: Control, query: str, found: list[str]) -> None:
    assert callers(viewer, query) == found


def test_who_was_both_is_found_by_either(viewer: Control) -> None:
    """A quota was switched to mode log meanwhile; `mode` says how it was at the last request."""
    LimitedCaller.objects.filter(caller="consumer:ada").update(would_refuse=1, is_enforced=False)
    assert "consumer:ada" in callers(viewer, "mode=enforce")
    assert "consumer:ada" in callers(viewer, "mode=log")
    (ada,) = viewer.call("get", "limited-callers?search=ada").json()["callers"]
    assert ada["mode"] == "log"


def test_pages_and_what_the_client_has_already(viewer: Control) -> None:
    first = viewer.call("get", "limited-callers?limit=2")
    assert (len(first.json()["callers"]), first.json()["total"]) == (2, 3)
    assert callers(viewer, f"cursor={first.json()['next']}") == ["global"]
    assert viewer.call("get", "limited-callers?limit=2", if_none_match=first["ETag"]).status_code == 304


@pytest.mark.parametrize("query", ["mode=x", "cursor=x", "limit=0", "other=1", "quota=" + "x" * 201])
def test_what_is_no_filter_is_refused(query: str, viewer: Control) -> None:
    assert viewer.call("get", f"limited-callers?{query}").status_code == 400


def test_who_may_look(viewer: Control) -> None:
    """As in admin."""
    assert viewer.call("get", "limited-callers").status_code == 200
    assert Control("nora").call("get", "limited-callers").status_code == 403
