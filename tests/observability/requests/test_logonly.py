"""Whom policies in mode log would have refused, and enforcing one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.models import AuditEvent, WouldRefuse
from observability.requests.enforcing import NothingToEnforce
from observability.requests.logonly import MOST_CALLERS, NoSuchRoute, enforce, groups, places_of, with_callers
from routing import publishing
from routing.drafts import Actor
from routing.models import Quota, Revision, Route
from tests.support.logonly import hit, logging_only

pytestmark = [pytest.mark.store, pytest.mark.django_db]
BERT = Actor("bert")


@pytest.fixture(autouse=True)
def world() -> None:
    logging_only()


def test_those_hit_most_often_first_and_those_that_hit_nobody_last() -> None:
    """What is enforced by now is said to be."""
    hit("d", "auth", "dora", 9)
    found = [(each.title, each.total, each.callers, each.is_log) for each in groups()]
    assert found == [
        ("auth of route users", 9, 1, False),
        ("ip of route users", 4, 2, True),
        ("quotas daily of route users", 2, 1, True),
        ("require_headers of route open", 0, 0, True),
        ("quotas hourly of route users", 0, 0, True),
    ]
    assert [each.title for each in groups("open")] == ["require_headers of route open"]
    assert [row.caller for row in with_callers(groups())[1].rows] == ["ada", "bert"]


def test_callers_of_very_many_policies_are_one_query() -> None:
    """Of each the ones hit most often; no more rows are brought than are shown."""
    WouldRefuse.objects.all().delete()
    for number in range(MOST_CALLERS + 5):
        for route in ("users", "open", "d"):
            hit(f"{route}{number}", "ip", f"c{number:02}", number + 1, route=route)
        hit(f"other{number}", "auth", "dora", 1)
    found = groups()
    with CaptureQueriesContext(connection) as queries:
        shown = {each.title: each for each in with_callers(found)}
    assert len(queries) == 1
    best = [f"c{number:02}" for number in range(MOST_CALLERS + 4, 4, -1)]
    assert [[row.caller for row in shown[f"ip of route {name}"].rows] for name in ("users", "open", "d")] == [
        best
    ] * 3
    assert len(shown["auth of route users"].rows) == MOST_CALLERS
    with CaptureQueriesContext(connection) as queries:
        assert with_callers([each for each in found if not each.total])[0].rows == ()
    assert len(queries) == 0


def test_enforcing_is_one_revision_and_one_event() -> None:
    """With the words of whoever does it."""
    outcome, places = enforce("users", "ip", actor=BERT, message="seen enough")
    assert (outcome.kind, outcome.revision, places) == ("published", 2, ["route users"])
    assert Route.objects.get(name="users").ip == {"allow": ["10.0.0.0/8"]}
    assert (Revision.objects.latest("number").message, Revision.objects.count()) == ("seen enough", 2)
    (event,) = AuditEvent.objects.filter(actor="bert")
    assert (event.action, event.reason) == ("configuration.publish", "seen enough")
    with pytest.raises(NothingToEnforce):
        enforce("users", "ip", actor=BERT)
    assert AuditEvent.objects.filter(actor="bert").count() == 1


def test_a_quota_is_enforced_where_it_is_defined() -> None:
    """Of several one must be named; of one it goes without saying."""
    with pytest.raises(NothingToEnforce, match="say which of daily, hourly"):
        enforce("users", "quotas", actor=BERT)
    assert enforce("users", "quotas", "daily", actor=BERT)[1] == ["quota daily"]
    assert Quota.objects.get(name="daily").mode is None
    assert enforce("users", "quotas", actor=BERT)[1] == ["route users"]


def test_a_dry_run_changes_nothing() -> None:
    """It says what it would."""
    outcome, places = enforce("users", "ip", actor=BERT, dry_run=True)
    assert (outcome.kind, places, Revision.objects.count()) == ("previewed", ["route users"], 1)
    assert places_of("users", "ip") == ["route users"]


def test_under_review_it_is_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else publishes it."""
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    assert enforce("users", "ip", actor=BERT)[0].kind == "drafted"
    assert Revision.objects.count() == 1
    assert AuditEvent.objects.filter(actor="bert").count() == 1


def test_an_unknown_route() -> None:
    """With a hint."""
    with pytest.raises(NoSuchRoute, match='did you mean "users"'):
        enforce("user", "ip", actor=BERT)
