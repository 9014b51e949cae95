"""D: One worker's requests, written down from a thread of its own: no request waits for it, nor for its database.

    requests ──▶ chosen ──▶ waiting (bounded) ──▶ every ROUND_S: masked, rows
            └─▶ what policies in mode log would have refused: sums ──▶ added to rows

While the database is away, the newest wait and the oldest are left out. Rows are bounded by number and by age.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from django.db import Error, transaction

from observability.models import KeptRequest, WouldRefuse
from observability.requests.choosing import Choice
from observability.requests.kept import Kept, kept_of
from observability.requests.masking import Masking
from observability.requests.wouldsums import Key, Sum, WouldSums, digest
from observability.rows import requests as rows
from observability.traffic.alikes import Seen
from observability.traffic.record import Record, record_of
from observability.traffic.recorder import Batch
from resilience.rows.targets import NODE_LENGTH, URL_LENGTH
from routing.dbtext import db_text
from routing.pruning import delete_some, prune_history
from routing.rowlog import RowLog
from routing.rows.base import NAME_LENGTH

ROUND_S: Final = 1.0
MOST_WAITING: Final = 5000
PRUNING_S: Final = 30.0
WOULD_KEPT_FOR: Final = timedelta(days=30)
WOULD_KEPT: Final = 20_000
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept, and for how long: per second of a worker; rows of all workers."""

    faults_per_s: float = 50.0
    samples_per_s: float = 10.0
    rows: int = 100_000
    kept_for: timedelta = timedelta(days=7)


