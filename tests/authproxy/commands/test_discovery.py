"""`gateway discovery list`, `approve`, `reject` and `end`."""

import pytest

from routing.models import Lease
from tests.support.cli import gateway
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def states() -> list[str]:
    return list(Lease.objects.order_by("url").values_list("state", flat=True))


def test_list() -> None:
    """Live ones, or those of a state or a service; in lines and as JSON."""
    lease = registered(port=1, ttl_s=60.0).lease
    registered("else", port=2, approves=False)
    lines = gateway("discovery", "list").out.splitlines()
    assert [line.split()[1:4] for line in lines] == [
        ["else", "http://orders:2", "pending"],
        ["orders", "http://orders:1", "approved"],
    ]
    assert "until 2" in lines[1]
    (found,) = gateway("discovery", "list", "--state", "approved", "--json").data
    assert (found["id"], found["registered_by"], found["ttl"]) == (str(lease.pk), "robot", 60.0)
    assert gateway("discovery", "list", "--service", "none").out == ""
    gateway("discovery", "end", str(lease.pk), "--reason", "moved")
    assert "ended 2" in gateway("discovery", "list", "--state", "all").out
    assert gateway("discovery", "list", "--state", "ended", "--json").data[0]["ended_why"] == "moved"


def test_approve_and_reject() -> None:
    """By id, by address, or all that waits of a service; who did it is recorded."""
    first, *_ = [registered(port=port, approves=False).lease for port in (1, 2, 3, 4)]
    ran = gateway("discovery", "approve", str(first.pk), "--as", "ada")
    assert (ran.out, Lease.objects.get(pk=first.pk).decided_by) == (
        "approved http://orders:1 for orders\n",
        "ada",
    )
    assert gateway("discovery", "approve", "http://orders:2", "--json").data["leases"][0]["state"]
    assert gateway("discovery", "reject", "orders", "--reason", "who?").out.count("rejected") == 2
    assert states() == ["approved", "approved", "ended", "ended"]
    assert gateway("discovery", "reject", "http://orders:1").code == 0
    assert gateway("discovery", "end", "orders").code == 0
    assert states() == ["ended"] * 4


def test_nothing_to_do() -> None:
    """Exit 1 with a line."""
    for command in ("approve", "reject", "end"):
        ran = gateway("discovery", command, "orders")
        assert (ran.code, "no such registration" in ran.err) == (1, True)
