"""`/control/v1/log-only`."""

from typing import Any

import pytest

from observability.models import AuditEvent
from routing import publishing
from routing.models import Revision, Route
from tests.support.control import Control
from tests.support.logonly import logging_only

pytestmark = [pytest.mark.store, pytest.mark.django_db]
IP = {"route": "users", "policy": "ip"}


@pytest.fixture
def editor() -> Control:
    logging_only()
    return Control(group="editor")


def test_the_list(editor: Control) -> None:
    """Also for those who only look; of one route, if asked."""
    found = editor.call("GET", "log-only").json()["policies"]
    assert [(each["policy"], each["quota"], each["requests"]) for each in found][:2] == [
        ("ip", None, 4),
        ("quotas", "daily", 2),
    ]
    assert found[0]["most"][0] == {
        "caller": "ada", "requests": 3, "last_at": "2030-01-01T12:00:00Z", "code": "FORBIDDEN",
        "message": "No.", "request_id": "id-ada",
    }  # fmt: skip
    assert len(Control("vera", "viewer").call("GET", "log-only?route=open").json()["policies"]) == 1
    assert Control("nobody").call("GET", "log-only").status_code == 403


def test_enforcing_once(editor: Control) -> None:
    """One revision, one event; then there is nothing to do."""
    done = editor.call("POST", "log-only", {**IP, "message": "seen enough"})
    assert (done.status_code, done.json()["outcome"], done.json()["places"]) == (
        200,
        "published",
        ["route users"],
    )
    assert (done.json()["revision"], Revision.objects.latest("number").message) == (2, "seen enough")
    assert Route.objects.get(name="users").ip == {"allow": ["10.0.0.0/8"]}
    assert AuditEvent.objects.filter(actor="ada", action__startswith="configuration.").count() == 1
    again = editor.call("POST", "log-only", IP)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")
    assert again.json()["error"]["message"] == "The policy ip of route users is not in mode log any more."


def test_under_review_and_dry(editor: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """202: somebody else must publish it; a dry run only says what would change."""
    dry = editor.call("POST", "log-only", {**IP, "dry_run": True})
    assert (dry.status_code, dry.json()["outcome"], Revision.objects.count()) == (200, "previewed", 1)
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    done = editor.call("POST", "log-only", IP)
    assert (done.status_code, done.json()["outcome"], Revision.objects.count()) == (202, "drafted", 1)


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"route": "users"}, 400, "policy"),
        ({"route": "users", "policy": "cache"}, 400, "policy"),
        ({"policy": "ip"}, 400, "route"),
        ({"route": "gone", "policy": "ip"}, 404, ""),
        ({"route": "users", "policy": "quotas"}, 409, ""),
        ({"route": "users", "policy": "auth"}, 409, ""),
    ],
)
def test_refusals(editor: Control, body: dict[str, Any], status: int, place: str) -> None:
    """By field, or in a sentence; nothing is changed."""
    answer = editor.call("POST", "log-only", body)
    assert answer.status_code == status
    assert not place or place in answer.json()["error"]["details"]
    assert Revision.objects.count() == 1


def test_who_may(editor: Control) -> None:
    """Whoever may change routes, quotas and defaults."""
    for group in ("viewer", "operator", "publisher"):
        assert Control(group, group).call("POST", "log-only", IP).status_code == 403
    assert editor.call("GET", "log-only?rout=users").status_code == 400
