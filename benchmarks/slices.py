"""I: Two loads beside each other in short slices that alternate: what a machine does meanwhile, it does to both.

Each load has a wrk of its own, whose connections stay open; it is stopped (SIGSTOP) while the other has its turn. A
slice ends when the gateway has answered all that was asked in it, so that its requests and its CPU time are known
exactly.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks import paired, proc
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy
from benchmarks.measure import Load, finished, generating
from benchmarks.paired import Block, Comparison
from benchmarks.upstream import Upstream

SLICE_REQUESTS = 3000
BLOCKS_A_ROUND = 8
_POLL_S = 0.005
_QUIET_S = 0.15
"""Longer than the gateway puts off what it notes of a request."""
_AWAKE_S = 0.1
"""Until all of wrk runs again: an interrupt before that may reach the thread that does not wait for it."""
_LIMIT_S = 30.0
_LONGEST_RUN_S = 600


@dataclass(frozen=True, slots=True)
class Side:
    """One load on one gateway. `before`: requests that are not counted, with which it begins."""

    proxy: Proxy
    load: Load
    before: int = SLICE_REQUESTS


class Compared(NamedTuple):
    """By the time of all threads, and by that of the event loops alone: what a request waits for."""

    whole: Comparison
    loops: Comparison


class _Turns:
    """A load that is held, and goes on for one slice at a time."""

    def __init__(self, side: Side, process: "subprocess.Popen[str]", upstream: Upstream) -> None:
        self._pid = side.proxy.child.pid
        self._process = process
        self._upstream = upstream

    def slice(self, requests: int) -> tuple[float, float]:
        """CPU microseconds per request, and those of the event loop alone. Begins and ends idle."""
        cpu_us, loops_us, asked = proc.cpu_us(self._pid), proc.loops_us(self._pid), self._upstream.requests()
        self._process.send_signal(signal.SIGCONT)
        self._await(lambda: self._upstream.requests() - asked >= requests, pause_s=_POLL_S)
        self.hold()
        answered = self._upstream.requests() - asked
        return (proc.cpu_us(self._pid) - cpu_us) / answered, (proc.loops_us(self._pid) - loops_us) / answered

    def hold(self) -> None:
        """Stops it, and waits until what it has asked is answered."""
        self._process.send_signal(signal.SIGSTOP)
        seen = self._upstream.requests()

        def is_quiet() -> bool:
            nonlocal seen
            seen, last = self._upstream.requests(), seen
            return seen == last

        self._await(is_quiet, pause_s=_QUIET_S)

    def errors(self) -> int:
        self._process.send_signal(signal.SIGCONT)
        time.sleep(_AWAKE_S)
        return finished(self._process).errors

    def _await(self, is_done: Callable[[], bool], *, pause_s: float) -> None:
        until = time.monotonic() + _LIMIT_S
        while True:
            time.sleep(pause_s)
            if self._process.poll() is not None:
                raise BenchmarkError("wrk ended before its time")
            if is_done():
                return
            if time.monotonic() > until:
                raise BenchmarkError("a slice of load does not come to its end")


def compare(
    own: Side,
    base: Side,
    *,
    upstream: Upstream,
    core: int | None,
    blocks: int = BLOCKS_A_ROUND,
    requests: int = SLICE_REQUESTS,
) -> Compared:
    """So many blocks of slices of so many requests, or a few more."""
    whole: list[Block] = []
    loops: list[Block] = []
    with contextlib.ExitStack() as stack:
        # The one that takes longest to begin goes first: wrk would call an answer late that waits until then.
        begun = sorted(enumerate((own, base)), key=lambda side: side[1].before, reverse=True)
        turns = {at: stack.enter_context(_held(side, upstream, core)) for at, side in begun}
        for number in range(blocks):
            order = paired.ORDERS[number % len(paired.ORDERS)]
            costs = [(side, turns[side].slice(requests)) for side in order]
            whole.append(paired.block([(side, cost[0]) for side, cost in costs]))
            loops.append(paired.block([(side, cost[1]) for side, cost in costs]))
        errors = sum(each.errors() for each in turns.values())
        return Compared(Comparison(tuple(whole), errors), Comparison(tuple(loops), errors))


@contextlib.contextmanager
def _held(side: Side, upstream: Upstream, core: int | None) -> Iterator[_Turns]:
    """A load whose connections are open and were used."""
    with generating(side.proxy.url, side.load, core=core, limit_s=_LONGEST_RUN_S) as process:
        turns = _Turns(side, process, upstream)
        turns.slice(side.before)
        yield turns
