"""The queue between requests and those who count them."""

import asyncio
import logging

import pytest

from observability.traffic.recorder import TURN, Batch, Recorder
from tests.support.exchanges import exchange


class Kept:
    """A sink."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.told = asyncio.Event()

    def take(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.told.set()

    @property
    def ids(self) -> list[bytes]:
        return [record.request_id for batch in self.batches for record in batch.records]


class Broken:
    def take(self, _batch: Batch) -> None:
        raise ValueError("no room")


def ended(request_id: str = "a"):
    return exchange(headers=[(b"x-request-id", request_id.encode())])


async def test_sinks_are_told_in_order_and_in_turns() -> None:
    recorder, kept = Recorder(), Kept()
    recorder.subscribe(kept)
    one = ended()
    for number in range(TURN + 1):
        one.request_id = b"%d" % number
        recorder.note(one)

    assert (recorder.drain(), recorder.drain(), recorder.drain()) == (TURN, 1, 0)
    assert kept.ids == [b"%d" % number for number in range(TURN + 1)]


async def test_moments_become_epoch_seconds() -> None:
    recorder, kept = Recorder(clock=lambda: 7.0, wall=lambda: 1_000_007.0), Kept()
    recorder.subscribe(kept)
    recorder.note(ended())
    recorder.drain()

    assert kept.batches[0].offset_s + kept.batches[0].records[0].ended == 1_000_007.0


async def test_what_does_not_fit_is_counted() -> None:
    recorder, kept = Recorder(most=2), Kept()
    recorder.subscribe(kept)
    for name in "abc":
        recorder.note(ended(name))
    recorder.drain()
    recorder.note(ended("d"))
    recorder.drain()

    assert kept.ids == [b"a", b"b", b"d"]
    assert recorder.dropped == 1


async def test_a_sink_that_fails_hinders_no_other(caplog: pytest.LogCaptureFixture) -> None:
    recorder, kept = Recorder(), Kept()
    recorder.subscribe(Broken())
    recorder.subscribe(kept)
    recorder.note(ended())
    with caplog.at_level(logging.ERROR):
        recorder.drain()

    assert kept.ids == [b"a"]
    assert "Broken could not take" in caplog.text


async def test_they_are_told_soon_and_the_last_ones_at_the_end() -> None:
    recorder, kept = Recorder(), Kept()
    recorder.subscribe(kept)
    recorder.start()
    recorder.note(ended("a"))
    await asyncio.wait_for(kept.told.wait(), 5)
    recorder.note(ended("b"))
    recorder.stop()

    assert kept.ids == [b"a", b"b"]
