"""Scheduled changes in admin: made by a form, approved by somebody else, cancelled."""

from typing import Any

import pytest
from django.urls import reverse

from routing import publishing, scheduling
from routing.admin import schedules
from routing.drafts import Actor
from routing.models import Schedule
from routing.publishing import apply_document, draft_changes
from tests.support.adminpages import signed_in
from tests.support.configuration import route, small

pytestmark = pytest.mark.django_db
FORM = "admin:routing_schedule_plan_form"
GIVEN = {
    "what": "document",
    "document": "routes:\n- {name: orders, enabled: false}",
    "zone": "Europe/Berlin",
    "starts": "2090-07-15 09:00",
    "until": "2090-07-15 10:00",
    "reason": "maintenance",
}


@pytest.fixture(autouse=True)
def live() -> None:
    apply_document(small(), actor=Actor("first"))


@pytest.fixture
def review(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (publishing, scheduling, schedules):
        monkeypatch.setattr(module, "under_review", lambda: True)


def sent(client: Any = None, **changes: str) -> Any:
    return (client or signed_in()).post(reverse(FORM), {**GIVEN, **changes})


def test_a_change_is_scheduled_and_shown() -> None:
    """With its times as they were written, and what it changes."""
    response = sent()
    made = Schedule.objects.get()
    assert response["Location"] == reverse("admin:routing_schedule_change", args=[made.pk])
    assert (made.author, made.state, made.starts_at.hour) == ("anna", "scheduled", 7)
    found = signed_in().get(response["Location"]).content.decode()
    assert "2090-07-15 09:00 CEST" in found
    assert "<td><code>enabled</code></td>" in found


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("zone", "Mars/Base", "not a time zone"),
        ("starts", "2090-02-30 09:00", "not a time"),
        ("starts", "2030-03-31 02:30", "does not exist"),
        ("until", "2029-10-28 02:30", "comes twice"),
        ("until", "2090-07-15 08:00", "end after"),
        ("document", "", "Say what"),
        ("document", "routes: [", "line 2"),
        ("document", "routes:\n- {name: orders, enabled: perhaps}", "enabled"),
        ("document", "routes:\n- {name: orders}", "nothing would change"),
        ("reason", "", "required"),
    ],
)
def test_what_is_wrong_is_told(field: str, value: str, why: str) -> None:
    """Nothing is kept."""
    response = sent(**{field: value})
    assert why in str(response.context["form"].errors)
    assert Schedule.objects.count() == 0


def test_nobody_schedules_what_he_may_not_edit() -> None:
    """The right to schedule is none to change providers."""
    client = signed_in("ed", permissions=("routing.add_schedule", "routing.change_route"))
    refused = sent(client, document="roles:\n- {name: root, scopes: [all]}")
    assert "routing.add_rolescopes" in str(refused.context["form"].errors)
    assert sent(client).status_code == 302


@pytest.mark.usefixtures("review")
def test_a_draft_is_scheduled_and_approved_by_somebody_else() -> None:
    """It leaves the pending changes; whoever has a hand in it is refused."""
    apply_document({"version": 1, "routes": [route(timeout="5s")]}, actor=Actor("anna"))
    sent(what="draft")
    made = Schedule.objects.get()
    assert (made.state, bool(draft_changes())) == ("waiting", False)
    approve = reverse("admin:routing_schedule_approve", args=[made.pk])
    signed_in().post(approve, {"reason": "", "_form_submitted": "on"})
    made.refresh_from_db()
    assert made.state == "waiting"
    signed_in("bert").post(approve, {"reason": "", "_form_submitted": "on"})
    made.refresh_from_db()
    assert (made.state, made.approved_by) == ("scheduled", "bert")


def test_it_is_cancelled_by_its_author_or_a_publisher() -> None:
    """Nobody else."""
    sent()
    made = Schedule.objects.get()
    cancel = reverse("admin:routing_schedule_cancel", args=[made.pk])
    other = signed_in("ed", permissions=("routing.add_schedule", "routing.view_schedule"))
    assert other.post(cancel, {"reason": "", "_form_submitted": "on"}).status_code == 403
    signed_in().post(cancel, {"reason": "no", "_form_submitted": "on"})
    made.refresh_from_db()
    assert (made.state, made.note) == ("cancelled", "cancelled by anna: no")
