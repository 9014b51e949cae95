"""Checks in the database: changes at once, the rest soon, and nothing waits for a database that is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.utils import timezone

from resilience.clock import wall_clock
from resilience.health import Standing
from resilience.leader import Alone, Leader
from resilience.models import TargetHealth
from resilience.prober import Prober
from resilience.verdicts import Verdict
from routing.healthlog import KEPT_FOR, HealthLog
from tests.support.breakers import until
from tests.support.probing import Targets

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
NEVER_S = 60.0


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


@asynccontextmanager
async def logged(every_s: float = NEVER_S) -> AsyncIterator[HealthLog]:
    prober = Prober(
        Targets().probe, node="n", leader=Leader(Alone(), holder="n", rng=Random(1)), rng=Random(1)
    )
    log = HealthLog(prober, every_s=every_s)
    log.start()
    try:
        yield log
    finally:
        await log.stop()


def verdict(target: str = "http://a:1", service: str = "shop", **changed: Any) -> Verdict:
    now = wall_clock()
    standing = Standing(healthy=True, since=now, run=1, ok=True, status=200, latency_s=0.25, at=now)
    return Verdict(service, target, "node-1", standing._replace(**changed))


async def rows() -> list[TargetHealth]:
    return [each async for each in TargetHealth.objects.all()]


async def shown(number: int, **expected: Any) -> list[TargetHealth]:
    """The rows, once there are so many and each says so."""
    async with asyncio.timeout(10):
        while True:
            found = await rows()
            if len(found) == number and all(
                getattr(row, name) == value for row in found for name, value in expected.items()
            ):
                return found


async def test_a_change_is_written_at_once() -> None:
    """State, since when, the last result, and which node says so."""
    async with logged() as log:
        said = verdict(healthy=False, ok=False, why="status 500", status=500, run=3)
        log.note(said, True)
        (row,) = await shown(1)

    assert (row.service, row.target, row.node) == ("shop", "http://a:1", "node-1")
    assert (row.healthy, row.ok, row.why, row.status, row.run) == (False, False, "status 500", 500, 3)
    assert row.latency_s == 0.25
    assert row.checked_at.timestamp() == pytest.approx(said.standing.at)
    assert row.since is not None
    assert row.since.timestamp() == pytest.approx(said.standing.since)


async def test_the_last_check_replaces_the_one_before() -> None:
    """One row for each target of each service; what is not known has no since."""
    async with logged() as log:
        for service in ("shop", "store"):
            log.note(verdict(service=service, healthy=None), True)
        assert {row.since for row in await shown(2, healthy=None)} == {None}
        for service in ("shop", "store"):
            log.note(verdict(service=service, run=2**40, why="x\0" * 900), True)
        await shown(2, healthy=True, run=2**31 - 1)


async def test_what_is_no_change_is_written_soon() -> None:
    """Together, and at the end in any case."""
    async with logged(every_s=0.05) as log:
        log.note(verdict("http://a:1"), False)
        log.note(verdict("http://b:1"), False)
        await shown(2)
    async with logged() as log:
        log.note(verdict("http://c:1"), False)
    assert {row.target for row in await rows()} == {"http://a:1", "http://b:1", "http://c:1"}


async def test_rows_of_targets_that_are_gone_go() -> None:
    """After a day without a check."""
    async with logged() as log:
        at = (timezone.now() - KEPT_FOR - timedelta(seconds=5)).timestamp()
        log.note(verdict("http://old:1", at=at), True)
        log.note(verdict("http://new:1"), True)
        assert [row.target for row in await shown(1)] == ["http://new:1"]


async def test_an_outage_loses_only_what_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest of each target is written when the database is back."""
    real = TargetHealth.objects.bulk_create

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    async with logged(every_s=0.05) as log:
        monkeypatch.setattr(type(TargetHealth.objects), "bulk_create", away)
        log.note(verdict(healthy=False), True)
        await until(lambda: log.database_error)
        log.note(verdict(run=7), True)
        monkeypatch.setattr(type(TargetHealth.objects), "bulk_create", lambda _, *a, **k: real(*a, **k))
        assert len(await shown(1, healthy=True, run=7)) == 1
        await until(lambda: not log.database_error)
