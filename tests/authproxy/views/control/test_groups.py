"""`/control/v1/groups…`: the rights that groups bring, by whoever has them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from gateway_project.signin.groups import EDITOR, OPERATOR, SECURITY_ADMIN, VIEWER
from observability.audit.chain import Verified
from routing.models import Owner, Service
from tests.support.control import Control
from tests.support.endpoints import account
from tests.support.trail import events, newest, state

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ONE = "groups/crew/night"
SEES = ["routing.view_route", "routing.view_service"]


@pytest.fixture
def sara() -> Control:
    return Control("sara", SECURITY_ADMIN)


def joins(client: Control, group: str) -> None:
    """Whose roles change signs in anew."""
    client.user.groups.add(Group.objects.get(name=group))
    client.token = str(client.signed_in(client.user.username)["access"])


def test_one_is_made_and_changed(sara: Control) -> None:
    """The same body again changes nothing, in whatever order; members have the new rights."""
    before = newest()
    made = sara.call("put", ONE, {"permissions": SEES})
    assert (made.status_code, made.json()) == (201, {"name": "crew/night", "permissions": SEES})
    again = sara.call("put", ONE, {"permissions": [*reversed(SEES), SEES[0]]})
    assert (again.status_code, again.json(), again["ETag"]) == (200, made.json(), made["ETag"])
    account("bert").groups.add(Group.objects.get(name="crew/night"))
    changed = sara.call("put", ONE, {"permissions": ["auth.change_user"]}, if_match=made["ETag"])
    assert changed.json()["permissions"] == ["auth.change_user"]
    assert sara.call("get", ONE)["ETag"] == changed["ETag"]
    assert User.objects.get(username="bert").get_all_permissions() == {"auth.change_user"}
    new, change = events(after=before)
    assert [each["action"] for each in (new, change)] == ["group.create", "group.change"]
    assert new["objects"] == [["group", "crew/night"]]
    assert (new["actor"], new["door"]) == ("sara", "api")
    fields = {each["path"]: each.get("after") for each in change["changes"][0]["fields"]}
    assert [*fields] == ["permissions"]
    assert "Can change user" in str(fields)
    assert isinstance(state(), Verified)


def test_nobody_passes_on_a_right_that_they_do_not_have(sara: Control) -> None:
    """What the group has already may stay, and be taken away. A superuser has all."""
    before = newest()
    refused = sara.call("put", ONE, {"permissions": [*SEES, "routing.publish"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "routing.publish" in refused.json()["error"]["message"]
    assert "view_route" not in refused.json()["error"]["message"]
    assert (Group.objects.filter(name="crew/night").exists(), newest()) == (False, before)

    root = Control("root", is_superuser=True)
    assert root.call("put", ONE, {"permissions": [*SEES, "routing.publish"]}).status_code == 201
    kept = sara.call("put", ONE, {"permissions": [SEES[0], "routing.publish"]})
    assert (kept.status_code, kept.json()["permissions"]) == (200, ["routing.publish", SEES[0]])
    assert sara.call("put", ONE, {"permissions": []}).status_code == 200
    assert sara.call("put", ONE, {"permissions": ["routing.publish"]}).status_code == 403


def test_what_somebody_got_they_pass_on(sara: Control) -> None:
    """Rights are asked anew each time."""
    body = {"permissions": ["routing.operate"]}
    assert sara.call("put", ONE, body).status_code == 403
    joins(sara, OPERATOR)
    assert sara.call("put", ONE, body).status_code == 201


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("crew", {}, "permissions"),
        ("crew", {"permissions": ["routing.view_rout"]}, "permissions"),
        ("crew", {"permissions": ["view_route"]}, "permissions"),
        ("crew", {"permissions": ["auth.view_route"]}, "permissions"),
        ("crew", {"permissions": "routing.view_route"}, "permissions"),
        ("crew", {"permissions": [f"app{number}.view_route" for number in range(2000)]}, "permissions"),
        ("x" * 151, {"permissions": []}, "name"),
        ("%20crew", {"permissions": []}, "name"),
    ],
)
def test_what_is_wrong_is_told_by_field(sara: Control, name: str, body: Any, field: str) -> None:
    """And nothing is made."""
    before, there = newest(), Group.objects.count()
    refused = sara.call("put", f"groups/{name}", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(refused.json()["error"]["details"]) == [field]
    assert (Group.objects.count(), newest()) == (there, before)


def test_a_mistyped_right_is_guessed(sara: Control) -> None:
    refused = sara.call("put", ONE, {"permissions": ["routing.view_rout"]})
    assert 'did you mean "routing.view_route"' in str(refused.json())


def test_a_lost_update_is_refused(sara: Control) -> None:
    first = sara.call("put", ONE, {"permissions": SEES})["ETag"]
    sara.call("put", ONE, {"permissions": []})
    assert sara.call("put", ONE, {"permissions": SEES}, if_match=first).status_code == 412
    assert sara.call("delete", ONE, if_match=first).status_code == 412
    assert sara.call("put", ONE, {"permissions": SEES}, if_none_match="*").status_code == 412
    assert sara.call("get", ONE).json()["permissions"] == []


def test_one_is_removed(sara: Control) -> None:
    """Its members stay; what it owned is nobody's."""
    sara.call("put", ONE, {"permissions": SEES})
    group = Group.objects.get(name="crew/night")
    account("bert").groups.add(group)
    Owner.objects.create(group=group, service=Service.objects.create(name="orders"))
    before = newest()
    assert sara.call("delete", ONE, if_match=sara.call("get", ONE)["ETag"]).status_code == 204
    assert [sara.call(method, ONE).status_code for method in ("get", "delete")] == [404, 404]
    assert User.objects.get(username="bert").get_all_permissions() == set()
    assert not Owner.objects.exists()
    (event,) = events(after=before)
    assert (event["action"], event["objects"]) == ("group.delete", [["group", "crew/night"]])


