"""`/control/v1/schedules…`: changes are scheduled, shown, approved and cancelled."""

from typing import Any

import pytest

from routing.drafts import Actor
from routing.models import Schedule
from routing.publishing import apply_document
from tests.authproxy.views.test_changes import Staff
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ALL = "/control/v1/schedules"
GIVEN = {
    "document": {"version": 1, "routes": [{"name": "orders", "enabled": False}]},
    "from": "2090-07-15 09:00",
    "until": "2090-07-15 10:00",
    "zone": "Europe/Berlin",
    "reason": "maintenance",
}


@pytest.fixture(autouse=True)
def live() -> None:
    apply_document(small(), actor=Actor("first"))


def sent(staff: Staff, path: str = ALL, **changes: Any) -> Any:
    content = {**GIVEN, **changes} if path == ALL else changes
    return staff.client.send(path, content, token=staff.token)


def test_a_change_is_scheduled_shown_and_cancelled() -> None:
    """Times come back as UTC."""
    anna = Staff("anna")
    made = sent(anna)
    assert made.status_code == 201
    row = made.json()
    assert (row["state"], row["from"], row["until"]) == (
        "scheduled",
        "2090-07-15T07:00:00Z",
        "2090-07-15T08:00:00Z",
    )
    one = f"{ALL}/{row['id']}"
    assert anna.get(ALL)["schedules"] == [row]
    assert anna.get(one)["difference"]["entries"][0]["fields"] == [{"path": "enabled", "after": False}]
    assert sent(anna, f"{one}/approve").status_code == 409
    assert sent(anna, f"{one}/cancel", reason="no").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "2030-03-31 02:30"},
        {"until": "2029-10-28 02:30"},
        {"until": "2090-07-15 08:00"},
        {"zone": "Mars/Base"},
        {"document": None},
        {"draft": True},
        {"document": {"routes": [{"name": "orders", "enabled": "perhaps"}]}},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    """With 400, and nothing kept."""
    assert sent(Staff("anna"), **wrong).status_code == 400
    assert Schedule.objects.count() == 0


def test_what_would_change_nothing_is_in_conflict_with_what_is() -> None:
    assert sent(Staff("anna"), document={"routes": [{"name": "orders"}]}).status_code == 409
    assert Schedule.objects.count() == 0


@pytest.mark.parametrize("number", ["0", "77", "9" * 30])
def test_one_must_exist(number: str) -> None:
    anna = Staff("anna")
    assert anna.client.ask(f"{ALL}/{number}", token=anna.token).status_code == 404
    assert sent(anna, f"{ALL}/{number}/cancel").status_code == 404
