"""One worker's part in the metrics of its node."""

import asyncio
import os
from pathlib import Path

import pytest

from observability.metrics import catalogue as names
from observability.metrics.metering import LAG_S, Metering
from observability.metrics.samples import PLACES, ROWS, Samples, unpacked
from observability.metrics.shelf import Life, Shelf, life_of
from tests.support.records import batch, ended

LIFE = life_of(os.getpid()) or Life(0, "0")
KEY = ("a", "", "GET", "200")


def metering(var: Path, name: str = "1") -> Metering:
    return Metering(var, shelf=Shelf(var, life=LIFE, name=name))


def serve(worker: Metering, number: int = 1) -> None:
    worker.counting.take(batch(*[ended("a")] * number))


async def gathered(worker: Metering) -> Samples:
    return await asyncio.to_thread(worker.gather)


async def test_whoever_is_asked_answers_for_all(tmp_path: Path) -> None:
    """And who is asked next never says less than who was asked before."""
    one, other = metering(tmp_path, "1"), metering(tmp_path, "2")
    await one.start()
    await other.start()
    serve(one, 2)
    found = [await gathered(one)]
    serve(other, 3)
    found += [await gathered(other), await gathered(one)]
    serve(other, 4)
    await other.stop()
    found.append(await gathered(one))
    await one.stop()

    assert [each.get(names.REQUESTS, *KEY) for each in found] == [2, 5, 5, 9]
    assert [each.get(names.WORKERS) for each in found] == [2, 2, 2, 1]


async def test_a_scrape_rests_for_every_few_rows(tmp_path: Path) -> None:
    """Whatever is done with them: of this worker they are taken, written, added and freed; another's are read twice,
    as lines and as rows, and added."""
    rests: list[None] = []
    one = Metering(
        tmp_path, shelf=Shelf(tmp_path, life=LIFE, name="1"), pace=lambda: lambda: rests.append(None)
    )
    other = metering(tmp_path, "2")
    await one.start()
    many = [ended(f"r{number}") for number in range(10 * ROWS)]
    for worker in (one, other):
        worker.counting.take(batch(*many))
    await other.start()
    rests.clear()
    await gathered(one)
    await other.stop()
    await one.stop()

    series = (names.REQUESTS, names.DURATION, names.RECEIVED, names.SENT)
    assert len(rests) >= (4 + 3) * len(series) * 10


async def test_the_loop_s_lag_is_measured(tmp_path: Path) -> None:
    """Four times a second."""
    one = metering(tmp_path)
    await one.start()
    await asyncio.sleep(1.1 * LAG_S)
    await one.stop()
    value = one.samples().get(names.LAG)

    assert isinstance(value, bytes)
    assert sum(unpacked(value)[:PLACES]) == 1


async def test_a_full_disk_is_counted_and_hides_nothing_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once said, not once a second."""
    (tmp_path / "metrics").write_text("in the way")
    one = metering(tmp_path)
    await one.start()
    serve(one, 2)
    found = [await gathered(one) for _ in range(3)][-1]
    await one.stop()

    assert found.get(names.REQUESTS, *KEY) == 2
    assert found.get(names.WORKERS) == 1
    assert isinstance(lost := found.get(names.DROPPED, "metrics_files"), int)
    assert lost >= 1
    assert len([each for each in caplog.records if "do not learn" in each.message]) == 1


async def test_a_source_that_fails_keeps_nobody_from_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_into: Samples) -> None:
        raise RuntimeError("changed meanwhile")

    one = metering(tmp_path)
    one.read(broken)
    one.read(lambda into: into.put(names.ROUTES, 7))

    assert one.samples().get(names.ROUTES) == 7
    assert "could not be read" in caplog.text


def test_the_age_of_the_configuration(tmp_path: Path) -> None:
    """Is of the moment of the scrape."""
    one = Metering(tmp_path, wall=lambda: 1000.0)
    one.read(lambda into: into.put(names.REVISION_SINCE, 940.0))

    assert one.gather().get(names.REVISION_AGE) == 60.0
