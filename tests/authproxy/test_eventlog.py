"""Security events become rows and log lines: soon, once, and whatever the database does meanwhile."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections

from authproxy import eventlog
from authproxy.eventlog import EventLog, kept, prune
from authproxy.gathering import UPDATE_S, Entry
from authproxy.models import SecurityEvent as Row
from authproxy.security import SecurityEvent, emit
from routing import pruning
from routing.pruning import KEPT_FOR

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILED = SecurityEvent("login_failed", subject="anna", address="192.0.2.1", details={"reason": "password"})


class Clock:
    """Epoch seconds that a test moves."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> EventLog:
    return EventLog(wall_clock=clock)


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


def test_repetitions_are_one_row_that_counts(log: EventLog, clock: Clock) -> None:
    """The row is there after the first round, and grows."""
    log.note(FAILED)
    log.flush()
    for _ in range(4):
        log.note(FAILED)
    clock.now += UPDATE_S
    log.flush()
    log.flush()
    row = Row.objects.get()
    assert (row.kind, row.subject, row.address, row.details) == (
        "login_failed",
        "anna",
        "192.0.2.1",
        {"reason": "password"},
    )
    assert (row.count, row.at) == (5, NOW)


def test_log_line_is_one_line_of_ascii(log: EventLog, caplog: pytest.LogCaptureFixture) -> None:
    """A name that somebody made up cannot pass for another line."""
    caplog.set_level(logging.INFO, "torana.security")
    log.note(SecurityEvent("token_reuse", subject="anna\nlogin {}\u2028\u202e", details={"route": "orders"}))
    log.note(FAILED)
    log.note(FAILED)
    log.flush()
    reuse, failed = caplog.records
    kind, _, rest = reuse.getMessage().partition(" ")
    assert reuse.levelno == logging.WARNING
    assert kind == "token_reuse"
    assert rest.isascii()
    assert "\n" not in rest
    assert json.loads(rest) == {"subject": "anna\nlogin {}\u2028\u202e", "route": "orders"}
    assert json.loads(failed.getMessage().partition(" ")[2])["count"] == 2
    assert failed.levelno == logging.INFO


def test_nothing_is_lost_while_the_database_is_away(
    log: EventLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Log lines do not wait; rows do, and are not logged again."""
    caplog.set_level(logging.INFO, "torana.security")

    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(eventlog, "_save", refuse)
        log.note(FAILED)
        for _ in range(3):
            with pytest.raises(OperationalError):
                log.flush()
    assert len(caplog.records) == 1
    log.note(FAILED)
    log.flush()
    assert Row.objects.get().count == 2


def test_event_that_the_database_refuses_holds_up_no_other(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleaned events always fit; if one does not after all, it is counted as lost."""
    monkeypatch.setattr("authproxy.gathering.cleaned", lambda event: event)
    log.note(SecurityEvent("login", details={"x": "1"}, actor=None))  # type: ignore[arg-type]
    log.flush()
    assert log.lost == 1
    log.note(FAILED)
    log.flush()
    assert Row.objects.get().kind == "login_failed"


def test_guesser_with_many_addresses_fills_neither_memory_nor_table(log: EventLog) -> None:
    """And does not hide what else happens meanwhile."""
    for number in range(5_000):
        log.note(SecurityEvent("auth_failed", address=f"2001:db8::{number:x}"))
    log.note(SecurityEvent("key_revoked", actor="ada", subject="tor_1"))
    log.flush()
    assert Row.objects.filter(kind="auth_failed").count() == eventlog.REFUSALS_TOLD_APART + 1
    assert sum(Row.objects.filter(kind="auth_failed").values_list("count", flat=True)) == 5_000
    assert Row.objects.filter(kind="key_revoked", subject="tor_1").exists()
    assert log.merged == 5_000 - eventlog.REFUSALS_TOLD_APART


async def test_thread_writes_within_moments_and_once_more_when_it_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is emitted anywhere in the process arrives; after `stop`, nothing does."""
    loop, written = asyncio.get_running_loop(), asyncio.Event()
    save = eventlog._save

    def saving(due: list[tuple[Entry, int]]) -> None:
        save(due)
        loop.call_soon_threadsafe(written.set)

    monkeypatch.setattr(eventlog, "_save", saving)
    log = EventLog()
    log.start()
    emit(SecurityEvent("login", actor="anna"))
    await asyncio.wait_for(written.wait(), 10)
    emit(SecurityEvent("logout", actor="anna"))
    emit(SecurityEvent("login", actor="anna"))
    await log.stop()
    emit(SecurityEvent("login", actor="late"))
    rows = Row.objects.order_by("pk").values_list("kind", "actor", "count")
    assert [row async for row in rows] == [("login", "anna", 2), ("logout", "anna", 1)]


def test_command_keeps_what_it_does() -> None:
    """It has no thread: the rows are there when it ends, also if it failed."""

    @kept()
    def command() -> None:
        emit(SecurityEvent("key_created", actor="root", subject="tor_1"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        command()
    emit(SecurityEvent("key_revoked", actor="root", subject="tor_1"))
    assert [row.kind for row in Row.objects.all()] == ["key_created"]


def test_old_rows_go_and_refusals_beyond_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals, which anybody can cause, push out no other event."""
    rows = [Row(kind="login", at=NOW - KEPT_FOR - timedelta(days=1)), Row(kind="key_revoked", at=NOW)]
    rows += [Row(kind="auth_failed", at=NOW, address=str(number)) for number in range(10)]
    Row.objects.bulk_create(rows)
    monkeypatch.setattr(pruning, "AT_ONCE", 3)
    assert prune(NOW, refusals=4) is True
    assert prune(NOW, refusals=4) is True
    assert prune(NOW, refusals=4) is False
    left = Row.objects.order_by("pk").values_list("kind", "address")
    assert list(left) == [("key_revoked", ""), *(("auth_failed", str(number)) for number in range(6, 10))]
