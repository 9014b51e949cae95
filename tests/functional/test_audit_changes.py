"""Each door that changes something says in its one event how it was before and is after, without a secret."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from authproxy.models import Consumer
from observability.audit.chain import Verified
from observability.audit.masking import MASK
from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from resilience.models import CanaryState
from routing import leases
from routing.canarying import begin
from routing.drafts import Actor
from routing.leases import leave
from routing.models import Lease, Route
from routing.publishing import apply_document, discard
from tests.support.accesspages import choose, dialog
from tests.support.adminpages import page, signed_in
from tests.support.cli import gateway
from tests.support.configuration import route, service
from tests.support.control import Control
from tests.support.endpoints import PASSWORD, account
from tests.support.leases import registered
from tests.support.trail import events, newest, state

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NEW = f"{PASSWORD}-new"
URL = "http://orders:1"


@pytest.fixture(autouse=True)
def _world() -> None:
    """Two routes, and a canary of one."""
    document = {"version": 1, "services": [service()], "routes": [route(), route("more", "/more")]}
    apply_document(document, actor=Actor("first"))
    begin("orders", Wanted(CanaryPolicy(), "new", "m"), 1, 1_700_000_000.0)


@pytest.fixture
def root() -> Control:
    """Staff who may everything, by the control API."""
    account("bert")
    Group.objects.create(name="reader")
    Consumer.objects.create(name="shop", kind="service")
    return Control("root", is_superuser=True)


def told(change: Callable[[], Any], action: str) -> dict[str, dict[str, tuple[Any, Any]]]:
    """What the one event says of each object: by field, how it was and is; ... for what was not there."""
    before = newest()
    change()
    (event,) = events(after=before)
    assert event["action"] == action
    assert PASSWORD not in str(event)
    assert isinstance(state(), Verified)
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for each in event["changes"]:
        fields = {one["path"]: (one.get("before", ...), one.get("after", ...)) for one in each["fields"]}
        found.setdefault(each["name"], {}).update(fields)
    return found


def a_canary() -> str:
    return reverse("admin:resilience_canarystate_pause", args=[CanaryState.objects.get().pk])


CANARY: dict[str, Callable[[], Any]] = {
    "admin": lambda: dialog(signed_in("anna"), a_canary(), reason="drill"),
    "control API": lambda: Control("anna", is_superuser=True).call(
        "post", "canaries/orders", {"word": "pause"}
    ),
    "command line": lambda: gateway("canary", "pause", "orders", "--as", "anna"),
}


@pytest.mark.parametrize("door", CANARY)
def test_a_canary_is_steered(door: str) -> None:
    assert told(CANARY[door], "canary.pause") == {"orders": {"stage": ("running", "paused")}}


def a_draft() -> None:
    more = {"version": 1, "routes": [route("orders", "/elsewhere")]}
    apply_document(more, actor=Actor("anna"), draft=True)


DISCARD: dict[str, Callable[[], Any]] = {
    "admin": lambda: signed_in("bert").post(reverse("admin:routing_draft_discard")),
    "control API": lambda: Control("bert", is_superuser=True).call("post", "draft/discard"),
    "command line": lambda: gateway("discard", "--as", "bert"),
    "service": lambda: discard(actor=Actor("bert")),
}


@pytest.mark.parametrize("door", DISCARD)
def test_a_draft_is_thrown_away(door: str) -> None:
    """From what it was to what is live."""
    a_draft()
    assert told(DISCARD[door], "configuration.discard") == {
        "orders": {"match.path": ("/elsewhere", "/orders")}
    }


def test_a_draft_that_is_not_there_is_no_event() -> None:
    before = newest()
    discard(actor=Actor("bert"))
    assert newest() == before


def test_routes_are_switched_in_a_list() -> None:
    """Of many at once."""
    changes = told(
        lambda: choose(
            signed_in("anna"),
            page("route", "changelist"),
            "disable_selected",
            list(Route.objects.all()),
            confirmed="yes",
        ),
        "configuration.publish",
    )
    assert changes == {"orders": {"enabled": (..., False)}, "more": {"enabled": (..., False)}}


def test_a_target_registers_itself() -> None:
    """And is let in, and leaves."""
    made = told(lambda: registered(approves=False), "discovery.register")[URL]
    assert (made["service"], made["weight"], made["state"]) == ((..., "orders"), (..., 1), (..., "pending"))
    before = newest()
    registered(approves=False)
    assert newest() == before, "a renewal changes nothing"
    assert told(lambda: registered(weight=3), "discovery.change") == {URL: {"weight": (1, 3)}}
    lease = Lease.objects.get().pk
    assert told(lambda: leases.approve([lease], by="anna"), "discovery.approve") == {
        URL: {"state": ("pending", "approved")}
    }
    assert told(lambda: leave(lease, consumer="robot", by="robot"), "discovery.leave") == {
        URL: {"state": ("approved", "ended")}
    }


@pytest.mark.parametrize(("word", "after"), [("approve", "approved"), ("reject", "ended"), ("end", "ended")])
@pytest.mark.parametrize("door", ["admin", "control API"])
def test_staff_decide_about_targets(door: str, word: str, after: str) -> None:
    """Several at once in admin's list, one by the control API."""
    registered(approves=False)
    lease = Lease.objects.get()

    def decide() -> None:
        if door == "admin":
            anna = signed_in("anna")
            choose(
                anna,
                page("lease", "changelist"),
                f"{word}_selected",
                [lease],
                confirmed="yes",
                reason="drill",
            )
        else:
            root = Control("anna", is_superuser=True)
            assert root.call("post", f"leases/{lease.pk}", {"word": word}).status_code == 200

    assert told(decide, f"discovery.{word}") == {URL: {"state": ("pending", after)}}


