"""D: Between one worker's canaries and the database: counts go in, where canaries stand comes out.

It has no thread: it rides along with the BreakerLog's. While the database is away, canaries keep the share that they
have, and counts wait in the tallies that they are made in.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from resilience.canaries import NOTHING, Canaries, Counts, Tally
from resilience.canary import Standing
from resilience.models import CanaryEvent
from resilience.models import CanaryState as Row
from routing.breakerlog import Call
from routing.canarying import ENDED, advance, begin, end_others
from routing.pruning import prune_history

ROUND_S: Final = 1.0
PRUNING_S: Final = 3600.0
_COLUMNS: Final = ("route", "mark", "revision", "period", "step", "stage", "since", "reason")


class CanaryLog:
    """One per worker."""

    def __init__(self, canaries: Canaries, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._canaries = canaries
        self._now = wall_clock
        self._ended_at = -1
        self._told: dict[str, tuple[int, Standing]] = {}
        self._sent: dict[str, tuple[Tally, Counts, Counts]] = {}
        self._round_at = 0.0
        self._prune_at = 0.0

    # From here on: the thread that it rides on.

    def look(self, call: Call) -> None:
        """Where canaries stand, five times a second; once a second, what was counted."""
        revision, wanted = self._canaries.revision, self._canaries.wanted
        if revision != self._ended_at:
            end_others(set(wanted), revision, self._now())
            self._told.clear()
            self._ended_at = revision
        if not wanted:
            return
        self._read(call)
        if (now := self._now()) >= self._round_at:
            self._round_at = now + ROUND_S
            self._write(now)
        if now >= self._prune_at:
            more = prune_history(CanaryEvent, datetime.fromtimestamp(now, UTC))
            self._prune_at = now if more else now + PRUNING_S

    def leave(self) -> None:
        """What was counted last."""
        self._write(self._now())

    def _read(self, call: Call) -> None:
        wanted, revision = self._canaries.wanted, self._canaries.revision
        rows = {row[0]: row[1:] for row in Row.objects.exclude(stage=ENDED).values_list(*_COLUMNS)}
        for route, each in wanted.items():
            row: Any = rows.get(route)
            if row is None or (row[0] != each.mark and row[1] < revision):
                begin(route, each, revision, self._now())
                continue  # the next look finds it
            mark, _, period, step, stage, since, reason = row
            standing = Standing(since.timestamp(), step, stage, reason)
            if mark == each.mark and self._told.get(route) != (period, standing):
                self._told[route] = (period, standing)
                call(partial(self._canaries.stand, route, mark, standing, period))

    def _write(self, now: float) -> None:
        """What was counted since the last time, of the steps that go on; and what is due without anything new."""
        sent = self._sent
        self._sent = {}
        for route, (period, tally) in self._canaries.tallies().items():
            before = sent.get(route)
            _, canary, others = (
                before if before is not None and before[0] is tally else (tally, NOTHING, NOTHING)
            )
            now_canary, now_others = tally.canary.counts(), tally.others.counts()
            self._sent[route] = (tally, canary, others)
            if period < 0 or not (self._is_due(route, now) or (now_canary, now_others) != (canary, others)):
                continue
            advance(route, period, now_canary.plus(canary, -1), now_others.plus(others, -1), now)
            self._sent[route] = (tally, now_canary, now_others)

    def _is_due(self, route: str, now: float) -> bool:
        told = self._told.get(route)
        wanted = self._canaries.wanted.get(route)
        if told is None or wanted is None or told[1].stage != "running":
            return False
        return now - told[1].since >= wanted.policy.every_s
