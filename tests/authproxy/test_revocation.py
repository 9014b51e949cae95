"""Changes are told in the order of their numbers, and only if they happen."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from authproxy import revocation
from authproxy.changes import EVERYBODY
from authproxy.models import IdentityChange

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def subjects() -> list[str]:
    return list(IdentityChange.objects.values_list("subject", flat=True))


def test_each_subject_is_told_once() -> None:
    """With the reason, which is cut to what fits."""
    revocation.record("user:1", "key:2", "user:1", reason="x" * 100)
    assert subjects() == ["user:1", "key:2"]
    assert revocation.newest() == IdentityChange.objects.last().pk  # type: ignore[union-attr]
    assert set(IdentityChange.objects.values_list("reason", flat=True)) == {"x" * 64}


def test_nothing_is_told_of_nothing() -> None:
    """And numbers begin with none."""
    revocation.record(reason="test")
    assert subjects() == []
    assert revocation.newest() == 0


def test_very_many_at_once_are_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row instead of a flood."""
    monkeypatch.setattr(revocation, "MOST_SUBJECTS", 3)
    revocation.record(*map(revocation.user, range(4)), reason="test")
    assert subjects() == [EVERYBODY]


def test_what_is_rolled_back_was_never_told() -> None:
    """It is in the transaction of what it tells of."""
    with transaction.atomic():
        revocation.record("user:1", reason="test")
        transaction.set_rollback(True)
    assert subjects() == []


@pytest.mark.django_db(transaction=True)
def test_numbers_become_visible_in_their_order() -> None:
    """A transaction that has a number is over before another gets a greater one."""
    has_number, second_began = threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        with transaction.atomic():
            revocation.record("user:1", reason="slow")
            has_number.set()
            second_began.wait(10)
            second_waits.wait(0.3)
            order.append("slow")
        connections.close_all()

    second_waits = threading.Event()
    thread = threading.Thread(target=slow)
    thread.start()
    assert has_number.wait(10)
    second_began.set()
    revocation.record("user:2", reason="quick")
    order.append("quick")
    thread.join()
    assert order == ["slow", "quick"]
    assert subjects() == ["user:1", "user:2"]


@pytest.mark.django_db(transaction=True)
def test_holding_the_order_is_nothing_outside_of_a_transaction() -> None:
    """There is nothing that it could protect: others are not held up. Inside, holding it twice is holding it once."""

    def other() -> None:
        revocation.record("user:1", reason="other")
        connections.close_all()

    revocation.hold_order()
    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    assert subjects() == ["user:1"]
    with transaction.atomic():
        revocation.hold_order()
        revocation.hold_order()
        revocation.record("user:2", reason="own")
    assert subjects() == ["user:1", "user:2"]


def test_old_rows_are_pruned_but_for_the_newest() -> None:
    """Accounts and consumers are remembered longer than what only own tokens name."""
    for subject, days in (("user:1", 8), ("user:2", 6), ("session:1", 6), (EVERYBODY, 6), ("key:1", 9)):
        row = IdentityChange.objects.create(subject=subject)
        IdentityChange.objects.filter(pk=row.pk).update(created_at=NOW - timedelta(days=days))
    newest = revocation.newest()
    assert revocation.prune(NOW - timedelta(days=7), NOW - timedelta(hours=1)) == 2
    assert subjects() == ["user:2", EVERYBODY, "key:1"]
    assert revocation.newest() == newest
    found = IdentityChange.objects.filter(
        revocation.recent(NOW - timedelta(days=7), NOW - timedelta(hours=1))
    )
    assert [row.subject for row in found] == ["user:2", EVERYBODY]


def test_pruning_is_done_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement is long."""
    monkeypatch.setattr(revocation, "PRUNED_AT_ONCE", 2)
    revocation.record(*map(revocation.user, range(4)), reason="test")
    later = timezone.now() + timedelta(days=1)
    assert [revocation.prune(later, later) for _ in range(3)] == [2, 1, 0]


def test_a_database_that_was_replaced_counts_on() -> None:
    """From what a worker knows, once, whoever notices it first."""
    revocation.record("user:1", reason="test")
    known = revocation.newest() + 100
    revocation.start_over(known)
    revocation.start_over(known)
    assert subjects() == ["user:1", EVERYBODY]
    assert revocation.newest() == known + 1
    revocation.record("user:2", reason="test")
    assert revocation.newest() == known + 2


@pytest.mark.django_db(transaction=True)
def test_postgres_hears_of_it() -> None:
    """Within the transaction; SQLite has nothing like it."""
    if connection.vendor != "postgresql":
        return
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute(f"LISTEN {revocation.CHANNEL}")
        revocation.record("user:1", reason="test")
        heard = list(other.connection.notifies(timeout=5, stop_after=1))
        assert [notice.payload for notice in heard] == [str(revocation.newest())]
    finally:
        other.close()