class RequestLog(RowLog):
    """One per worker; a watcher of the recorder, which chooses, and a sink, which hands over what was chosen."""

    name = "request-log"
    what = "requests that are kept for staff"
    pruning_s = PRUNING_S

    def __init__(
        self,
        bounds: Bounds,
        *,
        node: str,
        masking: Masking,
        random: Random,
        wall_clock: Callable[[], float] = time.time,
        round_s: float = ROUND_S,
    ) -> None:
        super().__init__(round_s=round_s, wall_clock=wall_clock)
        self.bounds = bounds
        self._node = node[:NODE_LENGTH]
        self.masking = masking
        self.choice = Choice(
            faults_per_s=bounds.faults_per_s, samples_per_s=bounds.samples_per_s, random=random.random
        )
        self._waiting: deque[tuple[Record, float]] = deque()
        self._would = WouldSums()
        self._offset_s = 0.0
        self.dropped = 0
        """Requests that were chosen, and pushed out by newer ones before they could be written."""

    @property
    def left_out(self) -> int:
        """Of what went wrong, what nobody will find here: of too many in a second, or while the database was away."""
        return self.choice.faults_left_out + self.dropped + self._would.left_out

    def see(self, seen: Seen) -> None:
        """On the event loop, less than a microsecond for each request."""
        self._offset_s = seen.offset_s
        if self.choice.see(seen):  # else there is none that a policy would have refused
            would = [record_of(exchange) for exchange in seen.exchanges if exchange.would]
            if would:
                with self._lock:
                    for record in would:
                        self._would.note(record, seen.offset_s)

    def take(self, _batch: Batch | None = None) -> None:
        """The thread gets what was chosen."""
        chosen = self.choice.take()
        with self._lock:
            self._waiting.extend((record, self._offset_s) for record in chosen)
            self._bound()

    def start(self) -> None:
        """Begins to write, on the running event loop."""
        self._poller.start()

    # From here on: the poller's own thread.

    def flush(self) -> None:
        """Writes all that waits. Raises DatabaseError; nothing is lost by it but what no longer fits."""
        while self._flush_some():
            pass
        self._flush_sums()

    def prune(self, now: datetime) -> bool:
        """Rows that are too old or too many."""
        more = prune_history(KeptRequest, now, kept_for=self.bounds.kept_for, kept=self.bounds.rows)
        crowd = WouldRefuse.objects.order_by("-last_at").values_list("last_at", flat=True)
        cut = max([now - WOULD_KEPT_FOR, *crowd[WOULD_KEPT : WOULD_KEPT + 1]])
        return delete_some(WouldRefuse.objects.filter(last_at__lte=cut).order_by("last_at")) or more

    def _flush_some(self) -> bool:
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        if not taken:
            return False
        try:
            made = [row_of(kept_of(*each, self.masking), self._node) for each in taken]
            self.keep(lambda: _create(made), len(made))
        except Error:
            with self._lock:
                self._waiting.extendleft(reversed(taken))
                self._bound()
            raise
        return True

    def _flush_sums(self) -> None:
        with self._lock:
            sums = self._would.take()
        if not sums:
            return
        try:
            self.keep(lambda: write_sums(sums), len(sums))
        except Error:
            with self._lock:
                self._would.put_back(sums)
            raise

    def _bound(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1


def row_of(kept: Kept, node: str) -> KeptRequest:
    """As the database takes it."""
    return KeptRequest(
        at=_moment(kept.at),
        node=node,
        request_id=db_text(kept.request_id, rows.ID_LENGTH),
        trace_id=db_text(kept.trace_id, rows.TRACE_LENGTH),
        method=db_text(kept.method, rows.METHOD_LENGTH),
        scheme=kept.scheme[:10],
        host=db_text(kept.host, rows.HOST_LENGTH),
        path=db_text(kept.path, rows.TEXT_LENGTH),
        query=db_text(kept.query, rows.TEXT_LENGTH),
        route=kept.route[:NAME_LENGTH],
        service=kept.service[:NAME_LENGTH],
        target=db_text(kept.target, URL_LENGTH),
        status=kept.status,
        code=kept.code,
        consumer=db_text(kept.consumer, rows.CALLER_LENGTH),
        auth_method=kept.auth_method,
        client=db_text(kept.client, rows.ADDRESS_LENGTH),
        duration_ms=kept.duration_ms,
        would=kept.would[: rows.WOULD_LENGTH],
        revision=kept.revision,
        facts=_clean(kept.facts),
    )


def write_sums(sums: Mapping[Key, Sum]) -> None:
    """Adds to the rows; other workers may add theirs at the same time, in the same order."""
    by_digest = dict(sorted((digest(key), (key, found)) for key, found in sums.items()))
    with transaction.atomic():
        fresh = [_would_row(name, key, found) for name, (key, found) in by_digest.items()]
        WouldRefuse.objects.bulk_create(fresh, batch_size=_AT_ONCE, ignore_conflicts=True)
        there = WouldRefuse.objects.select_for_update().filter(digest__in=list(by_digest)).order_by("digest")
        for row in there:
            _add(row, by_digest[row.digest][1])


def _add(row: WouldRefuse, found: Sum) -> None:
    row.count += found.count
    row.first_at = min(row.first_at, _moment(found.first_at))
    if (last_at := _moment(found.last_at)) >= row.last_at:
        row.last_at, row.code = last_at, found.code
        row.message = db_text(found.message, rows.MESSAGE_LENGTH)
        row.request_id = db_text(found.request_id, rows.ID_LENGTH)
    row.save()


def _would_row(name: str, key: Key, found: Sum) -> WouldRefuse:
    """Without a count: that is added to whatever is there."""
    return WouldRefuse(
        digest=name,
        route=key.route[:NAME_LENGTH],
        policy=key.policy,
        quota=db_text(key.quota, NAME_LENGTH),
        caller=db_text(key.caller, rows.CALLER_LENGTH),
        first_at=_moment(found.first_at),
        last_at=_moment(found.last_at),
    )


def _create(made: list[KeptRequest]) -> None:
    with transaction.atomic():
        KeptRequest.objects.bulk_create(made, batch_size=_AT_ONCE)


def _clean(value: Any) -> Any:
    """JSON that every database takes."""
    if isinstance(value, str):
        return db_text(value, rows.TEXT_LENGTH)
    if isinstance(value, Mapping):
        return {db_text(str(name), rows.TEXT_LENGTH): _clean(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
