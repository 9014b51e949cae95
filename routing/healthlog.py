"""D: The last check of each target, written down for people: changes at once, everything else every ten seconds.

Each worker writes down what it checked itself. What the database does not take in time is replaced by what comes
later; nothing waits for it.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from resilience.models import TargetHealth
from resilience.prober import Prober
from resilience.rows.targets import NODE_LENGTH, WHY_LENGTH
from resilience.verdicts import Verdict
from routing.dbtext import db_text
from routing.rowlog import RowLog

EVERY_S: Final = 10.0
KEPT_FOR: Final = timedelta(days=1)
"""Of targets that nobody checks any more."""
_MOST_RUN: Final = 2**31 - 1
_BATCH: Final = 200
_COLUMNS: Final = ("healthy", "since", "checked_at", "ok", "why", "status", "latency_s", "run", "node")


class HealthLog(RowLog):
    """One per worker."""

    name = "health-log"
    what = "checks of targets"
    complaint = "checks of targets are not recorded"
    pruning_s = 0.0  # each round

    def __init__(self, prober: Prober, *, every_s: float = EVERY_S) -> None:
        super().__init__(round_s=every_s)
        self._noted: dict[str, Verdict] = {}
        prober.on_verdict(self.note)

    def start(self) -> None:
        """On the running event loop."""
        self._poller.start()

    def note(self, verdict: Verdict, is_change: bool) -> None:
        """Takes in what is to be written. Bounded by the number of targets."""
        with self._lock:
            self._noted[verdict.field] = verdict
        if is_change:
            self.wake()

    # From here on: the poller's own thread.

    def prune(self, now: datetime) -> bool:
        TargetHealth.objects.filter(checked_at__lt=now - KEPT_FOR).delete()
        return False

    def flush(self) -> None:
        with self._lock:
            noted = dict(self._noted)
        if not noted:
            return
        TargetHealth.objects.bulk_create(
            [_row(verdict) for verdict in noted.values()],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["service", "target"],
            update_fields=_COLUMNS,
        )
        with self._lock:
            for field, verdict in noted.items():
                if self._noted.get(field) is verdict:
                    del self._noted[field]


def _row(verdict: Verdict) -> TargetHealth:
    standing = verdict.standing
    return TargetHealth(
        service=verdict.service,
        target=verdict.target,
        healthy=standing.healthy,
        since=_moment(standing.since) if standing.healthy is not None else None,
        checked_at=_moment(standing.at),
        ok=standing.ok,
        why=db_text(standing.why, WHY_LENGTH),
        status=standing.status,
        latency_s=standing.latency_s,
        run=min(standing.run, _MOST_RUN),
        node=verdict.node[:NODE_LENGTH],
    )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
