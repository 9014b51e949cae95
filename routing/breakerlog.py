"""D: Between one worker's breakers and the database: what happened goes in, what operators want comes out.

A thread of its own does both: five times a second, and when woken. While the database is away, what is known stays,
forces end by the clock all the same, and what is to be written waits in bounded memory. Other orders of operators ride
along, as passengers: one thread, one connection and one ear for all of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import Any, Final, NamedTuple, Protocol

from django.db import transaction
from django.db.models import Q

from resilience.breaker import State
from resilience.breakers import Breakers, Order, Recorded
from resilience.guard import KEPT_ERRORS, Record
from resilience.models import BreakerState, BreakerTransition
from routing.breaking import CHANNEL, release_expired
from routing.dbtext import db_text
from routing.lanes import FOLLOWING
from routing.lately import answers
from routing.models import Service
from routing.polling import FIRST_ANSWER_S, POLL_S
from routing.pruning import KEPT_FOR, KEPT_ROWS, prune_history
from routing.rowlog import RowLog

WAITING: Final = 10_000
LONGEST_ERROR: Final = 1000
_ORDERED: Final = ~Q(forced="") | Q(resets__gt=0)
_IS_ANY_ORDERED: Final = "SELECT 1 FROM resilience_breakerstate WHERE forced <> '' OR resets > 0 LIMIT 1"


Call = Callable[[Callable[[], None]], None]


class _Noted(NamedTuple):
    """A record, with the time at which it came."""

    at: float
    record: Record

    @property
    def since(self) -> datetime:
        return _moment(self.at - self.record.age_s)


class Passenger(Protocol):
    """What is looked at by the same thread. Both may raise DatabaseError: it is done again later."""

    def look(self, call: Call) -> None:
        """Reads orders and writes what is at hand; `call` has something done on the event loop."""

    def leave(self) -> None:
        """The worker ends."""


class BreakerLog(RowLog):
    """One per worker."""

    name = "breaker-log"
    what = "changes of breakers"
    complaint = "operators' orders to breakers are not seen"

    def __init__(
        self,
        breakers: Breakers,
        *,
        wall_clock: Callable[[], float] = time.time,
        poll_s: float = POLL_S,
        first_answer_s: float = FIRST_ANSWER_S,
    ) -> None:
        super().__init__(round_s=poll_s, wall_clock=wall_clock, lane=FOLLOWING)
        self._breakers = breakers
        self._first_answer_s = first_answer_s
        self._changes: deque[_Noted] = deque(maxlen=WAITING)
        self._counts: dict[str, _Noted] = {}
        self._orders: Mapping[str, Order] | None = None
        self._written: set[str] = set()
        self._passengers: list[Passenger] = []

    def carry(self, passenger: Passenger) -> None:
        """Before `start`: looks at this as well."""
        self._passengers.append(passenger)

    def listen(self, *, redis_url: str | None = None) -> None:
        """Before `start`: also be woken over PostgreSQL, if that is the database, and over Redis."""
        self._poller.listen(CHANNEL, redis_url)

    async def start(self) -> None:
        """Returns once breakers know what was recorded and ordered, or the database did not answer in time."""
        self._loop = asyncio.get_running_loop()
        self._breakers.on_record(self.note)
        self._poller.start()
        await self._poller.first_answer(self._first_answer_s)

    def note(self, record: Record) -> None:
        """Takes in what is to be written, in a few microseconds."""
        noted = _Noted(self._now(), record)
        with self._lock:
            self._counts[record.service] = noted
            if record.cause is not None:
                self.lost += len(self._changes) == WAITING
                self._changes.append(noted)
        if record.cause is not None:
            self.wake()

    # From here on: the poller's own thread.

    def flush(self) -> None:
        self._read()
        for each in self._passengers:
            each.look(self._call)
        self._write()

    def last_flush(self) -> None:
        self._write()
        for each in self._passengers:
            each.leave()

    def prune(self, now: datetime) -> bool:
        return prune(now)

    def _read(self) -> None:
        if self._orders is None:
            found = BreakerState.objects.filter(period__gt=0).values_list(
                "service", "state", "period", "since"
            )
            recorded = {
                service: Recorded(State(state), period, since.timestamp() if since else 0.0)
                for service, state, period, since in found
            }
            self._call(partial(self._breakers.restore, recorded))
        orders = _orders() if answers(_IS_ANY_ORDERED)[0] else {}
        if orders != self._orders:
            self._orders = orders
            self._call(partial(self._breakers.apply, orders))
        now = self._now()
        if any(order.forced and order.until <= now for order in orders.values()):
            release_expired(_moment(now))

    def _write(self) -> None:
        with self._lock:
            changes, counts = list(self._changes), dict(self._counts)
        gone = set(counts)

        def write() -> None:
            nonlocal gone
            with transaction.atomic():
                self._make_rows(counts)
                gone = {service for service, noted in counts.items() if not _write_counts(service, noted)}
                _write_changes(changes)

        self.keep(write, len(changes))
        self._written -= gone  # somebody deleted the row: the next look makes it again
        self._forget(changes, counts)

    def _make_rows(self, counts: Iterable[str]) -> None:
        """One for each service that has a breaker, so that it can be seen and forced before it ever fails."""
        missing = {*self._breakers.names, *counts} - self._written
        if missing:
            BreakerState.objects.bulk_create(
                [BreakerState(service=name, since=_moment(self._now())) for name in sorted(missing)],
                ignore_conflicts=True,
                batch_size=500,
            )
            self._written |= missing

    def _forget(self, changes: list[_Noted], counts: Mapping[str, _Noted]) -> None:
        """What has been written."""
        done = set(map(id, changes))
        with self._lock:
            while self._changes and id(self._changes[0]) in done:
                self._changes.popleft()
            for service, noted in counts.items():
                if self._counts.get(service) is noted:
                    del self._counts[service]

    def _call(self, function: Callable[[], None]) -> None:
        if not self._poller.stopped:
            self._loop.call_soon_threadsafe(function)


def prune(now: datetime, *, kept: int = KEPT_ROWS) -> bool:
    """Deletes some of the history that is too old or too much, and breakers of services that are long gone.

    True if there may be more of it.
    """
    gone = BreakerState.objects.exclude(service__in=Service.objects.values("name")).filter(forced="")
    gone.filter(since__lt=now - KEPT_FOR).delete()
    return prune_history(BreakerTransition, now, kept=kept)


def _orders() -> dict[str, Order]:
    columns = ("service", "forced", "forced_until", "forced_by", "reason", "resets")
    return {row[0]: _order(*row[1:]) for row in BreakerState.objects.filter(_ORDERED).values_list(*columns)}


def _order(forced: str, until: datetime | None, by: str, reason: str, resets: int) -> Order:
    return Order(State(forced) if forced else None, until.timestamp() if until else inf, by, reason, resets)


def _write_counts(service: str, noted: _Noted) -> bool:
    """False: there is no such row."""
    record = noted.record
    rows = BreakerState.objects.filter(service=service)
    known: list[Any] = rows.values_list("errors", flat=True).first() or []
    errors = {(float(at), str(why)) for at, why in known} | {
        (at, db_text(why, LONGEST_ERROR)) for at, why in record.errors
    }
    updated = rows.update(
        requests=record.requests,
        failures=record.failures,
        window_s=record.window_s,
        counted_at=_moment(noted.at),
        errors=sorted(errors)[-KEPT_ERRORS:],
    )
    return bool(updated)


def _write_changes(changes: list[_Noted]) -> None:
    last = {noted.record.service: noted for noted in changes}
    for service, noted in last.items():
        record = noted.record
        BreakerState.objects.filter(service=service, period__lte=record.period).update(
            state=record.state, period=record.period, since=noted.since, cause=record.cause
        )
    BreakerTransition.objects.bulk_create(map(_transition, changes))


def _transition(noted: _Noted) -> BreakerTransition:
    record = noted.record
    return BreakerTransition(
        service=record.service,
        at=noted.since,
        before=record.before,
        after=record.state,
        cause=record.cause or "",
        requests=record.requests,
        failures=record.failures,
    )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
