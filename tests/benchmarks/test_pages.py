"""What the pages of admin are measured with: a database that is filled as the gateway fills it, and each page of it."""

import time

import pytest
from django.contrib.auth.models import User
from django.test import Client

from benchmarks import pages
from benchmarks.pagerows import Size, fill
from benchmarks.pages import Page, Timed
from observability.models import AuditEvent, KeptRequest, TrafficRow
from observability.rollups import tallies
from observability.rollups.tiers import HOUR

SMALL = Size(routes=12, services=9, events=20, requests=20, others=3, days=2, often=3, callers=2)


@pytest.mark.store
@pytest.mark.django_db
def test_pages_open_with_what_was_filled_in() -> None:
    """Rows of every kind, tallies that are believed, and pages that answer."""
    now = time.time()
    fill(SMALL, now, lambda _: None)
    pages.tally(now)

    assert AuditEvent.objects.count() == KeptRequest.objects.count() == 20
    newest = tallies.rows(HOUR).order_by("-at")[0]
    assert newest.count == TrafficRow.objects.get(span=HOUR, scope="all", at=newest.at).count > 0
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for page in (
        Page("all", "/admin/traffic/?range=24h"),
        Page("words", "/admin/observability/auditevent/?q=orders"),
    ):
        timed = pages.opened(client, page)
        assert timed.status == 200
        assert timed.queries > 3
        assert timed.total_ms >= timed.database_ms >= 0


def test_what_takes_too_long_is_marked() -> None:
    quick, slow = Timed(20.0, 5.0, 4, 200), Timed(301.0, 5.0, 4, 200)
    page = Page("some", "/")

    assert pages.line(page, quick, [quick, quick]) == "| some | 20 | 5 | 20 | 5 | 4 | 4 |  |"
    assert "OVER" in pages.line(page, slow, [quick])
    assert "OVER" in pages.line(page, quick, [slow])
    assert "status 500" in pages.line(page, Timed(1.0, 0.0, 1, 500), [quick])
