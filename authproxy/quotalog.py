"""D: What was counted of calendar quotas, recorded from a thread, and given back to a store that has lost it.

Every two seconds the counts that went up are written, as the most that any worker saw, and it is asked whether a store
wants what is recorded: at the start, and when Redis was emptied or away. No request waits for either. Who is killed
loses two seconds of counts, and only if Redis loses them as well. While the database is away, counts wait in bounded
memory.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from django.db import DatabaseError, connection

from authproxy.limiting import Limiter
from resilience.limiter import prefix_of
from resilience.models import QuotaCount, QuotaReset
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Decision, Seed, named
from resilience.stores.seeds import Seeding
from routing.breakerlog import Call
from routing.orderfeed import OrderFeed
from routing.polling import FIRST_ANSWER_S
from routing.pruning import AT_ONCE, delete_some, prune_history
from routing.rowlog import RowLog

ROUND_S: Final = 2.0
MOST_NOTED: Final = 50_000
"""Buckets that may wait to be written."""
MOST_SEEDED: Final = 50_000
"""Buckets that are given back: those of the highest counts."""
MOST_RESET: Final = 10_000
"""Buckets of which a worker knows how often they were reset."""
KEPT_ROWS: Final = 200_000
KEPT_FOR_S: Final = 3600
"""After the window's end: clocks differ."""
PRUNING_S: Final = 60.0
CALENDARS: Final = {"d": "day", "m": "month"}
_DAY_S: Final = 86_400
_CHUNK: Final = 500
_Name = tuple[str, str, str]
_Note = tuple[int, float, QuotaPolicy]
_T = TypeVar("_T")


