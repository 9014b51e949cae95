"""I: Measures how long something takes on a machine that does nothing else, on one that does.

A process of its own ticks as often as it can. What a tick takes beyond its usual time the machine kept every process
waiting, so it is left out of what is measured.
"""

import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable
from itertools import pairwise
from pathlib import Path
from typing import Self

SLEEP_S = 0.005
WORK_S = 0.001  # of processor time: who only sleeps is served before those who work
LONGEST_S = 0.010  # a quiet machine's tick, amply
TICK = struct.Struct("d")


class Stopwatch:
    """While it is entered it measures; a quiet machine's seconds are seconds."""

    def __enter__(self) -> Self:
        self._file = tempfile.NamedTemporaryFile()
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-IS", __file__], stdin=subprocess.PIPE, stdout=self._file
        )
        while not self._ticks() and self._process.poll() is None:
            time.sleep(SLEEP_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._file.close()

    def between(self, began: float, ended: float) -> float:
        """Seconds from one moment of the wall clock to another, not counting those in which the machine was busy."""
        ticks = [*self._ticks(), time.time()]
        assert ticks[0] <= began, "it was not entered in time"
        return sum(
            min(after - before, LONGEST_S) * overlap(before, after, began, ended)
            for before, after in pairwise(ticks)
            if after > before
        )

    def since(self, began: float) -> float:
        return self.between(began, time.time())

    async def of(self, work: Awaitable[object]) -> float:
        """Seconds that it takes from now on."""
        began = time.time()
        await work
        return self.since(began)

    def _ticks(self) -> list[float]:
        written = Path(self._file.name).read_bytes()
        return [at for (at,) in TICK.iter_unpack(written[: len(written) // TICK.size * TICK.size])]


def overlap(before: float, after: float, began: float, ended: float) -> float:
    """How much of a tick lies between two moments, from 0 to 1."""
    return max(0.0, min(after, ended) - max(before, began)) / (after - before)


def tick() -> None:
    """Writes the time again and again, until its standard input ends."""
    while not select.select([0], [], [], SLEEP_S)[0]:
        worked_until = time.process_time() + WORK_S
        while time.process_time() < worked_until:
            pass
        os.write(1, TICK.pack(time.time()))


if __name__ == "__main__":
    tick()
