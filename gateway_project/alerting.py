"""D: Alerts and objectives, put together for one worker.

rows, snapshot, roll-ups ──▶ sources ──▶ AlertDuty ──▶ webhooks, mail
"""

from collections.abc import Callable
from random import Random

from observability.alerts.duty import AlertDuty
from observability.alerts.gathering import sources
from observability.metrics import catalogue as names
from observability.metrics.metering import Source
from observability.metrics.samples import Samples
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


def alerts_reader(duty: Callable[[], AlertDuty | None]) -> Source:
    """A source of metrics: what became of messages, and how many wait."""

    def read(into: Samples) -> None:
        found = duty()
        if found is not None:
            for result, number in dict(found.counts).items():
                into.put(names.ALERTS, number, result)
            into.put(names.ALERTS_WAITING, found.waiting)

    return read