def test_accounts_are_changed_and_removed(root: Control) -> None:
    """A new password is told of, and nobody reads it."""
    given = {"staff": True, "roles": ["reader"], "password": NEW}
    assert told(lambda: root.call("patch", "users/bert", given), "account.change") == {
        "bert": {"staff": (False, True), "roles": ([], ["reader"]), "password": (..., MASK)}
    }
    assert NEW not in str(events())
    before = newest()
    assert root.call("patch", "users/bert", {"staff": True}).status_code == 200
    assert newest() == before, "it was so already"
    gone = told(lambda: root.call("delete", "users/bert"), "account.delete")["bert"]
    assert gone["email"] == ("bert@example.com", ...)
    assert not User.objects.filter(username="bert").exists()


def test_an_account_that_is_made_inactive_is_one_event(root: Control) -> None:
    wanted = {"username": "carl", "password": PASSWORD, "active": False}
    changes = told(lambda: root.call("post", "users", wanted), "account.create")
    assert changes["carl"]["is_active"] == (True, False)


def test_consumers_are_made_changed_and_removed(root: Control) -> None:
    """Each call one event, however much it changes."""
    wanted = {"kind": "service", "notes": "till", "enabled": False}
    made = told(lambda: root.call("put", "consumers/robot", wanted), "consumer.create")["robot"]
    assert (made["notes"], made["enabled"]) == (("", "till"), (True, False))
    wanted = {"kind": "service", "plan": "gold", "roles": ["reader"]}
    assert told(lambda: root.call("put", "consumers/shop", wanted), "consumer.change") == {
        "shop": {"plan": (None, "gold"), "roles": ([], ["reader"])}
    }
    before = newest()
    assert root.call("put", "consumers/shop", wanted).status_code == 200
    assert newest() == before
    assert told(lambda: root.call("delete", "consumers/shop"), "consumer.delete")["shop"]["plan"] == (
        "gold",
        ...,
    )


def test_what_is_refused_is_undone_with_its_event(root: Control) -> None:
    """A role that is not there."""
    before = newest()
    assert root.call("patch", "users/bert", {"staff": True, "roles": ["nobody"]}).status_code == 400
    assert newest() == before
    assert not User.objects.get(username="bert").is_staff
