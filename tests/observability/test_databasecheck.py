"""Whether the database answers, asked from a thread."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.utils import timezone

from observability import databasecheck
from observability.components import Seen
from observability.databasecheck import DatabaseCheck
from routing.models import Node, Revision

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@asynccontextmanager
async def checking() -> AsyncIterator[DatabaseCheck]:
    check = DatabaseCheck(idle_s=60.0)
    try:
        yield check
    finally:
        await check.stop()


@sync_to_async
def nodes() -> None:
    Revision.objects.create(number=7, digest="d", document="{}", author="ada")
    now = timezone.now()
    rows: list[tuple[str, Any, str, float]] = [
        ("b", 6, "", 1.0),
        ("a", 7, "", 2.0),
        ("c", 6, "it does not compile: secret", 1.0),
        ("d", None, "", 40.0),
    ]
    for name, revision, error, age_s in rows:
        heartbeat = now - timedelta(seconds=age_s)
        Node.objects.create(name=name, pid=1, role="all", revision=revision, error=error, heartbeat=heartbeat)
    connections.close_all()  # of this thread, which nobody else would


async def test_it_answers_and_says_who_serves_what() -> None:
    """By name, with the revision of each and how long ago it said so; what is wrong is not told."""
    await nodes()
    async with checking() as check:
        assert check.workers is None
        seen = await check()
        assert seen.why == ""
        assert seen.latency_s is not None
        workers = check.workers or []
    assert [(each["name"], each["revision"], each["state"]) for each in workers] == [
        ("a", 7, "current"),
        ("b", 6, "behind"),
        ("c", 6, "failing"),
        ("d", None, "silent"),
    ]
    assert workers[0]["reported_s_ago"] >= 2.0
    assert "secret" not in str(workers)


async def test_it_is_asked_again_and_again() -> None:
    """And after a failure as well, at once."""
    async with checking() as check:
        assert [(await check()).why for _ in range(3)] == ["", "", ""]


async def test_who_asks_at_the_same_time_gets_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """One question is under way, however many wait; who gives up leaves the others waiting."""
    go, asked = threading.Event(), []

    def slow(newest: int | None) -> list[dict[str, Any]]:
        asked.append(newest)
        assert go.wait(10)
        return []

    monkeypatch.setattr(databasecheck, "_workers", slow)
    async with checking() as check:
        waiting = [asyncio.ensure_future(check()) for _ in range(20)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(check(), 0.05)
        assert check.workers is None
        go.set()
        found = await asyncio.gather(*waiting[1:])
        assert {each.why for each in found} == {""}
        assert len(asked) == 1


async def test_a_database_that_fails_is_told_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its reason, which names addresses; who served what is forgotten."""
    async with checking() as check:
        await check()
        with monkeypatch.context() as patched:

            def fail(_newest: int | None) -> list[dict[str, Any]]:
                raise OperationalError("no route to 10.0.0.1")

            patched.setattr(databasecheck, "_workers", fail)
            assert await check() == Seen("cannot be reached")
            assert check.workers is None
        assert (await check()).why == ""
        assert check.workers == []


async def test_who_still_waits_when_the_worker_leaves_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the database does."""
    go = threading.Event()
    monkeypatch.setattr(databasecheck, "_workers", lambda _: go.wait(10) and [])
    async with checking() as check:
        waiting = asyncio.ensure_future(check())
        await asyncio.sleep(0)
    go.set()
    assert (await asyncio.wait_for(waiting, 10)).why == "this worker leaves"
    await DatabaseCheck().stop()