def test_lists(sara: Control) -> None:
    """By name, narrowed, in pages; the ready groups are among them."""
    first = sara.call("get", "groups?limit=2").json()
    assert ([each["name"] for each in first["groups"]], first["total"]) == ([EDITOR, OPERATOR], 5)
    rest = sara.call("get", f"groups?cursor={first['next']}").json()
    assert [each["name"] for each in rest["groups"]] == ["publisher", SECURITY_ADMIN, VIEWER]
    found = sara.call("get", "groups?permission=routing.publish").json()
    assert [each["name"] for each in found["groups"]] == ["publisher"]
    assert sara.call("get", "groups?search=ADMIN").json()["total"] == 1
    assert sara.call("get", "groups?permission=routing.publis").status_code == 400


def test_permissions_are_listed(sara: Control) -> None:
    """By the names that groups take."""
    found = sara.call("get", "permissions?search=view_route").json()
    names = [each["name"] for each in found["permissions"]]
    assert "routing.view_route" in names
    assert found["permissions"][0].keys() == {"name", "about"}
    assert Control("root", is_superuser=True).call("put", ONE, {"permissions": names}).status_code == 201


def test_who_may(sara: Control) -> None:
    """Viewers look; whoever may only add, adds."""
    sara.call("put", ONE, {"permissions": SEES})
    vera, nora = Control("vera", VIEWER), Control("nora")
    assert vera.call("get", ONE).status_code == 200
    assert [nora.call("get", path).status_code for path in ("groups", ONE, "permissions")] == [403] * 3
    for client in (vera, nora):
        assert client.call("put", ONE, {"permissions": []}).status_code == 403
        assert client.call("delete", ONE).status_code == 403
    adds = Control("root", is_superuser=True)
    adds.call("put", "groups/adders", {"permissions": ["auth.add_group"]})
    joins(nora, "adders")
    assert nora.call("put", "groups/more", {"permissions": []}).status_code == 201
    assert nora.call("put", ONE, {"permissions": []}).status_code == 403
    assert sara.call("get", ONE).json()["permissions"] == SEES
