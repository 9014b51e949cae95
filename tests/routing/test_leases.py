"""Leases begin, are renewed, approved and ended: by whom, when, and by several at once."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone

from routing import leases
from routing.leases import LeaseRefused
from routing.models import Lease, LeaseState, Revision
from tests.support.leases import grow_old, registered, registration

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LONG_S = 10**6


def refused(*arguments: object, **options: object) -> str:
    with pytest.raises(LeaseRefused) as refusal:
        registered(*arguments, **options)  # type: ignore[arg-type]
    return refusal.value.reason


def test_a_registration_begins_a_lease() -> None:
    """With a number that workers see; no revision knows of it."""
    found = registered(ttl_s=30.0, weight=3)
    lease = Lease.objects.get()
    assert (found.is_new, found.lease.pk, lease.state) == (True, lease.pk, LeaseState.APPROVED)
    assert (lease.url, lease.weight, lease.consumer) == ("http://orders:1", 3, "robot")
    assert lease.expires_at == lease.renewed_at + timedelta(seconds=30)
    assert (lease.changed, leases.newest(), Revision.objects.count()) == (1, 1, 0)


def test_the_same_address_again() -> None:
    """Of the same account it renews the lease, with other terms if it names them; a renewal alone is no news."""
    first = registered(ttl_s=30.0).lease
    grow_old(first, 20)
    again = registered(ttl_s=30.0)
    assert (again.is_new, again.lease.pk, leases.newest()) == (False, first.pk, 1)
    assert again.lease.expires_at >= first.expires_at  # type: ignore[operator]
    assert registered(weight=5).lease.pk == first.pk
    lease = Lease.objects.get()
    assert (lease.weight, lease.ttl_s, lease.expires_at, lease.changed, leases.newest()) == (
        5,
        None,
        None,
        2,
        2,
    )


def test_an_address_that_somebody_else_has() -> None:
    """Is refused, for whichever service, until that lease has ended."""
    lease = registered().lease
    assert [refused(by="other"), refused("else", by="other")] == ["taken", "taken"]
    assert registered("else").is_new
    leases.leave(lease.pk, consumer="robot", by="robot")
    assert refused(by="other") == "taken"
    leases.end([each.pk for each in Lease.objects.filter(ended_at=None)], by="staff", why="moved")
    assert registered(by="other").is_new


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of leases of one account, and of names."""
    monkeypatch.setattr(leases, "MOST_OF_ONE", 2)
    registered(port=1)
    registered(port=2)
    assert refused(port=3) == "too_many"
    assert not registered(port=2).is_new
    assert [refused(by="x" * 251), refused(by=""), refused(by="a\0")] == ["caller"] * 3


def test_renewing() -> None:
    """Only whoever made it, or staff; not once it has ended."""
    lease = registered(ttl_s=30.0).lease
    grow_old(lease, 20)
    assert leases.renew(lease.pk, consumer="robot").expires_at > timezone.now() + timedelta(seconds=25)  # type: ignore[operator]
    assert leases.renew(lease.pk, consumer=None).pk == lease.pk
    for number, consumer in ((lease.pk, "other"), (uuid4(), "robot")):
        with pytest.raises(LeaseRefused, match="no such lease"):
            leases.renew(number, consumer=consumer)
        with pytest.raises(LeaseRefused, match="no such lease"):
            leases.leave(number, consumer=consumer, by="other")
    leases.leave(lease.pk, consumer="robot", by="robot")
    with pytest.raises(LeaseRefused):
        leases.renew(lease.pk, consumer="robot")
    ended = Lease.objects.get()
    assert (ended.state, ended.ended_by, ended.ended_why) == ("ended", "robot", leases.LEFT)
    assert (ended.changed, leases.newest()) == (2, 2)


def test_quarantine() -> None:
    """What staff decide counts for later registrations of that account for that service, and for no others."""
    first = registered(approves=False).lease
    assert first.state == LeaseState.PENDING
    assert leases.approve([first.pk, uuid4()], by="ada") == [first]
    assert leases.approve([first.pk], by="ada") == []
    stored = Lease.objects.get()
    assert (stored.state, stored.decided_by, stored.changed) == ("approved", "ada", 2)
    assert registered(port=2, approves=False).lease.state == LeaseState.APPROVED
    assert registered(port=3, approves=False, by="other").lease.state == LeaseState.PENDING
    assert registered("else", port=4, approves=False).lease.state == LeaseState.PENDING

    assert [each.pk for each in leases.reject([first.pk], by="ada", why="unknown host")] == [first.pk]
    assert Lease.objects.get(pk=first.pk).ended_why == "rejected: unknown host"
    assert registered(port=5, approves=True).lease.state == LeaseState.PENDING
    assert leases.reject([first.pk], by="ada") == []


