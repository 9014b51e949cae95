"""The registry swaps whole snapshots, keeps the old one on failure, and lets the loop go on."""

import asyncio
import time
from collections.abc import Generator
from typing import Any

import pytest

from routing.compiler import CompileOptions
from routing.document.canonical import digest
from routing.registry import Registry, in_turns
from routing.revision import RevisionRecord
from routing.snapshot import Snapshot
from tests.support.configuration import large, small


def record(number: int, document: dict[str, Any]) -> RevisionRecord:
    return RevisionRecord(number=number, digest=digest(document), document=document)


def registry() -> Registry:
    return Registry(CompileOptions())


async def test_a_revision_is_served_once_it_compiles() -> None:
    """Listeners hear of the swap, with the old and the new."""
    one = registry()
    heard: list[tuple[int | None, int]] = []
    one.subscribe(lambda old, new: heard.append((old and old.revision, new.revision)))
    assert one.current is None
    assert await one.offer(record(1, small()))
    assert await one.offer(record(2, small(9)))
    assert one.current is not None
    assert one.current.revision == 2
    assert heard == [(None, 1), (1, 2)]
    assert one.state().revision == 2
    assert one.state().since_s == pytest.approx(time.time(), abs=5)


async def test_offering_what_is_served_does_nothing() -> None:
    """The same revision is not compiled twice."""
    one = registry()
    await one.offer(record(1, small()))
    before = one.current
    assert await one.offer(record(1, small()))
    assert one.current is before


async def test_an_older_number_can_be_served() -> None:
    """A database that was restored from a backup counts from an earlier number."""
    one = registry()
    await one.offer(record(7, small()))
    assert await one.offer(record(2, small(9)))
    assert one.current is not None
    assert one.current.revision == 2


async def test_a_revision_that_does_not_compile_changes_nothing() -> None:
    """The old one is served on, and the report says why."""
    one = registry()
    await one.offer(record(1, small()))
    broken = {**small(), "routes": [{"name": "r", "service": "ordrs"}]}
    assert not await one.offer(record(2, broken))
    assert one.current is not None
    assert one.current.revision == 1
    assert "revision 2" in one.state().error
    assert "ordrs" in one.state().error
    await one.offer(record(3, small(9)))
    assert one.state().error == ""


async def test_a_key_of_a_newer_version_changes_nothing() -> None:
    """While nodes are replaced one by one: what this version does not know is not served without it."""
    one = registry()
    await one.offer(record(1, small()))
    routes = [{**small()["routes"][0], "of_tomorrow": {"on": True}}, *small()["routes"][1:]]
    assert not await one.offer(record(2, {**small(), "routes": routes}))
    assert one.current is not None
    assert one.current.revision == 1
    assert "routes[0].of_tomorrow: unknown key" in one.state().error


async def test_a_failing_hook_is_no_different() -> None:
    """Also an error that nobody foresaw keeps the old revision and is told."""

    def fail(_route: object) -> None:
        raise ZeroDivisionError("boom")

    one = Registry(CompileOptions(prepare_route=fail))
    assert not await one.offer(record(1, small()))
    assert one.current is None
    assert "ZeroDivisionError: boom" in one.error


async def test_a_failing_listener_does_not_stop_the_others() -> None:
    """Each listener is told."""
    one = registry()
    heard: list[Snapshot] = []

    def fail(_old: Snapshot | None, _new: Snapshot) -> None:
        raise RuntimeError

    one.subscribe(fail)
    one.subscribe(lambda _old, new: heard.append(new))
    assert await one.offer(record(1, small()))
    assert len(heard) == 1


async def test_offers_at_once_are_taken_one_after_the_other() -> None:
    """Two compilations never interleave."""
    one = registry()
    swaps: list[int] = []
    one.subscribe(lambda _old, new: swaps.append(new.revision))
    await asyncio.gather(*(one.offer(record(number, large(50))) for number in (1, 2, 3)))
    assert swaps == [1, 2, 3]


async def test_the_loop_gets_turns_while_compiling() -> None:
    """Something else on the loop runs many times during one large compilation."""
    one = registry()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert await one.offer(record(1, large(400)))
    counting.cancel()
    assert turns > 10


async def test_a_turn_ends_when_its_time_is_used() -> None:
    """Steps that take no time share a turn; a slow step ends it."""
    seen: list[str] = []

    def steps(pause_s: float) -> Generator[None, None, str]:
        for _ in range(3):
            seen.append("step")
            time.sleep(pause_s)
            yield
        return "done"

    async def other() -> None:
        while True:
            seen.append("other")
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert await in_turns(steps(0.002), turn_s=0.001) == "done"
    assert seen == ["step", "other", "step", "other", "step", "other"]
    seen.clear()
    assert await in_turns(steps(0.0), turn_s=10.0) == "done"
    assert seen == ["step", "step", "step"]
    task.cancel()
