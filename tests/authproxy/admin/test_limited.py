"""The page of limited callers: who, why, when there is room again, and nothing to change."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authproxy.models import LimitedCaller
from tests.support.accesspages import access
from tests.support.adminpages import signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def viewer() -> Client:
    return signed_in(permissions=("authproxy.view_limitedcaller",))


@pytest.fixture(autouse=True)
def rows() -> None:
    now = timezone.now()
    for number, (quota, caller, more) in enumerate(
        (
            (
                "free",
                "consumer:ada|route:orders",
                {"refused": 3, "retry_after_s": 60.0, "request_ids": "r2 r1"},
            ),
            ("free", "ip:1.2.3.4", {"refused": 1, "last_at": now - timedelta(minutes=5), "route": "items"}),
            ("strict", "header:x=<b>", {"would_refuse": 2, "is_enforced": False}),
        )
    ):
        values: dict[str, Any] = {"route": "orders", "last_at": now, "retry_after_s": 1.0, **more}
        LimitedCaller.objects.create(
            digest=str(number), quota=quota, caller=caller, first_at=now, limit=10, period="minute", **values
        )


def shown(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{access('limitedcaller', 'changelist')}?{query}")
    return sorted(row.caller for row in response.context["cl"].result_list)


def test_the_list_says_who_and_why(viewer: Client) -> None:
    """In words, without letting callers write HTML."""
    text = viewer.get(access("limitedcaller", "changelist")).content.decode()
    for part in (
        "consumer ada, route orders",
        "10 per minute",
        "has room again",
        "only counted",
        "&lt;b&gt;",
    ):
        assert part in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("query", "callers"),
    [
        ("q=ada", ["consumer:ada|route:orders"]),
        ("q=r1", ["consumer:ada|route:orders"]),
        ("quota=strict", ["header:x=<b>"]),
        ("route=items", ["ip:1.2.3.4"]),
        ("mode=log", ["header:x=<b>"]),
        ("mode=enforce", ["consumer:ada|route:orders", "ip:1.2.3.4"]),
        ("quota=free&route=orders&mode=enforce", ["consumer:ada|route:orders"]),
        ("quota=gone", []),
    ],
)
def test_filters_and_search(viewer: Client, query: str, callers: list[str]) -> None:
    """By quota, by mode, by route; a caller or a request by its id."""
    assert shown(viewer, query) == callers


def test_one_of_them(viewer: Client) -> None:
    """Why, whose requests are counted, when there is room again, and the last requests."""
    row = LimitedCaller.objects.get(quota="free", refused=3)
    text = viewer.get(access("limitedcaller", "change", row.pk)).content.decode()
    assert "Quota free allows 10 requests per minute to consumer ada, route orders" in text
    assert "<code>r2</code>" in text
    counted = LimitedCaller.objects.get(quota="strict")
    assert (
        "would have been refused"
        in viewer.get(access("limitedcaller", "change", counted.pk)).content.decode()
    )


def test_nobody_changes_it(viewer: Client) -> None:
    """Nor does anybody see it without the right."""
    admin = signed_in("root")
    row = LimitedCaller.objects.first()
    assert row is not None
    assert admin.get(access("limitedcaller", "add")).status_code == 403
    assert admin.post(access("limitedcaller", "delete", row.pk), {"post": "yes"}).status_code == 403
    assert signed_in("bert", permissions=()).get(access("limitedcaller", "changelist")).status_code == 403
