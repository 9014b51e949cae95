"""One writer at a time, and database failures in one sentence."""

import threading

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError, connection

from routing import locking
from routing.locking import StoreUnavailable, clear_errors, explain, hold_lock, reading, writing

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_the_lock_lives_in_a_transaction(transactional_db: None) -> None:
    """Outside of one it would protect nothing."""
    with pytest.raises(RuntimeError):
        hold_lock()
    with writing():
        hold_lock()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OperationalError("database is locked"), "another change is being saved"),
        (OperationalError("canceling statement due to lock timeout"), "another change is being saved"),
        (OperationalError("deadlock detected"), "another change is being saved"),
        (
            OperationalError("connection refused\nIs the server running?"),
            "cannot be reached: connection refused Is",
        ),
        (OperationalError("no such table: routing_service"), "manage.py migrate"),
        (ProgrammingError('relation "routing_service" does not exist'), "manage.py migrate"),
    ],
)
def test_failures_are_told_in_one_sentence(error: Exception, sentence: str) -> None:
    """What is wrong, and what to do."""
    assert sentence in explain(error)
    assert "\n" not in explain(error)
    with pytest.raises(StoreUnavailable, match=sentence[:10]), clear_errors():
        raise error


@pytest.mark.parametrize("error", [IntegrityError("x"), ProgrammingError("syntax error"), ValueError("x")])
def test_mistakes_of_ours_are_not_hidden(error: Exception) -> None:
    """Only failures of the store are translated."""
    with pytest.raises(type(error)), clear_errors():
        raise error


def test_reading_sees_one_state(transactional_db: None) -> None:
    """On PostgreSQL the transaction is repeatable; SQLite's always are."""
    with reading(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("repeatable read",)
        assert connection.in_atomic_block


def test_the_second_of_two_writers_waits_and_is_told(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for ever; and once the first is done, it may write."""
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_S", 0.3)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 300")
    holds, done = threading.Event(), threading.Event()

    def first() -> None:
        with writing():
            holds.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=first)
    other.start()
    assert holds.wait(5)
    with pytest.raises(StoreUnavailable, match="another change is being saved"), writing():
        pass
    done.set()
    other.join()
    with writing():
        pass
    connection.close()
