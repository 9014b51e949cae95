"""The page of discovered targets: what it shows, and that approving and ending go through a dialog."""

from typing import Any

import pytest
from django.urls import reverse

from routing import leases
from routing.admin import leases as page_of
from routing.locking import StoreUnavailable
from routing.models import Lease
from tests.support.adminpages import messages, page, signed_in, viewer
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = ("lease", "changelist")
OPERATOR = ("routing.operate",)


def act(client: Any, name: str, lease: Lease, **form: str) -> Any:
    url = reverse(f"admin:routing_lease_{name}", args=[lease.pk])
    return client.post(url, {"_form_submitted": "1", **form}, follow=True)


def test_list_and_filters() -> None:
    """Every lease with its state; filters leave those of one state."""
    registered(port=1)
    registered(port=2, approves=False, by="other")
    ended = registered(port=3).lease
    leases.end([ended.pk], by="ada", why="moved")
    client = viewer()
    text = client.get(page(*LIST)).content.decode()
    assert all(word in text for word in ("waiting for approval", "http://orders:1", "moved", "other"))
    for state, port in (("approved", 1), ("pending", 2), ("ended", 3)):
        rows = client.get(page(*LIST), {"standing": state}).context["cl"].result_list
        assert [row.url for row in rows] == [f"http://orders:{port}"]
    assert "moved" in client.get(page("lease", "change", ended.pk)).content.decode()


def test_nobody_edits() -> None:
    """Services register by themselves; whoever may not operate sees no action."""
    lease = registered(approves=False).lease
    client = signed_in()
    assert client.get(page("lease", "add")).status_code == 403
    assert client.post(page("lease", "change", lease.pk), {"url": "x"}).status_code == 403
    assert client.post(page("lease", "delete", lease.pk), {"post": "yes"}).status_code == 403
    assert act(viewer(), "approve", lease).status_code == 403
    assert signed_in("none", permissions=()).get(page(*LIST)).status_code == 403
    assert Lease.objects.get().state == "pending"


def test_approve_reject_and_end_one() -> None:
    """With the permission to operate; who and why are recorded."""
    client = signed_in("ada", permissions=OPERATOR)
    lease = registered(approves=False).lease
    answer = act(client, "approve", lease)
    assert messages(answer) == ["http://orders:1 for orders: approved, live everywhere within a second."]
    assert Lease.objects.get().decided_by == "ada"
    assert messages(act(client, "approve", lease)) == ["There was nothing to be approved."]
    act(client, "end", lease, reason="moved")
    assert (Lease.objects.get().ended_by, Lease.objects.get().ended_why) == ("ada", "moved")
    other = registered(port=2, approves=False, by="other").lease
    act(client, "reject", other, reason="unknown")
    assert Lease.objects.get(pk=other.pk).ended_why == "rejected: unknown"
    assert act(client, "end", Lease()).status_code == 404


@pytest.mark.parametrize(
    ("name", "why"), [("approve_selected", ""), ("reject_selected", "rejected: x"), ("end_selected", "x")]
)
def test_many(name: str, why: str) -> None:
    """After a page that asks."""
    for port in (1, 2, 3, 4):
        registered(port=port, approves=False)
    client = signed_in("ada", permissions=OPERATOR)
    chosen = {"action": name, "_selected_action": [str(row.pk) for row in Lease.objects.all()]}
    assert "http://orders:4" in client.post(page(*LIST), chosen).content.decode()
    assert Lease.objects.filter(state="pending").count() == 4
    answer = client.post(page(*LIST), {**chosen, "confirmed": "1", "reason": "x"}, follow=True)
    assert "and 1 more" in messages(answer)[0]
    assert {(row.state == "approved", row.ended_why) for row in Lease.objects.all()} == {(not why, why)}


def test_a_database_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told, and nothing was changed."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise StoreUnavailable("not now")

    lease = registered().lease
    monkeypatch.setattr(page_of.leases, "end", fail)
    assert messages(act(signed_in(), "end", lease)) == ["Nothing was changed: not now"]
