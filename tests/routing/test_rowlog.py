"""The base of what writes rows: rounds, outages, other writers, and what the database refuses for ever."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import DataError, OperationalError

from routing import rowlog
from routing.rowlog import RowLog

LOCKED = OperationalError("database is locked")
GONE = OperationalError("gone")


class Letters(RowLog):
    """Writes as often as its thread looks; `fails` are raised first, one after the other."""

    name = "letters"
    what = "letters"
    pruning_s = 60.0

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__(round_s=60.0, wall_clock=now)
        self.fails: list[Exception] = []
        self.done: list[str] = []
        self.more = False

    def flush(self) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.done.append("flushed")

    def prune(self, now: datetime) -> bool:
        self.done.append(f"pruned {now:%H:%M}")
        return self.more


def test_a_round_writes_and_prunes_now_and_then() -> None:
    """At once again where there is more to prune."""
    now = [0.0]
    log = Letters(lambda: now[0])
    log.more = True
    for more, at in ((True, 0.0), (False, 0.0), (False, 59.0), (False, 60.0)):
        log.more, now[0] = more, at
        log._look()
    assert log.done == ["flushed", "pruned 00:00"] * 2 + ["flushed", "flushed", "pruned 00:01"]


def test_another_writer_is_waited_for_and_an_outage_is_told() -> None:
    """The latter to the poller, which asks later and later."""
    log = Letters()
    log.fails = [LOCKED, GONE]
    log._look()
    with pytest.raises(OperationalError, match="gone"):
        log._look()
    assert log.done == []


def test_what_is_refused_for_what_is_in_it_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    """And counted; everything else is raised."""

    def refuse() -> None:
        raise DataError("odd")

    def fail() -> None:
        raise GONE

    log = Letters()
    log.keep(refuse, 3)
    log.keep(lambda: log.done.append("kept"), 2)
    with pytest.raises(OperationalError):
        log.keep(fail, 4)
    assert (log.lost, log.done) == (3, ["kept"])
    assert "letters could not be kept" in caplog.text


def test_the_last_round_is_tried_several_times() -> None:
    """All workers leave at the same time."""
    log = Letters()
    log.fails = [LOCKED] * (rowlog.LAST_TRIES - 1)
    log._write_last()
    assert log.done == ["flushed"]
    for fails in ([LOCKED] * rowlog.LAST_TRIES, [GONE]):
        log.fails = list(fails)
        with pytest.raises(OperationalError):
            log._write_last()
    assert log.done == ["flushed"]


async def test_its_thread_writes_until_the_end(transactional_db: None) -> None:
    """Once more when it is asked to stop."""
    log = Letters()
    log._poller.start()
    await log._poller.first_answer(10.0)
    await log.stop()
    assert log.done[0] == log.done[-1] == "flushed"
    assert log.database_error == ""
