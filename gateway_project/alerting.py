"""D: Alerts and objectives, put together for one worker.

rows, snapshot, roll-ups ──▶ sources ──▶ AlertDuty ──▶ webhooks, mail
"""

from collections.abc import Callable
from random import Random

from observability.alerts.duty import AlertDuty
from observability.alerts.gathering import sources
from observability.slo.counting import counts
from routing.snapshot import Snapshot


def alert_duty(snapshot: Callable[[], Snapshot | None], *, worker: str, gateway: str) -> AlertDuty:
    """To be started on the event loop."""
    return AlertDuty(
        sources(snapshot, counts),
        holder=worker,
        gateway=gateway,
        rng=Random(),  # noqa: S311 - when, not secrets
    )
