"""Receivers of alerts by the control API: made, changed, tried out and removed, as in admin's page."""

from typing import Any

import pytest

from observability.alerts.secrets import unsealed
from observability.audit.chain import Verified
from observability.models import AlertDelivery, AlertReceiver
from tests.support.control import Control
from tests.support.trail import events, newest, state

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "alerts/receivers"
ONE = f"{LIST}/pager"
URL = "https://hooks.example/T0PSECRET"
HOOK: dict[str, Any] = {"url": URL, "alerts": ["breaker", "slo"], "least": "critical"}
SECRET = "whsec_" + "A" * 40


@pytest.fixture
def operator() -> Control:
    """Whoever may make receivers in admin."""
    return Control("otto", group="operator")


def row() -> AlertReceiver:
    return AlertReceiver.objects.get(name="pager")


def test_one_is_made_and_its_secret_answered_once(operator: Control) -> None:
    """The same body again changes nothing."""
    before = newest()
    made = operator.call("put", ONE, HOOK)
    told = made.json()
    secret = told.pop("secret")
    assert (made.status_code, secret) == (201, unsealed(bytes(row().sealed)))
    assert told == {
        "name": "pager",
        "kind": "webhook",
        "enabled": True,
        "url": URL,
        "addresses": [],
        "alerts": ["breaker", "slo"],
        "least": "critical",
        "note": "",
    }
    again = operator.call("put", ONE, HOOK)
    assert (again.status_code, again.json(), again["ETag"]) == (200, told, made["ETag"])
    (event,) = events(after=before)
    assert (event["action"], event["actor"], event["door"]) == ("alert receiver.create", "otto", "api")
    assert event["objects"] == [["alert receiver", "pager"]]
    assert "T0PSECRET" not in str(event)
    assert secret not in str(event)
    assert isinstance(state(), Verified)


def test_one_is_changed(operator: Control) -> None:
    """What differs is in the trail; a secret that is given is kept, and never told."""
    operator.call("put", ONE, HOOK)
    before = newest()
    changed = operator.call("put", ONE, {**HOOK, "enabled": False, "secret": SECRET})
    assert (changed.status_code, changed.json()["enabled"]) == (200, False)
    assert "secret" not in changed.json()
    assert unsealed(bytes(row().sealed)) == SECRET
    assert operator.call("put", ONE, {**HOOK, "enabled": False, "secret": SECRET}).status_code == 200
    (event,) = events(after=before)
    fields = {each["path"]: each.get("after") for each in event["changes"][0]["fields"]}
    assert (event["action"], fields["enabled"]) == ("alert receiver.change", False)
    assert SECRET not in str(event)


def test_a_lost_update_is_refused(operator: Control) -> None:
    """Also where only the secret was changed meanwhile."""
    first = operator.call("put", ONE, HOOK)["ETag"]
    operator.call("put", ONE, {**HOOK, "secret": SECRET})
    late = operator.call("put", ONE, {**HOOK, "enabled": False}, if_match=first)
    assert (late.status_code, row().enabled) == (412, True)
    assert operator.call("delete", ONE, if_match=first).status_code == 412
    assert operator.call("put", ONE, HOOK, if_none_match="*").status_code == 412


def test_the_list_alone_counts_what_was_dropped(operator: Control) -> None:
    """So 304 hides no count, and no order is refused because of one."""
    tag = operator.call("put", ONE, HOOK)["ETag"]
    listed = operator.call("get", LIST)
    AlertReceiver.objects.update(dropped=7)
    assert operator.call("get", ONE, if_none_match=tag).status_code == 304
    assert "dropped" not in operator.call("get", ONE).json()
    again = operator.call("get", LIST, if_none_match=listed["ETag"])
    assert (again.status_code, again.json()["receivers"][0]["dropped"]) == (200, 7)
    assert operator.call("post", f"{ONE}/test", if_match=tag).status_code == 202
    assert operator.call("delete", ONE, if_match=tag).status_code == 204


