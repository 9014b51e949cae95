"""D: Alerts and objectives, put together for one worker.

rows, snapshot, roll-ups ──▶ sources ──▶ AlertDuty ──▶ webhooks, mail
"""

from collections.abc import Callable
from random import Random

from observability.alerts.certificates import Certificates
from observability.alerts.duty import AlertDuty
from observability.alerts.gathering import sources
from observability.metrics import catalogue as names
from observability.metrics.metering import Source
from observability.metrics.samples import Samples
from observability.slo.counting import counts
from routing.snapshot import Snapshot


def alert_duty(
    snapshot: Callable[[], Snapshot | None], certificates: Certificates, *, worker: str, gateway: str
) -> AlertDuty:
    """To be started on the event loop."""
    return AlertDuty(
        sources(snapshot, counts, certificates),
        holder=worker,
        gateway=gateway,
        rng=Random(),  # noqa: S311 - when, not secrets
    )


def alerts_reader(duty: Callable[[], AlertDuty | None], certificates: Certificates) -> Source:
    """A source of metrics: what became of messages, how many wait, and when certificates end."""

    def read(into: Samples) -> None:
        found = duty()
        if found is not None:
            for result, number in dict(found.counts).items():
                into.put(names.ALERTS, number, result)
            into.put(names.ALERTS_WAITING, found.waiting)
            for labels, end in certificates.ends.items() if found.is_ours else ():
                into.put(names.CERTIFICATE_EXPIRY, end, *labels)

    return read