class QuotaLog(RowLog):
    """One per worker. `note` may be called from any thread."""

    name = "quota-counts"
    what = "counts of calendar quotas"
    pruning_s = PRUNING_S

    def __init__(
        self,
        limiter: Limiter,
        seeding: Seeding,
        *,
        wall_clock: Callable[[], float] = time.time,
        round_s: float = ROUND_S,
        most: int = MOST_NOTED,
        first_answer_s: float = FIRST_ANSWER_S,
    ) -> None:
        super().__init__(round_s=round_s, wall_clock=wall_clock)
        self._limiter = limiter
        self._seeding = seeding
        self._most = most
        self._first_answer_s = first_answer_s
        self._notes: dict[_Name, _Note] = {}
        self._resets: dict[str, int] | None = None
        self._feed = OrderFeed(QuotaReset, "bucket", "number")
        self.left_out = 0
        """Counts that were not noted, because too many were waiting."""

    def note(self, charge: Charge, decision: Decision) -> None:
        """Takes a count in, in a microsecond. What an emptied store counts anew does not hide what was there."""
        policy = decision.policy
        name = policy.calendar, policy.name, charge.key
        count = policy.limit - decision.remaining
        if count > 0:
            with self._lock:
                self._keep(name, (count, self._now() + decision.reset_s, policy))

    def _keep(self, name: _Name, note: _Note) -> None:
        known = self._notes.get(name)
        if known is None and len(self._notes) >= self._most:
            self.left_out += 1
        elif known is None or note[0] > known[0] or note[1] > known[1] + _DAY_S / 2:
            self._notes[name] = note

    async def start(self) -> None:
        """Returns once the store has what is recorded, or the database did not answer in time."""
        self._loop = asyncio.get_running_loop()
        self._limiter.count = self.note
        self._poller.start()
        await self._poller.first_answer(self._first_answer_s)

    # From here on: the poller's own thread.

    def flush(self) -> list[Seed]:
        """Writes all that was noted, and returns it. Raises DatabaseError; nothing is lost by it."""
        with self._lock:
            taken, self._notes = self._notes, {}
        seeds = sorted(_seed(name, note) for name, note in taken.items())
        storable = [seed for seed in seeds if "\0" not in seed.bucket]
        self.lost += len(seeds) - len(storable)
        try:
            for begin in range(0, len(storable), _CHUNK):
                some = storable[begin : begin + _CHUNK]
                self.keep(partial(write, some, self._resets or {}), len(some))
        except BaseException:
            self._put_back(taken)
            raise
        return storable

    def _put_back(self, taken: dict[_Name, _Note]) -> None:
        """What was written all the same is written once more, which changes nothing."""
        with self._lock:
            newer, self._notes = self._notes, taken
            for name, note in newer.items():
                self._keep(name, note)

    def _look(self) -> None:
        try:
            with self._poller.asking():
                reset = self._obey()
            if reset and not self._poller.stopped:
                self._on_loop(self._seeding.forget(reset))
            with self._poller.asking():
                written = self.flush()
                self._prune()
        except DatabaseError as error:
            self._wait_for_lock(error)
            written = []
        self._seed(written)

    def prune(self, now: datetime) -> bool:
        return prune(now.timestamp())

    def _obey(self) -> list[str]:
        """Buckets that somebody had counted anew: what was noted of them is forgotten."""
        orders = self._feed.unseen()
        if self._resets is None:
            known = QuotaCount.objects.filter(resets__gt=0).order_by("-ends_s")
            self._resets = dict(known.values_list("bucket", "resets")[:MOST_RESET])
        for bucket, number in orders:
            self._resets[bucket] = number
            self._drop(bucket)
        while len(self._resets) > MOST_RESET:
            del self._resets[next(iter(self._resets))]
        return [bucket for bucket, _ in orders]

    def _drop(self, bucket: str) -> None:
        """The note of a bucket; where a digest stands for a long key, each note is looked at."""
        with self._lock:
            names = [_name_of(bucket)] if _name_of(bucket) in self._notes else list(self._notes)
        for name in names:
            if (note := self._notes.get(name)) is not None and _seed(name, note).bucket == bucket:
                with self._lock:
                    self._notes.pop(name, None)

    def _seed(self, written: Sequence[Seed]) -> None:
        if self._poller.stopped:
            return
        self._on_loop(self._seeding.remember(written))
        if self._on_loop(self._seeding.wanted()):
            with self._poller.asking():
                found = recorded(self._now())
            self._on_loop(self._seeding.give(found))

    def _on_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class ResetWatch:
    """Rides along with the BreakerLog: a QuotaLog looks at once when somebody has reset a count."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._feed = OrderFeed(QuotaReset)

    def look(self, _call: Call) -> None:
        """Five times a second."""
        if self._feed.unseen():
            self._wake()

    def leave(self) -> None:
        """Nothing is left behind."""


def write(seeds: Sequence[Seed], resets: Mapping[str, int]) -> None:
    """Adds rows, or raises them; of several workers who do so, in the same order, the highest count stays.

    `resets` says how often a bucket was reset, as far as this worker knows: a row that was reset since stays.
    """
    rows = [(*seed, resets.get(seed.bucket, 0)) for seed in seeds]
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(rows)), [value for row in rows for value in row])


def recorded(now: float, *, most: int = MOST_SEEDED) -> list[Seed]:
    """What is known of the windows that have not ended, as much as is to be given back."""
    found = QuotaCount.objects.filter(ends_s__gt=now).order_by("-count")
    return [Seed(*row) for row in found.values_list("bucket", "count", "ends_s")[:most]]


def prune(now: float, *, kept: int = KEPT_ROWS) -> bool:
    """Deletes some of the rows of past windows, and of very many those that counted least; True: there may be more."""
    rows = QuotaCount.objects.order_by("ends_s")
    more = delete_some(rows.filter(ends_s__lt=now - KEPT_FOR_S))
    if (beyond := rows.count() - kept) > 0:
        least = QuotaCount.objects.order_by("count", "pk").values_list("pk", flat=True)[
            : min(beyond, AT_ONCE)
        ]
        QuotaCount.objects.filter(pk__in=list(least)).delete()
    more |= prune_history(QuotaReset, datetime.fromtimestamp(now, UTC))
    return more or beyond > AT_ONCE


def _seed(name: _Name, note: _Note) -> Seed:
    """Calendar windows end at midnight: the nearest one, as no clock is wrong by half a day."""
    count, ends, policy = note
    return Seed(named(prefix_of(policy), name[2]), count, round(ends / _DAY_S) * _DAY_S)


def _name_of(bucket: str) -> _Name:
    """What a note is known by, whose key was short enough to stand in the name of its bucket."""
    letter, quota, key = bucket.split("|", 2)
    return CALENDARS.get(letter, ""), quota, key


def _statement(number: int) -> str:
    """Both databases understand it."""
    table = connection.ops.quote_name(QuotaCount._meta.db_table)
    rows = ", ".join(["(%s, %s, %s, %s)"] * number)
    return (
        f"INSERT INTO {table} (bucket, count, ends_s, resets) VALUES {rows} "  # noqa: S608 - the table's name
        "ON CONFLICT (bucket) DO UPDATE SET count = excluded.count, ends_s = excluded.ends_s "
        f"WHERE excluded.ends_s > {table}.ends_s "
        f"OR (excluded.ends_s = {table}.ends_s AND excluded.resets >= {table}.resets "
        f"AND excluded.count > {table}.count)"
    )
