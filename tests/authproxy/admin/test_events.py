"""The list of security events: read, filtered, and never changed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authproxy.admin.events import COLOURS, SHOWN_DETAILS, details_text
from authproxy.models import SecurityEvent
from authproxy.security import KINDS
from tests.support.accesspages import access, listed
from tests.support.adminpages import signed_in, viewer

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/authproxy/securityevent/"
LIST_QUERIES = 6  # session, user, pending badge, two counts, the page
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def admin() -> Client:
    return signed_in()


def event(kind: str = "login", *, minutes: int = 0, **more: object) -> SecurityEvent:
    return SecurityEvent.objects.create(kind=kind, at=NOW + timedelta(minutes=minutes), **more)


def test_newest_is_first_and_details_are_words(admin: Client) -> None:
    """Whatever callers put into them is text."""
    event("forbidden", details={"missing_scopes": ["read", "write"], "route": "<script>"}, count=40)
    event("login", minutes=1)
    assert [row.kind for row in listed(admin, LIST)] == ["login", "forbidden"]
    text = admin.get(LIST).content.decode()
    assert "missing scopes: read, write; route: &lt;script&gt;" in text
    assert "<script>" not in text.split('id="changelist"')[-1].split("</table>")[0]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=login_failed", ["login_failed"]),
        ("q=bert", ["login_failed", "login"]),
        ("q=192.0.2.1", ["login_failed"]),
        ("q=ada", ["key_revoked"]),
        ("at_from_0=2026-01-01&at_from_1=12:00:30", ["key_revoked", "login_failed"]),
        ("at_to_0=2026-01-01&at_to_1=12:00:30", ["login"]),
        ("at_from_0=2026-01-01&at_to_0=2026-01-01", ["key_revoked", "login_failed", "login"]),
        ("at_from_0=2026-01-02", []),
        ("at_from_0=never&at_to_1=late", ["key_revoked", "login_failed", "login"]),
    ],
)
def test_filters_and_search(admin: Client, query: str, kinds: list[str]) -> None:
    """By kind, time, who did it, to whom, and from where."""
    event("login", subject="bert")
    event("login_failed", subject="bert", address="192.0.2.1", minutes=1)
    event("key_revoked", actor="ada", subject="batch", minutes=2)
    assert [row.kind for row in listed(admin, LIST, query)] == kinds


def test_details_are_cut() -> None:
    """A list is for looking over."""
    long = SecurityEvent(details={"x": "y" * 1000})
    assert len(details_text(long.details)) > SHOWN_DETAILS


def test_every_kind_has_its_colour() -> None:
    """As the list writes them."""
    assert set(COLOURS) == {kind.replace("_", " ") for kind in KINDS}
    assert COLOURS["token reuse"] == "danger"


@pytest.mark.parametrize("size", [2, 70])
def test_list_takes_the_same_queries_at_any_size(admin: Client, size: int) -> None:
    """No query per row."""
    for number in range(size):
        event(subject=f"user{number}")
    admin.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        admin.get(LIST)
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


@pytest.mark.parametrize("client", [signed_in, viewer])
def test_nobody_changes_or_deletes_one(client: object) -> None:
    """What happened has happened."""
    browser: Client = client()  # type: ignore[operator]
    row = event()
    assert browser.get(access("securityevent", "change", row.pk)).status_code == 200
    assert browser.post(access("securityevent", "change", row.pk), {"kind": "x"}).status_code == 403
    assert browser.post(access("securityevent", "delete", row.pk), {"post": "yes"}).status_code == 403
    assert browser.get(access("securityevent", "add")).status_code == 403
    assert SecurityEvent.objects.get().kind == "login"
