"""Security events by the control API: what happened to whose access, and who may look."""

from datetime import UTC, datetime, timedelta

import pytest

from authproxy.models import SecurityEvent
from tests.support.control import Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(kind: str, *, minutes: int = 0, **more: object) -> SecurityEvent:
    return SecurityEvent.objects.create(kind=kind, at=AT + timedelta(minutes=minutes), **more)


@pytest.fixture
def viewer() -> Control:
    """Somebody who may look; signing in leaves no row, as events are written by a worker's thread."""
    event("forbidden", subject="bert", details={"missing_scopes": ["read"], "route": "orders"}, count=40)
    event("key_revoked", actor="ada", subject="batch", minutes=1)
    event("login_failed", subject="bert", address="192.0.2.1", minutes=1)
    return Control("vera", group="viewer")


def kinds(viewer: Control, query: str = "") -> list[str]:
    return [each["kind"] for each in viewer.call("get", f"security-events?{query}").json()["events"]]


def test_the_newest_is_first(viewer: Control) -> None:
    """With how often it happened, and its particulars."""
    found = viewer.call("get", "security-events").json()
    assert [each["kind"] for each in found["events"]] == ["login_failed", "key_revoked", "forbidden"]
    assert found["events"][2] == {
        "id": SecurityEvent.objects.get(kind="forbidden").pk,
        "kind": "forbidden",
        "at": "2026-01-01T12:00:00Z",
        "count": 40,
        "actor": "",
        "subject": "bert",
        "address": "",
        "details": {"missing_scopes": ["read"], "route": "orders"},
    }
    assert (found["total"], found["next"]) == (3, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=forbidden", ["forbidden"]),
        ("search=BERT", ["login_failed", "forbidden"]),
        ("search=192.0.2", ["login_failed"]),
        ("search=ada", ["key_revoked"]),
        ("since=2026-01-01T12:01:00Z", ["login_failed", "key_revoked"]),
        ("until=2026-01-01T12:01:00Z", ["forbidden"]),
        ("kind=login_failed&since=2026-01-01T12:02:00Z", []),
    ],
)
def test_filters(viewer: Control, query: str, found: list[str]) -> None:
    assert kinds(viewer, query) == found


def test_pages_part_what_happened_at_once(viewer: Control) -> None:
    """Nothing twice, nothing left out; and 304 for who has the page."""
    first = viewer.call("get", "security-events?limit=1")
    second = viewer.call("get", f"security-events?limit=1&cursor={first.json()['next']}").json()
    assert [first.json()["events"][0]["kind"], second["events"][0]["kind"]] == ["login_failed", "key_revoked"]
    assert kinds(viewer, f"cursor={second['next']}") == ["forbidden"]
    assert viewer.call("get", "security-events?limit=1", if_none_match=first["ETag"]).status_code == 304


@pytest.mark.parametrize("query", ["kind=x", "since=x", "until=x", "cursor=x", "limit=0", "other=1"])
def test_what_is_no_filter_is_refused(query: str, viewer: Control) -> None:
    assert viewer.call("get", f"security-events?{query}").status_code == 400


def test_who_may_look(viewer: Control) -> None:
    """As in admin."""
    assert viewer.call("get", "security-events").status_code == 200
    assert Control("nora").call("get", "security-events").status_code == 403
