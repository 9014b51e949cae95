"""`/control/v1/users…` and `…/sessions…`: accounts by staff, within its reach."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from authproxy import sessions
from gateway_project.signin.groups import SECURITY_ADMIN, VIEWER
from tests.support.control import Control
from tests.support.endpoints import account

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def sara() -> Control:
    Group.objects.create(name="reader")
    return Control("sara", SECURITY_ADMIN)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_one_is_made_and_changed(sara: Control) -> None:
    """A password that was made up is shown once; it signs in."""
    made = sara.call("post", "users", {"username": "bert", "email": "bert@example.com", "roles": ["reader"]})
    assert (made.status_code, made.json()["roles"]) == (201, ["reader"])
    assert User.objects.get(username="bert").check_password(made.json()["password"])
    shown = sara.call("get", "users/bert")
    assert "password" not in shown.json()
    changed = sara.call("patch", "users/bert", {"staff": True, "roles": []}, if_match=shown["ETag"])
    assert (changed.json()["staff"], changed.json()["roles"]) == (True, [])
    assert code(sara.call("patch", "users/bert", {"staff": False}, if_match=shown["ETag"]))[0] == 412
    assert sara.call("get", "users?staff=true&active=true&search=BERT").json()["total"] == 1
    assert sara.call("delete", "users/bert").status_code == 204
    assert code(sara.call("get", "users/bert")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "sara"}, "username"),
        ({"username": "bert", "password": "x"}, "password"),
        ({"username": "bert", "email": "nobody"}, "email"),
        ({"username": "bert", "roles": ["nothing"]}, "roles"),
    ],
)
def test_what_is_wrong_is_told_by_field(sara: Control, body: Any, field: str) -> None:
    """And nobody is made."""
    refused = sara.call("post", "users", body)
    assert code(refused) == (400, "VALIDATION_ERROR")
    assert list(refused.json()["error"]["details"]) == [field]
    assert User.objects.count() == 1


def test_superusers_and_oneself_are_out_of_reach(sara: Control) -> None:
    """Nobody locks themselves out, or takes over a superuser."""
    account("root", is_superuser=True, is_staff=True)
    assert code(sara.call("patch", "users/root", {"password": "another-horse-battery"})) == (403, "FORBIDDEN")
    assert code(sara.call("delete", "users/root"))[0] == 403
    assert code(sara.call("patch", "users/sara", {"active": False}))[0] == 403
    assert code(sara.call("delete", "users/sara"))[0] == 403
    vera = Control("vera", VIEWER)
    assert vera.call("get", "users/root").status_code == 200
    assert code(vera.call("patch", "users/sara", {"email": ""}))[0] == 403


def test_sessions_are_listed_and_ended(sara: Control) -> None:
    """By whoever may change them; disabling an account ends its own."""
    user = account("bert")
    opened = sessions.open(user, address="192.0.2.7", user_agent="curl").session
    listed = sara.call("get", "sessions?username=bert").json()
    assert [(each["id"], each["address"]) for each in listed["sessions"]] == [(str(opened.pk), "192.0.2.7")]
    assert sara.call("delete", f"sessions/{opened.pk}").status_code == 204
    assert code(sara.call("delete", f"sessions/{opened.pk}"))[0] == 404
    sessions.open(user, address="", user_agent="")
    assert sara.call("patch", "users/bert", {"active": False}).json()["active"] is False
    assert not sessions.live(user).exists()
