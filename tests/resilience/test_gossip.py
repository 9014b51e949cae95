"""What is told, when, and that nothing is lost while the store is away."""

import asyncio
from collections.abc import Callable, Iterable

from resilience.gossip import OLD_S, PAUSE_S, Gossip
from resilience.health import Standing
from resilience.stores.breakers import StoreAway
from resilience.verdicts import Verdict
from tests.support.virtualtime import clock, in_virtual_time


def verdict(target: str, at: float = 0.0) -> Verdict:
    return Verdict("shop", target, "me", Standing(True, at, 1, True, at=at or clock()))


class Memory:
    """Shared verdicts in memory, with an outage at will."""

    def __init__(self) -> None:
        self.is_up = True
        self.mood = "well"
        self.kept: dict[str, Verdict] = {}
        self.told: list[tuple[float, list[str]]] = []
        self.is_stopped = False
        self.pause_s = 0.0

    def listen(self, hear: Callable[[list[Verdict]], None], when_up: Callable[[], None]) -> None:
        self.hear, self.when_up = hear, when_up

    async def stop(self) -> None:
        self.is_stopped = True

    async def tell(self, verdicts: list[Verdict]) -> None:
        await asyncio.sleep(self.pause_s)
        if self.mood != "well":
            raise StoreAway("away")
        if verdicts:
            self.told.append((clock(), sorted(each.target for each in verdicts)))
        self.kept |= {each.field: each for each in verdicts}

    async def forget(self, fields: Iterable[str]) -> None:
        for field in fields:
            self.kept.pop(field, None)

    async def remembered(self) -> list[Verdict]:
        return list(self.kept.values())


class Bench:
    def __init__(self) -> None:
        self.memory = Memory()
        self.adopted: list[tuple[list[str], bool]] = []
        self.gossip = Gossip(
            self.memory,  # type: ignore[arg-type]
            lambda verdicts, is_news: self.adopted.append(([each.target for each in verdicts], is_news)),
            wall_clock=clock,
        )
        self.gossip.start()

    @property
    def told(self) -> list[list[str]]:
        return [targets for _, targets in self.memory.told]


@in_virtual_time
async def test_changes_are_told_at_once_with_all_that_waits() -> None:
    """Everything else once a second, together."""
    bench = Bench()
    began = clock()
    for name in "ab":
        bench.gossip.tell(verdict(name), at_once=False)
    await asyncio.sleep(0.5)
    assert bench.told == []
    await asyncio.sleep(PAUSE_S)
    assert bench.memory.told == [(began + PAUSE_S, ["a", "b"])]
    bench.gossip.tell(verdict("a"), at_once=False)
    bench.gossip.tell(verdict("c"), at_once=True)
    await asyncio.sleep(0.001)
    assert bench.told[1:] == [["a", "c"]]
    await asyncio.sleep(10)
    assert len(bench.told) == 2
    await bench.gossip.stop()


@in_virtual_time
async def test_a_change_does_not_wait_behind_what_is_being_told() -> None:
    """It goes right after."""
    bench = Bench()
    bench.memory.pause_s = 0.05
    bench.gossip.tell(verdict("a"), at_once=True)
    await asyncio.sleep(0.01)
    began = clock()
    bench.gossip.tell(verdict("b"), at_once=True)
    await asyncio.sleep(0.5)
    assert bench.told == [["a"], ["b"]]
    assert bench.memory.told[1][0] - began < 0.11
    await bench.gossip.stop()


@in_virtual_time
async def test_nothing_is_lost_while_the_store_is_away() -> None:
    """Of each target the latest is told when it is back; what was to be forgotten is."""
    bench = Bench()
    bench.memory.kept["shop gone"] = verdict("gone")
    for mood, is_up in (("away", True), ("well", False)):
        bench.memory.mood, bench.memory.is_up = mood, is_up
        bench.gossip.tell(verdict("a"), at_once=True)
        bench.gossip.changed(new=True, gone=[("shop", "gone")])
        await asyncio.sleep(5)
        bench.gossip.tell(verdict("b"), at_once=False)
        await asyncio.sleep(5)
    assert bench.told == []
    bench.memory.mood, bench.memory.is_up = "well", True
    await asyncio.sleep(PAUSE_S + 0.01)
    assert bench.told == [["a", "b"]]
    assert bench.memory.kept.keys() == {"shop a", "shop b"}
    assert bench.adopted == [(["a", "b"], False)]
    await bench.gossip.stop()


@in_virtual_time
async def test_what_others_knew_is_read_when_it_may_help() -> None:
    """When the store can be used (again), and when there are new targets."""
    bench = Bench()
    bench.memory.kept["shop a"] = verdict("a")
    bench.memory.when_up()
    await asyncio.sleep(0.01)
    bench.gossip.changed(new=True, gone=[])
    await asyncio.sleep(0.01)
    bench.gossip.changed(new=False, gone=[])
    await asyncio.sleep(10)
    bench.memory.hear([verdict("b")])

    assert bench.adopted == [(["a"], False), (["a"], False), (["b"], True)]
    await bench.gossip.stop()


@in_virtual_time
async def test_what_nobody_checks_is_forgotten() -> None:
    """At once when a target goes, and its last word is not told; after an hour in any case."""
    bench = Bench()
    bench.memory.kept = {"shop old": verdict("old", at=clock() - OLD_S - 1), "shop a": verdict("a")}
    bench.gossip.tell(verdict("a"), at_once=False)
    bench.gossip.changed(new=True, gone=[("shop", "a")])
    await asyncio.sleep(5)
    assert (bench.told, bench.memory.kept) == ([], {})
    bench.gossip.changed(new=False, gone=[("shop", "b")])
    bench.gossip.tell(verdict("b"), at_once=True)
    await asyncio.sleep(5)
    assert bench.memory.kept.keys() == {"shop b"}
    await bench.gossip.stop()


@in_virtual_time
async def test_stopping_tells_nothing_more() -> None:
    """Whether something was about to be told, or on its way."""
    for pause_s, wait_s in ((0.0, 0.0), (5.0, 1.0)):
        bench = Bench()
        bench.memory.pause_s = pause_s
        bench.gossip.tell(verdict("a"), at_once=True)
        await asyncio.sleep(wait_s)
        await bench.gossip.stop()
        bench.gossip.tell(verdict("b"), at_once=True)
        await asyncio.sleep(10)
        assert bench.told in ([], [["a"]])
        assert bench.memory.is_stopped
