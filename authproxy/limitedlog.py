"""D: Whom quotas refuse, written down from a thread of its own: nobody who is refused waits for it.

What comes in a second is summed up by caller and added to the rows in a few statements. While the database is away,
sums wait in bounded memory. Rows are kept for an hour, and only the newest of very many.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from authproxy.limited import Limited, Sum, Sums, digest, period_text
from authproxy.limiting import Limiter
from authproxy.models import LimitedCaller
from authproxy.moments import rfc3339
from authproxy.rows.limited import CALLER_LENGTH, PERIOD_LENGTH
from routing.dbtext import db_text
from routing.pruning import AT_ONCE
from routing.rowlog import RowLog
from routing.rows.base import NAME_LENGTH

ROUND_S: Final = 1.0
KEPT_FOR: Final = timedelta(hours=1)
KEPT_ROWS: Final = 5000
PRUNING_S: Final = 5.0  # after something was written
IDLE_PRUNING_S: Final = 60.0
_CHUNK: Final = 50
_IDS_LENGTH: Final = 2000
_COLUMNS: Final = (
    "digest",
    "quota",
    "caller",
    "route",
    "first_at",
    "last_at",
    "refused",
    "would_refuse",
    "is_enforced",
    "limit",
    "period",
    "retry_after_s",
    "request_ids",
)
_OF_THE_LAST: Final = ("last_at", "is_enforced", "limit", "period", "retry_after_s")


class LimitedLog(RowLog):
    """One per worker. `note` may be called from any thread."""

    name = "limited-callers"
    what = "callers that are refused"
    pruning_s = IDLE_PRUNING_S

    def __init__(
        self,
        limiter: Limiter,
        *,
        wall_clock: Callable[[], float] = time.time,
        round_s: float = ROUND_S,
    ) -> None:
        super().__init__(round_s=round_s, wall_clock=wall_clock)
        self._limiter = limiter
        self._sums = Sums()

    @property
    def left_out(self) -> int:
        """Requests that were not written down, because too many callers were refused at a time."""
        return self._sums.left_out

    def note(self, limited: Limited) -> None:
        """Takes a request in, in a few microseconds."""
        with self._lock:
            self._sums.note(limited)

    def start(self) -> None:
        """Listens to the limiter and begins to write, on the running event loop."""
        self._limiter.tell = self.note
        self._poller.start()

    async def stop(self) -> None:
        """Hears no more, and writes what is at hand."""
        self._limiter.tell = self._limiter.recent.append
        await super().stop()

    # From here on: the poller's own thread.

    def flush(self) -> None:
        """Writes all that was noted. Raises DatabaseError; nothing is lost by it."""
        with self._lock:
            if not len(self._sums):
                return
            taken = self._sums.take()
        try:
            self.keep(lambda: write(taken), len(taken))
        except BaseException:
            with self._lock:
                self._sums.put_back(taken)
            raise
        self._prune_at = min(self._prune_at, self._now() + PRUNING_S)

    def prune(self, now: datetime) -> bool:
        return prune(now)


def write(sums: Mapping[Any, Sum]) -> None:
    """Adds sums to the rows; other workers may add theirs at the same time, in the same order."""
    rows = sorted(map(_values, sums.values()))
    with transaction.atomic(), connection.cursor() as cursor:
        for begin in range(0, len(rows), _CHUNK):
            chunk = rows[begin : begin + _CHUNK]
            cursor.execute(_statement(len(chunk)), [value for row in chunk for value in row])


def prune(now: datetime, *, kept: int = KEPT_ROWS) -> bool:
    """Deletes some of what is too old, and of rows beyond the newest; True if there may be more of it."""
    ages = LimitedCaller.objects.filter(last_at__lt=now - KEPT_FOR).order_by("last_at")
    keys = list(ages.values_list("pk", flat=True)[:AT_ONCE])
    crowd = LimitedCaller.objects.order_by("-last_at", "-pk").values_list("pk", flat=True)
    keys += crowd[kept : kept + AT_ONCE]
    if keys:
        LimitedCaller.objects.filter(pk__in=keys).delete()
    return len(keys) >= AT_ONCE


def as_json(row: LimitedCaller) -> dict[str, Any]:
    """One row for programs."""
    return {
        "quota": row.quota,
        "caller": row.caller,
        "route": row.route,
        "mode": "enforce" if row.is_enforced else "log",
        "limited": row.is_limited,
        "limit": row.limit,
        "per": row.period,
        "refused": row.refused,
        "would_refuse": row.would_refuse,
        "first_at": rfc3339(row.first_at),
        "last_at": rfc3339(row.last_at),
        "room_at": rfc3339(row.room_at) if row.is_enforced else None,
        "request_ids": row.request_ids.split(),
    }


def _values(found: Sum) -> tuple[Any, ...]:
    """In the order of the columns."""
    last = found.last
    return (
        digest(last.quota, last.caller, last.route),
        db_text(last.quota, NAME_LENGTH),
        db_text(last.caller, CALLER_LENGTH),
        db_text(last.route, NAME_LENGTH),
        _moment(found.first_at),
        _moment(last.at),
        found.refused,
        found.would_refuse,
        last.is_enforced,
        last.limit,
        period_text(last.per_s, last.calendar)[:PERIOD_LENGTH],
        last.retry_after_s,
        db_text(" ".join(reversed(found.ids)), _IDS_LENGTH),
    )


def _moment(at: float) -> Any:
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(at, UTC))


def _statement(number: int) -> str:
    """Both databases understand it: what is there is added to, in one step."""
    quoted = connection.ops.quote_name
    there = quoted(LimitedCaller._meta.db_table)
    new, old = ({name: f"{table}.{quoted(name)}" for name in _COLUMNS} for table in ("excluded", there))
    is_later = f"{new['last_at']} >= {old['last_at']}"
    is_earlier = f"{new['first_at']} < {old['first_at']}"
    changes = {
        "first_at": f"CASE WHEN {is_earlier} THEN {new['first_at']} ELSE {old['first_at']} END",
        "refused": f"{old['refused']} + {new['refused']}",
        "would_refuse": f"{old['would_refuse']} + {new['would_refuse']}",
        "request_ids": f"substr({new['request_ids']} || ' ' || {old['request_ids']}, 1, {_IDS_LENGTH})",
    }
    for name in _OF_THE_LAST:
        changes[name] = f"CASE WHEN {is_later} THEN {new[name]} ELSE {old[name]} END"
    row = f"({', '.join(['%s'] * len(_COLUMNS))})"
    return (
        f"INSERT INTO {there} ({', '.join(map(quoted, _COLUMNS))}) VALUES {', '.join([row] * number)} "  # noqa: S608 - names of columns
        f"ON CONFLICT ({quoted('digest')}) DO UPDATE SET "
        + ", ".join(f"{quoted(name)} = {value}" for name, value in changes.items())
    )