def test_one_is_removed(operator: Control) -> None:
    operator.call("put", ONE, HOOK)
    before = newest()
    assert operator.call("delete", ONE, if_match=operator.call("get", ONE)["ETag"]).status_code == 204
    assert operator.call("get", ONE).status_code == 404
    assert operator.call("delete", ONE).status_code == 404
    (event,) = events(after=before)
    assert event["action"] == "alert receiver.delete"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://a"}, "url"),
        ({"url": "http://[x"}, "url"),
        ({**HOOK, "secret": "whsec_short"}, "secret"),
        ({**HOOK, "alerts": ["other"]}, "alerts"),
        ({**HOOK, "least": "none"}, "least"),
        ({**HOOK, "kind": "pigeon"}, "kind"),
        ({"kind": "email", "addresses": ["a@example.com"]}, "kind"),
        ({"kind": "email", "addresses": ["nobody"]}, "addresses"),
        ({**HOOK, "url": "https://a\0b"}, "url"),
    ],
)
def test_what_the_page_refuses_is_refused(body: dict[str, Any], field: str, operator: Control) -> None:
    """By the field; no mail server is set in tests."""
    before = newest()
    answer = operator.call("put", ONE, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert field in answer.json()["error"]["details"]
    assert (AlertReceiver.objects.count(), newest()) == (0, before)


@pytest.mark.parametrize("name", ["%20pager", "x" * 101])
def test_impossible_names(name: str, operator: Control) -> None:
    answer = operator.call("put", f"{LIST}/{name}", HOOK)
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["name"])
    assert operator.call("get", f"{LIST}/{name}").status_code == 404


def test_a_test_is_sent(operator: Control) -> None:
    """By the queue; not to one that is switched off."""
    operator.call("put", ONE, HOOK)
    sent = operator.call("post", f"{ONE}/test")
    assert sent.status_code == 202
    assert AlertDelivery.objects.get(receiver=row()).message_id == sent.json()["message_id"]
    operator.call("put", ONE, {**HOOK, "enabled": False})
    assert operator.call("post", f"{ONE}/test").status_code == 409
    assert AlertDelivery.objects.count() == 1


def test_a_name_may_have_slashes(operator: Control) -> None:
    """As admin takes it."""
    one = f"{LIST}/ops/night"
    assert operator.call("put", one, HOOK).status_code == 201
    assert operator.call("get", one).json()["name"] == "ops/night"
    assert operator.call("post", f"{one}/test").status_code == 202
    assert AlertDelivery.objects.get().receiver == AlertReceiver.objects.get(name="ops/night")
    assert operator.call("delete", one).status_code == 204
    assert not AlertReceiver.objects.exists()


def test_lists(operator: Control) -> None:
    """By name, narrowed, in pages."""
    for name, enabled in (("b", True), ("a", True), ("c", False)):
        operator.call("put", f"{LIST}/{name}", {**HOOK, "enabled": enabled})
    first = operator.call("get", f"{LIST}?limit=2").json()
    assert ([each["name"] for each in first["receivers"]], first["total"]) == (["a", "b"], 3)
    rest = operator.call("get", f"{LIST}?cursor={first['next']}").json()
    assert ([each["name"] for each in rest["receivers"]], rest["next"]) == (["c"], None)
    assert operator.call("get", f"{LIST}?enabled=false").json()["total"] == 1
    assert operator.call("get", f"{LIST}?kind=email").json()["total"] == 0
    assert operator.call("get", f"{LIST}?search=B").json()["total"] == 1


def test_who_may(operator: Control) -> None:
    """As in admin: viewers look, and see of a URL its host; others nothing."""
    operator.call("put", ONE, HOOK)
    viewer = Control("vera", group="viewer")
    assert viewer.call("get", ONE).json()["url"] == "https://hooks.example/…"
    assert "T0PSECRET" not in viewer.call("get", LIST).content.decode()
    nobody = Control("nora")
    for client in (viewer, nobody):
        assert client.call("put", ONE, {**HOOK, "enabled": False}).status_code == 403
        assert client.call("delete", ONE).status_code == 403
        assert client.call("post", f"{ONE}/test").status_code == 403
    assert [nobody.call("get", path).status_code for path in (LIST, ONE)] == [403, 403]
    assert row().enabled
