"""The queue between requests and those who count them."""

import asyncio
import gc
import logging
import weakref

import pytest

from authproxy.exchange import Exchange
from observability.traffic import recorder as recorder_module
from observability.traffic.alikes import Seen
from observability.traffic.recorder import CELLS, GATHER, TURN, Batch, Recorder
from tests.support.exchanges import exchange


class Kept:
    """A watcher and a sink."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.moments: list[float] = []
        self.batches: list[Batch] = []
        self.seen = asyncio.Event()
        self.told = asyncio.Event()

    def see(self, seen: Seen) -> None:
        assert len(seen.exchanges) == len(seen.alikes)
        self.ids += [each.request_id for each in seen.exchanges]
        self.moments += [each.ended + seen.offset_s for each in seen.exchanges]
        self.seen.set()

    def take(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.told.set()


class Broken:
    def see(self, _seen: Seen) -> None:
        raise ValueError("no room")

    def take(self, _batch: Batch) -> None:
        raise ValueError("no room")


def ended(request_id: str = "a"):
    return exchange(headers=[(b"x-request-id", request_id.encode())])


def heard_by(recorder: Recorder) -> Kept:
    kept = Kept()
    recorder.watch(kept)
    recorder.subscribe(kept)
    return kept


async def test_they_are_seen_in_order_and_in_turns() -> None:
    recorder = Recorder()
    kept = heard_by(recorder)
    for number in range(TURN + 1):
        recorder.note(ended(str(number)))

    assert (recorder.drain(), recorder.drain(), recorder.drain()) == (TURN, 1, 0)
    assert kept.ids == [b"%d" % number for number in range(TURN + 1)]
    assert [batch.number for batch in kept.batches] == [TURN, 1]
    assert [cell.count for batch in kept.batches for cell in batch.folded.cells.values()] == [TURN, 1]


def spread(number: int) -> list[Exchange]:
    """As many kinds of requests."""
    made = [ended(str(each)) for each in range(number)]
    for each, one in enumerate(made):
        one.service = f"service {each}"
    return made


def cells_of(kept: Kept) -> list[int]:
    return [len(batch.folded.cells) for batch in kept.batches]


async def test_of_many_kinds_few_are_told_in_a_turn() -> None:
    """Of ten thousand routes all at once, the loop would stand still; what is asked for meanwhile goes on."""
    recorder = Recorder()
    kept = heard_by(recorder)
    for one in spread(2 * CELLS + 1):
        recorder.note(one)
    while recorder.drain():
        pass

    assert max(cells_of(kept)) == CELLS
    assert sum(cells_of(kept)) == sum(batch.number for batch in kept.batches) == 2 * CELLS + 1


async def test_the_rest_of_them_is_told_in_the_next_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other callbacks have their turns in between."""
    monkeypatch.setattr(recorder_module, "SETTLE_S", 0.0)
    recorder = Recorder()
    kept = heard_by(recorder)
    turns: list[list[int]] = []
    recorder.start()
    for one in spread(3 * CELLS):
        recorder.note(one)
    while sum(cells_of(kept)) < 3 * CELLS:
        await asyncio.sleep(0)
        turns.append(cells_of(kept))
    recorder.stop()

    assert cells_of(kept) == [CELLS] * 3
    assert [CELLS] in turns
    assert [CELLS] * 2 in turns


async def test_moments_become_epoch_seconds() -> None:
    recorder = Recorder(clock=lambda: 7.0, wall=lambda: 1_000_007.0)
    kept = heard_by(recorder)
    recorder.note(ended())
    recorder.drain()

    assert kept.moments == [kept.batches[0].at] == [1_000_007.0]


async def test_what_does_not_fit_is_counted() -> None:
    recorder = Recorder(most=2)
    kept = heard_by(recorder)
    for name in "abc":
        recorder.note(ended(name))
    recorder.drain()
    recorder.note(ended("d"))
    recorder.drain()

    assert kept.ids == [b"a", b"b", b"d"]
    assert recorder.dropped == 1


async def test_one_that_fails_hinders_no_other(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    recorder.watch(Broken())
    recorder.subscribe(Broken())
    kept = heard_by(recorder)
    recorder.note(ended())
    with caplog.at_level(logging.ERROR):
        recorder.drain()

    assert (kept.ids, len(kept.batches)) == ([b"a"], 1)
    assert caplog.text.count("Broken could not take") == 2


async def test_they_are_seen_soon_told_later_and_the_last_ones_at_the_end() -> None:
    """More than a turn's worth as well."""
    recorder = Recorder()
    kept = heard_by(recorder)
    recorder.start()
    one = ended()
    for _ in range(TURN + 1):
        recorder.note(one)
    await asyncio.wait_for(kept.seen.wait(), 5)
    assert not kept.batches
    await asyncio.wait_for(kept.told.wait(), 5)
    assert sum(batch.number for batch in kept.batches) == TURN + 1
    recorder.note(ended("b"))
    recorder.stop()

    assert kept.ids[TURN:] == [b"a", b"b"]
    assert kept.batches[-1].number == 1


async def test_so_many_are_looked_at_together() -> None:
    """One less waits until some time has passed."""
    recorder = Recorder()
    kept = heard_by(recorder)
    recorder.start()
    for number in range(GATHER - 1):
        recorder.note(ended(str(number)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    before = len(kept.ids)
    recorder.note(ended("last"))
    await asyncio.wait_for(kept.seen.wait(), 5)
    recorder.stop()

    assert (before, len(kept.ids)) == (0, GATHER)


async def test_one_that_cannot_be_sorted_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "SETTLE_S", 0.0)
    failed = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: failed.set())
    recorder = Recorder()
    kept = heard_by(recorder)
    recorder.start()
    broken = ended("broken")
    broken.head.content_length = b"x"
    recorder.note(broken)
    await asyncio.wait_for(failed.wait(), 5)
    recorder.note(ended("a"))
    await asyncio.wait_for(kept.told.wait(), 5)
    recorder.stop()

    assert kept.ids == [b"a"]
    assert sum(batch.number for batch in kept.batches) >= 1


async def test_nothing_of_a_request_is_kept() -> None:
    """Its memory is free for the next one: that is half of what watching would cost."""
    recorder = Recorder()
    heard_by(recorder)
    one = ended()
    connection = weakref.ref(one.send)
    recorder.note(one)
    recorder.drain()
    del one
    gc.collect()

    assert connection() is None
