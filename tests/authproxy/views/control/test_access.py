"""`/control/v1/consumers…`: made, changed and removed; keys are shown once."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from authproxy.accounts import consumer_of
from authproxy.models import ApiKey, Consumer, IdentityChange
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


def test_one_is_made_changed_and_removed(sara: Control) -> None:
    """The same again changes nothing, and tells no worker anything."""
    wanted = {"kind": "service", "roles": ["reader"], "scopes": ["a"], "plan": "gold"}
    made = sara.call("put", "consumers/robot", wanted)
    assert (made.status_code, made.json()["roles"], made.json()["plan"]) == (201, ["reader"], "gold")
    changes = IdentityChange.objects.count()
    again = sara.call("put", "consumers/robot", wanted)
    assert (again.status_code, again["ETag"], IdentityChange.objects.count()) == (200, made["ETag"], changes)
    off = sara.call("put", "consumers/robot", {**wanted, "enabled": False}, if_match=made["ETag"])
    assert (off.status_code, off.json()["enabled"]) == (200, False)
    assert IdentityChange.objects.count() > changes
    assert code(sara.call("put", "consumers/robot", wanted, if_match=made["ETag"])) == (
        412,
        "PRECONDITION_FAILED",
    )
    assert sara.call("get", "consumers?enabled=false&kind=service&plan=gold&search=ROB").json()["total"] == 1
    assert sara.call("get", "consumers/robot", if_none_match=off["ETag"]).status_code == 304
    assert sara.call("delete", "consumers/robot").status_code == 204
    assert code(sara.call("delete", "consumers/robot")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "robot"}, "kind"),
        ({"roles": ["nobody"]}, "roles"),
        ({"scopes": "a"}, "scopes"),
        ({"plan": "x" * 101}, "plan"),
    ],
)
def test_what_is_wrong_is_told_by_field(sara: Control, body: Any, field: str) -> None:
    """And nothing is made."""
    refused = sara.call("put", "consumers/robot", body)
    assert code(refused) == (400, "VALIDATION_ERROR")
    assert list(refused.json()["error"]["details"]) == [field]
    assert not Consumer.objects.exists()
    assert code(sara.call("put", "consumers/sara", {}))[0] == 400  # an account's name


def test_keys_are_shown_once(sara: Control) -> None:
    """Listed without their secrets, and revoked for good."""
    sara.call("put", "consumers/robot", {"kind": "service", "scopes": ["a", "b"]})
    made = sara.call("post", "consumers/robot/keys", {"name": "nightly", "scopes": ["a"]})
    secret, pk = made.json()["key"], made.json()["id"]
    assert made.status_code == 201
    listed = sara.call("get", "consumers/robot/keys?live=true")
    assert secret not in listed.content.decode()
    assert listed.json()["keys"] == [{name: each for name, each in made.json().items() if name != "key"}]
    refused = sara.call("post", "consumers/robot/keys", {"name": "more", "scopes": ["c"]})
    assert list(refused.json()["error"]["details"]) == ["scopes"]
    assert sara.call("delete", f"consumers/robot/keys/{pk}").status_code == 204
    assert code(sara.call("delete", f"consumers/robot/keys/{pk}"))[0] == 404
    assert code(sara.call("delete", f"consumers/robot/keys/{2**70}"))[0] == 404
    assert ApiKey.objects.get().revoked_at is not None
    assert sara.call("get", "consumers/robot/keys?live=true").json()["total"] == 0


def test_superusers_are_out_of_reach(sara: Control) -> None:
    """Whoever administers access could otherwise become one."""
    consumer_of(account("root", is_superuser=True, is_staff=True))
    assert code(sara.call("post", "consumers/root/keys", {"name": "k"})) == (403, "FORBIDDEN")
    assert code(sara.call("put", "consumers/root", {}))[0] == 403
    assert code(sara.call("delete", "consumers/root"))[0] == 403
    assert not ApiKey.objects.exists()


def test_viewers_look(sara: Control) -> None:
    """And change nothing."""
    sara.call("put", "consumers/robot", {})
    vera = Control("vera", VIEWER)
    assert vera.call("get", "consumers").json()["total"] == 1
    assert code(vera.call("put", "consumers/robot", {"plan": "x"}))[0] == 403
    assert code(vera.call("post", "consumers/robot/keys", {"name": "k"}))[0] == 403
