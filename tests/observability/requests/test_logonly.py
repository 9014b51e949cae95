"""Whom policies in mode log would have refused, and enforcing one."""

import pytest

from observability.models import AuditEvent
from observability.requests.enforcing import NothingToEnforce
from observability.requests.logonly import NoSuchRoute, enforce, groups, places_of
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
    assert [row.caller for row in groups()[1].rows] == ["ada", "bert"]


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