def test_expiry() -> None:
    """Once its time is over, and the database has answered for a whole ttl; a row of history stays."""
    short, long, endless = (
        registered(port=port, ttl_s=ttl_s).lease for port, ttl_s in ((1, 10.0), (2, 90.0), (3, None))
    )
    for each in (short, long, endless):
        grow_old(each, 50)
    assert leases.expire(in_contact_s=9.0) == 0
    assert leases.expire(in_contact_s=10.0) == 1
    assert leases.expire(in_contact_s=10.0) == 0
    stored = Lease.objects.get(pk=short.pk)
    assert (stored.state, stored.ended_why, stored.ended_by) == ("ended", leases.EXPIRED, "")
    assert stored.changed == leases.newest()
    grow_old(long, 50)
    assert leases.expire(in_contact_s=LONG_S) == 1
    assert Lease.objects.get(ended_at=None).pk == endless.pk


def test_nobody_waits_for_ever() -> None:
    """A lease without ttl that nobody approves ends after a week; an approved one does not."""
    for port, approves in ((1, False), (2, True)):
        grow_old(registered(port=port, approves=approves).lease, 8 * 86_400)
    assert leases.expire(in_contact_s=LONG_S) == 0
    assert [leases.forget_unapproved(), leases.forget_unapproved()] == [1, 0]
    assert Lease.objects.get(state="ended").ended_why == leases.FORGOTTEN


def test_pruning() -> None:
    """History goes when it is old or too much; what is live stays."""
    now = timezone.now()
    rows = [registered(port=port).lease for port in range(1, 6)]
    leases.end([row.pk for row in rows[:4]], by="x", why="x")
    for days, row in enumerate(rows[:4]):
        Lease.objects.filter(pk=row.pk).update(ended_at=now - timedelta(days=days * 12))
    assert not leases.prune(now)
    assert Lease.objects.count() == 4
    assert not leases.prune(now, kept=1)
    assert {row.pk for row in Lease.objects.all()} == {rows[0].pk, rows[4].pk}


@pytest.mark.django_db(transaction=True)
def test_many_at_once() -> None:
    """Eight writers of one address make one lease; of eight that let go of it, one ends it."""
    results: list[object] = []

    def run(act: object) -> None:
        def body() -> None:
            try:
                results.append(act())  # type: ignore[operator]
            except LeaseRefused as refusal:
                results.append(refusal.reason)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=body) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    run(lambda: leases.register(registration(ttl_s=5.0), consumer="robot", approves=True).is_new)
    assert (results.count(True), results.count(False)) == (1, 7)
    grow_old(Lease.objects.get(), 60)
    results.clear()
    run(lambda: leases.expire(in_contact_s=LONG_S))
    assert (results.count(1), results.count(0)) == (1, 7)


def test_the_clock_is_the_databases() -> None:
    """Within a second of this machine's, here."""
    assert abs(leases.database_now() - timezone.now()) < timedelta(seconds=1)
    assert connection.vendor in ("sqlite", "postgresql")


def live() -> set[str]:
    return set(Lease.objects.filter(ended_at=None).values_list("consumer", flat=True))


def test_accounts_that_are_shut_out() -> None:
    """All that they registered ends, pending or not; workers hear of it; what others registered stays."""
    for port, by in enumerate(("robot", "robot", "other", "third"), 1):
        registered(port=port, by=by, approves=port > 1)
    before = leases.newest()
    assert leases.shut_out(["robot", "other", "nobody"], by="ada") == 3
    assert live() == {"third"}
    assert leases.newest() > before
    assert set(Lease.objects.exclude(ended_at=None).values_list("ended_by", "ended_why")) == {
        ("ada", leases.SHUT_OUT)
    }
    before = leases.newest()
    assert (leases.shut_out(["robot"], by="ada"), leases.shut_out([], by="ada")) == (0, 0)
    assert leases.newest() == before


def test_who_may_not_register_any_more() -> None:
    """Is refused, even for an address that is its own."""
    registered()
    with pytest.raises(LeaseRefused) as refusal:
        leases.register(registration(), consumer="robot", approves=True, may=lambda: False)
    assert refusal.value.reason == "caller"


def test_an_account_with_another_name() -> None:
    """Keeps what it registered, and what staff decided about it; who had that name before is forgotten."""
    leases.reject([registered(port=9, by="robot-2").lease.pk], by="ada")
    lease = registered(approves=False).lease
    leases.approve([lease.pk], by="ada")
    leases.rename("robot", "robot-2")
    assert live() == {"robot-2"}
    assert leases.renew(lease.pk, consumer="robot-2").pk == lease.pk
    assert registered(port=2, by="robot-2", approves=False).lease.state == "approved"


def test_an_account_that_is_gone() -> None:
    """Another one of its name has to be approved anew."""
    leases.approve([registered(approves=False).lease.pk], by="ada")
    leases.forget("robot", by="ada")
    assert live() == set()
    assert registered(approves=False).lease.state == "pending"
